"""Audit rows as facts, without a database: each published schema, and what stays shut."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.sql.audit import (
    DEEPEST,
    HIDDEN,
    PAYLOAD_BYTES,
    AuditRow,
    may_show,
    opened,
    versions_of,
)
from connectors.sql.audit_shapes import AuditShape, Tool, shape_of

PAPER_TRAIL = {
    "id": "int8",
    "item_type": "varchar",
    "item_id": "int8",
    "event": "varchar",
    "whodunnit": "varchar",
    "object": "text",
    "object_changes": "text",
    "created_at": "timestamp",
}
AUDITED = {
    "id": "int8",
    "auditable_id": "int8",
    "auditable_type": "varchar",
    "user_id": "int8",
    "user_type": "varchar",
    "username": "varchar",
    "action": "varchar",
    "audited_changes": "jsonb",
    "version": "int4",
    "request_uuid": "varchar",
    "created_at": "timestamp",
}
SIMPLE_HISTORY = {
    "id": "int4",
    "status": "varchar",
    "email": "varchar",
    "history_id": "int4",
    "history_date": "timestamptz",
    "history_type": "varchar",
    "history_change_reason": "varchar",
    "history_user_id": "int4",
}
REVERSION = {
    "id": "int4",
    "revision_id": "int4",
    "object_id": "varchar",
    "content_type_id": "int4",
    "db": "varchar",
    "format": "varchar",
    "serialized_data": "text",
    "object_repr": "text",
}


def shape(table: str, columns: dict[str, str], pk: str = "id") -> AuditShape:
    found = shape_of(table, columns, pk)
    assert found is not None
    return found


@pytest.mark.parametrize(
    ("table", "columns", "tool"),
    [
        ("versions", PAPER_TRAIL, Tool.PAPER_TRAIL),
        ("audits", AUDITED, Tool.AUDITED),
        ("shop_historicalorder", SIMPLE_HISTORY, Tool.SIMPLE_HISTORY),
        ("reversion_version", REVERSION, Tool.REVERSION),
        ("orders", {"id": "int8", "log_data": "jsonb", "updated_at": "timestamp"}, Tool.LOGIDZE),
        ("orders_history", {"id": "int8", "sys_period": "tstzrange"}, Tool.PERIODS),
        ("orders", {"id": "int", "ROW_START": "timestamp", "ROW_END": "timestamp"}, Tool.PERIODS),
    ],
)
def test_every_published_schema_is_recognised(
    table: str, columns: dict[str, str], tool: Tool
) -> None:
    assert shape(table, columns).tool is tool


@pytest.mark.parametrize(
    "columns",
    [
        {"id": "int8", "created_at": "timestamp", "status": "varchar"},
        {"id": "int8", "log_data": "text", "created_at": "timestamp"},
        {"id": "int8", "sys_period": "varchar"},
        {"id": "int8", "whodunnit": "varchar", "created_at": "timestamp"},
        {"history_id": "int4", "history_date": "timestamptz", "history_type": "varchar"},
    ],
)
def test_a_likeness_is_not_enough(columns: dict[str, str]) -> None:
    assert shape_of("things", columns) is None


def paper_trail(**cells: str | int | None) -> AuditRow:
    base: dict[str, str | int | None] = {
        "id": 12,
        "item_type": "Shop::Order",
        "item_id": 4711,
        "event": "update",
        "whodunnit": "7",
        "created_at": 1_000_000,
        "object_changes": None,
    }
    return {**base, **cells}


def test_paper_trail_tells_who_changed_which_columns() -> None:
    changes = {
        "status": ["pending", "active"],
        "email": ["a@example.org", "b@example.org"],
        "paid_at": [None, "2026-03-11"],
        "admin": [False, True],
        "updated_at": ["x", "y"],
    }
    row = paper_trail(object_changes=json.dumps(changes))
    (version,) = versions_of(shape("versions", PAPER_TRAIL), [row])
    assert (version.item_type, version.item_id) == ("Shop::Order", "4711")
    assert (version.action, version.actor, version.at) == ("updated", "7", 1_000_000)
    assert version.changed == {
        "status": ("pending", "active"),
        "email": (HIDDEN, HIDDEN),
        "paid_at": (None, "2026-03-11"),
        "admin": (False, True),
    }
    assert version.note == ""


def test_stored_yaml_stays_shut() -> None:
    yaml = "---␊status:␊- !ruby/object:Gem::Installer␊    i: x␊- active␊"
    row = paper_trail(object_changes=yaml)
    (version,) = versions_of(shape("versions", PAPER_TRAIL), [row])
    assert version.changed == {}
    assert "YAML" in version.note
    assert "not opened" in version.note
    assert (version.action, version.actor) == ("updated", "7"), "the rest of the row is told"


@pytest.mark.parametrize(
    ("stored", "words"),
    [
        ("{broken", "broken JSON"),
        (900_000, "900,000 bytes, too large"),
        ("{" + " " * PAYLOAD_BYTES + "}", "too large"),
        ("plain words", "not JSON"),
        ("[" * (DEEPEST + 2) + "]" * (DEEPEST + 2), "nested deeper"),
        ("[" * 30_000, "broken JSON"),
        (None, "empty"),
    ],
)
def test_what_cannot_be_opened_is_said(stored: str | int | None, words: str) -> None:
    document, note = opened(stored, "object_changes")
    assert document is None
    assert words in note
    assert note.startswith("object_changes")


@given(st.text(max_size=60))
def test_no_stored_text_can_break_the_reading(stored: str) -> None:
    for columns, table in ((PAPER_TRAIL, "versions"), (AUDITED, "audits")):
        found = shape(table, columns)
        row = paper_trail(object_changes=stored, audited_changes=stored, auditable_id=1)
        (version,) = versions_of(found, [row])
        assert version.at == 1_000_000


def test_hidden_characters_inside_a_document_are_cleaned() -> None:
    changes = json.dumps({"status": ["a", "evil\u001b[2J\u202e"], "st\u001batus": ["x", "y"]})
    (version,) = versions_of(shape("versions", PAPER_TRAIL), [paper_trail(object_changes=changes)])
    told = repr(version)
    assert "\\x1b" not in told
    assert "\\u202e" not in told


def test_audited_tells_creations_updates_and_deletions() -> None:
    found = shape("audits", AUDITED)
    base: AuditRow = {
        "auditable_type": "Order",
        "auditable_id": 5,
        "user_id": 7,
        "user_type": "User",
        "username": None,
        "request_uuid": "req-1",
        "created_at": 1,
    }

    def row(action: str, changes: object, number: int) -> AuditRow:
        stored = json.dumps(changes)
        return {**base, "id": number, "action": action, "audited_changes": stored}

    created, updated, deleted = versions_of(
        found,
        [
            row("create", {"status": "new", "tags": ["a", "b"]}, 1),
            row("update", {"status": ["new", "paid"]}, 2),
            row("destroy", {"status": "paid"}, 3),
        ],
    )
    assert created.changed == {"status": (None, "new"), "tags": (None, HIDDEN)}
    assert updated.changed == {"status": ("new", "paid")}
    assert deleted.changed == {"status": ("paid", None)}
    assert (updated.actor, updated.actor_type, updated.request) == ("7", "User", "req-1")


def test_logidze_keeps_its_history_inside_the_row() -> None:
    log = {
        "v": 3,
        "h": [
            {"v": 1, "ts": 1_000, "c": {"status": "new", "total": 5}},
            {"v": 2, "ts": 2_000, "c": {"status": "paid"}, "m": {"_r": "42"}},
            {"v": 3, "ts": 3_000, "c": {"total": 6}},
        ],
    }
    columns = {"id": "int8", "log_data": "jsonb", "updated_at": "timestamp"}
    row: AuditRow = {"id": 9, "updated_at": 5, "log_data": json.dumps(log)}
    first, second, third = versions_of(shape("orders", columns), [row])
    assert [v.at for v in (first, second, third)] == [1_000_000, 2_000_000, 3_000_000]
    assert first.action == "created"
    assert second.changed == {"status": ("new", "paid")}
    assert second.actor == "42"
    assert third.changed == {"total": (HIDDEN, HIDDEN)}
    assert len({v.place for v in (first, second, third)}) == 3


def test_logidze_does_not_invent_what_its_limit_dropped() -> None:
    log = {
        "v": 9,
        "h": [
            {"v": 8, "ts": 1_000, "c": {"status": "a"}},
            {"v": 9, "ts": 2_000, "c": {"status": "b"}},
        ],
    }
    columns = {"id": "int8", "log_data": "jsonb", "updated_at": "timestamp"}
    row: AuditRow = {"id": 9, "updated_at": 5, "log_data": json.dumps(log)}
    oldest, newest = versions_of(shape("orders", columns), [row])
    assert (oldest.action, oldest.changed) == ("updated", {})
    assert "dropped" in oldest.note
    assert newest.changed == {"status": ("a", "b")}


def history(number: int, kind: str, status: str, email: str = "x") -> AuditRow:
    return {
        "id": 5,
        "status": status,
        "email": email,
        "history_id": number,
        "history_date": number * 10,
        "history_type": kind,
        "history_user_id": 3,
        "history_change_reason": None,
    }


def test_simple_history_is_told_by_what_differs() -> None:
    found = shape("shop_historicalorder", SIMPLE_HISTORY)
    assert found.item_table == "shop_order"
    rows = [history(3, "-", "paid"), history(1, "+", "new"), history(2, "~", "paid", "y")]
    created, updated, deleted = versions_of(found, rows)
    assert created.action == "created"
    assert updated.changed == {"status": ("new", "paid"), "email": (HIDDEN, HIDDEN)}
    assert updated.actor == "3"
    assert deleted.changed["status"] == ("paid", None)


def test_a_first_state_needs_the_one_before_it() -> None:
    found = shape("shop_historicalorder", SIMPLE_HISTORY)
    (alone,) = versions_of(found, [history(2, "~", "paid")])
    assert alone.changed == {}
    assert "before it is not known" in alone.note
    (known,) = versions_of(found, [history(2, "~", "paid")], [history(1, "+", "new")])
    assert known.changed == {"status": ("new", "paid")}


def test_reversion_compares_the_fields_of_two_documents() -> None:
    found = shape("reversion_version", REVERSION)

    def row(number: int, status: str, note: str) -> AuditRow:
        fields = {"status": status, "internal_note": note}
        stored = json.dumps([{"model": "shop.order", "pk": 5, "fields": fields}])
        return {
            "id": number,
            "object_id": "5",
            "content_type_id": 8,
            "serialized_data": stored,
            "date_created": number,
            "user_id": 2,
        }

    first, second = versions_of(found, [row(2, "paid", "b"), row(1, "new", "a")])
    assert "not known" in first.note
    assert second.item_type == "shop.order"
    assert second.changed == {"status": ("new", "paid"), "internal_note": (HIDDEN, HIDDEN)}


def test_periods_join_and_an_open_end_is_said() -> None:
    columns = {"id": "int8", "status": "text", "sys_period": "tstzrange"}
    found = shape("orders_history", columns)
    assert found.item_table == "orders"
    begin, end = found.at, found.until
    rows: list[AuditRow] = [
        {"id": 5, "status": "new", begin: 10, end: 20},
        {"id": 5, "status": "paid", begin: 20, end: None},
        {"id": 6, "status": "new", begin: 12, end: 15},
    ]
    told = [(v.item_id, v.action, v.at, dict(v.changed)) for v in versions_of(found, rows)]
    assert ("5", "updated", 20, {"status": ("new", "paid")}) in told
    assert ("6", "superseded", 15, {}) in told
    assert ("5", "superseded", 20, {}) not in told, "its next version says it better"


@pytest.mark.parametrize("column", ["status", "id", "user_id", "paid_at", "lock_version"])
def test_small_vocabularies_are_told(column: str) -> None:
    assert may_show("Order", column)


@pytest.mark.parametrize("column", ["email", "notes", "password_digest", "iban", "first_name"])
def test_personal_values_are_not(column: str) -> None:
    assert not may_show("Order", column)
