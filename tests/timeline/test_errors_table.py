"""The error table: every wording is found, in any capitals; vector and single path agree."""

from __future__ import annotations

import subprocess
import sys
from collections import Counter

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from timeline.errors.codes import ERRNO, MYSQL, SQLSTATE
from timeline.errors.kinds import ErrorClass, Fragment, Outcome, Phase
from timeline.errors.matcher import MATCH_SCHEMA, ErrorMatch, match_errors, match_one
from timeline.errors.table import FRAGMENTS, WORDINGS

ERROR = 17


def _said(fragment: Fragment) -> str:
    return f"worker-3 sign-up 4711 gave up: {fragment.text.replace('*', 'shop-db')}"


def _at_error(bodies: list[str]) -> dict[int, ErrorMatch]:
    """Matches by row, all bodies at severity ERROR."""
    found = match_errors(pl.Series(bodies), severities=pl.Series([ERROR] * len(bodies)))
    return {
        record.pop("row"): ErrorMatch(
            **{
                **record,
                "error_class": ErrorClass(record["error_class"]),
                "outcome": Outcome(record["outcome"]),
                "phase": Phase(record["phase"]),
            }
        )
        for record in found.to_dicts()
    }


@pytest.fixture(scope="module")
def spoken() -> dict[str, ErrorMatch]:
    matches = _at_error([_said(fragment) for fragment in FRAGMENTS])
    return {FRAGMENTS[row].text: match for row, match in matches.items()}


@pytest.mark.parametrize("fragment", WORDINGS, ids=lambda fragment: fragment.text)
def test_every_wording_is_found(fragment: Fragment, spoken: dict[str, ErrorMatch]) -> None:
    match = spoken[fragment.text]
    assert (match.error_class, match.outcome) == (fragment.error_class, fragment.outcome), match


def test_every_shape_of_every_code_is_found(spoken: dict[str, ErrorMatch]) -> None:
    for fragment in FRAGMENTS[len(WORDINGS) :]:
        match = spoken[fragment.text]
        assert (match.errno, match.sqlstate) == (fragment.errno, fragment.sqlstate), match
        settled_by_phase = match.phase is not Phase.UNKNOWN
        assert settled_by_phase or match.error_class is fragment.error_class, match


def test_no_text_stands_in_the_table_twice() -> None:
    counted = Counter(fragment.text.lower() for fragment in FRAGMENTS)
    assert [text for text, count in counted.items() if count > 1] == []


@pytest.mark.parametrize("change", [str.upper, str.lower])
def test_capitals_do_not_matter_unless_they_are_the_evidence(change: object) -> None:
    assert callable(change)
    free = [f for f in WORDINGS if not f.capitals_matter]
    matches = _at_error([str(change(_said(fragment))) for fragment in free])
    assert [free[row].text for row in range(len(free)) if row not in matches] == []


def test_every_class_and_outcome_is_in_use() -> None:
    assert {fragment.error_class for fragment in WORDINGS} == set(ErrorClass)
    assert {fragment.outcome for fragment in WORDINGS} == set(Outcome)
    assert {outcome.letter for outcome in Outcome} == set("NARE")
    assert len({outcome.meaning for outcome in Outcome}) == len(Outcome)


def test_the_table_needs_no_polars() -> None:
    code = "import sys, timeline.errors; sys.exit('polars' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


NUMBERS = sorted({*map(str, ERRNO), *SQLSTATE, *map(str, MYSQL), "502", "504", "429"})


@pytest.mark.parametrize("number", NUMBERS)
def test_a_number_alone_is_no_code(number: str) -> None:
    for body in (f"order id={number} shipped", f"took {number} ms", f"row {number} of 9000"):
        assert match_one(body, ERROR) is None


def test_nothing_in_nothing_out() -> None:
    for bodies in (pl.Series([], dtype=pl.String), pl.Series([None, "all well"])):
        found = match_errors(bodies)
        assert found.is_empty()
        assert dict(found.schema) == MATCH_SCHEMA


def test_rows_point_into_the_bodies_in_order() -> None:
    bodies = ["fine", None, "dial tcp db:5432: connect: connection refused", "ok", "write EPIPE"]
    severities = pl.Series([9, None, None, 9, ERROR], dtype=pl.UInt8)
    found = match_errors(pl.Series(bodies), severities=severities)
    assert found["row"].to_list() == [2, 4]
    assert dict(found.schema) == MATCH_SCHEMA


_pieces = st.one_of(
    st.sampled_from([fragment.text.replace("*", "db") for fragment in FRAGMENTS]),
    st.sampled_from(["␊Caused by: ", "␊During handling of the above exception, another "]),
    st.sampled_from(
        [" COMMIT ", " while connecting to upstream ", " redis:6379 ", "é", "接", "\\n"]
    ),
    st.text(max_size=12),
)


@settings(max_examples=25, deadline=None)
@given(
    st.lists(st.tuples(st.lists(_pieces, max_size=5), st.sampled_from([0, 9, 13, 17])), max_size=6)
)
def test_a_batch_says_what_each_line_says_alone(lines: list[tuple[list[str], int]]) -> None:
    bodies = ["".join(pieces) for pieces, _ in lines]
    severities = pl.Series([severity for _, severity in lines], dtype=pl.UInt8)
    found = match_errors(pl.Series(bodies, dtype=pl.String), severities=severities)
    by_row = {record["row"]: record for record in found.to_dicts()}
    for row, (body, (_, severity)) in enumerate(zip(bodies, lines, strict=True)):
        alone = match_one(body, severity)
        together = by_row.get(row)
        assert (alone is None) == (together is None)
        if alone is not None and together is not None:
            assert alone.fragment == together["fragment"]
            assert (alone.error_class, alone.outcome, alone.peer, alone.system) == (
                together["error_class"],
                together["outcome"],
                together["peer"],
                together["system"],
            )
