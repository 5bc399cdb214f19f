"""The parts of the PostgreSQL connector that need no server."""

from __future__ import annotations

from datetime import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from connectors.postgresql import PostgreSQLOptions, TableOptions
from connectors.postgresql.activity import without_literals
from connectors.postgresql.plans import plan_of
from connectors.postgresql.reader import comparable
from connectors.postgresql.statements import iso, span_of
from connectors.postgresql.tables import Column
from connectors.sql.vocabulary import STATE_LIKE


@pytest.mark.parametrize(
    ("statement", "shown"),
    [
        ("UPDATE users SET email = 'a@b.c' WHERE id = 4711", "UPDATE users SET email = '…' WHERE "),
        ("SELECT 'it''s' , 'x'", "SELECT '…' , '…'"),
        ("SELECT $$a secret$$", "SELECT '…'"),
        ("SELECT $tag$a $$ secret$tag$ FROM t", "SELECT '…' FROM t"),
        ("INSERT INTO t VALUES ('cut off in the midd", "INSERT INTO t VALUES ('…'"),
        ("SELECT $1, $2", "SELECT $1, $2"),
    ],
)
def test_literals_of_statements_are_not_shown(statement: str, shown: str) -> None:
    assert without_literals(statement).startswith(shown)


@given(st.text(alphabet=st.characters(exclude_characters="'$"), min_size=4, max_size=30))
def test_no_quoted_text_survives(secret: str) -> None:
    shown = without_literals(f"UPDATE t SET a = '{secret}' WHERE b = $x${secret}$x$")
    assert shown == "UPDATE t SET a = '…' WHERE b = '…'"


@pytest.mark.parametrize(
    "name", ["status", "payment_status", "state", "aasm_state", "lock_version"]
)
def test_small_vocabularies_are_carried(name: str) -> None:
    assert STATE_LIKE.fullmatch(name)


@pytest.mark.parametrize("name", ["email", "notes", "statement", "token", "first_name", "estate"])
def test_personal_columns_are_not(name: str) -> None:
    assert not STATE_LIKE.fullmatch(name)


@given(st.integers(0, 2**62), st.integers(1, 10**6))
def test_a_span_holds_exactly_the_microseconds_of_its_window(start: int, length: int) -> None:
    span, end = span_of(start, start + length), start + length
    inside = [us for us in range(start // 1_000 - 1, end // 1_000 + 2) if start <= us * 1_000 < end]
    assert inside == list(range(span.start, span.end))


@given(st.integers(0, 4_000_000_000_000_000))
def test_times_survive_their_text(microseconds: int) -> None:
    text = iso(microseconds)
    assert round(datetime.fromisoformat(text).timestamp() * 1_000_000) == microseconds
    assert text == iso(microseconds, zone=False) + "+00:00"


SCAN = {"Node Type": "Seq Scan", "Total Cost": 500_000.0, "Filter": "(a > 1)"}


@pytest.mark.parametrize(
    ("plan", "expected"),
    [
        (SCAN, True),
        ({**SCAN, "Total Cost": 12.5}, False),
        ({"Node Type": "Index Scan", "Total Cost": 500_000.0, "Index Cond": "(a > 1)"}, False),
        ({"Node Type": "Index Scan", "Total Cost": 500_000.0}, True),
        ({"Node Type": "Limit", "Total Cost": 1.0, "Plans": [SCAN]}, True),
        ({"Node Type": "Limit", "Total Cost": 900_000.0, "Plans": []}, False),
    ],
)
def test_a_plan_that_reads_everything_is_recognised(plan: object, expected: bool) -> None:
    assert plan_of([(([{"Plan": plan}]),)]).scans_everything is expected


@pytest.mark.parametrize(
    ("type_name", "value", "expected"),
    [
        ("int4", "4711", True),
        ("int4", "99999999999", False),
        ("int8", "999999999999999999", True),
        ("int8", "9999999999999999999", False),
        ("int8", "4711; DROP", False),
        ("int8", "٣", False),
        ("uuid", "8f2c0123-4567-89ab-cdef-0123456789ab", True),
        ("uuid", "4711", False),
        ("text", "anything ' at all", True),
        ("numeric", "1", False),
    ],
)
def test_only_values_of_the_columns_type_are_asked_for(
    type_name: str, value: str, expected: bool
) -> None:
    column = Column("id", type_name, type_name, False, -1, "", True, 0, "")
    assert comparable(column, value) is expected


def test_tables_may_be_written_as_names() -> None:
    options = PostgreSQLOptions.model_validate(
        {"dsn": "postgresql://h/db", "tables": ["users", "sales.orders", {"name": "x", "pk": "k"}]}
    )
    assert options.tables == (
        TableOptions(name="users"),
        TableOptions(name="orders", schema_name="sales"),
        TableOptions(name="x", pk="k"),
    )


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"dsn": "postgresql://h/db", "host": "h"},
        {"host": "h", "port": 70_000},
        {"host": "h", "statement_timeout_ms": 0},
        {"host": "h", "tables": [{"name": "users", "colums": ["id"]}]},
    ],
)
def test_options_that_cannot_be_right_are_refused(options: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        PostgreSQLOptions.model_validate(options)
