"""Audit tables as facts: who changed which row when, and which columns, from what to what.

Knows the published schemas of paper_trail, audited, logidze, django-simple-history,
django-reversion and period tables, and recognises them by their columns alone. Pure: rows in as
mappings, facts out, for every SQL database. Stored YAML is never parsed, and a value is told only
where a row's own values would be: of other columns only that they changed.

Schemas: paper_trail 12, audited 5, logidze 1.3, django-simple-history 3.1, django-reversion 5.0,
temporal_tables 1.2, MariaDB system versioning.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import TypeAlias

from connectors.sql.audit_shapes import AuditShape, Tool
from connectors.sql.vocabulary import CREATED, DELETED, STATE_LIKE, UPDATED
from timeline.clean import clean

JsonValue: TypeAlias = "str | int | float | bool | list[JsonValue] | dict[str, JsonValue] | None"
AuditRow: TypeAlias = Mapping[str, "str | int | float | bool | None"]
"""One row by column name. Stamps are µs since the epoch, everything else as the database gave it;
of a payload too large to be read, its size in bytes (an int) stands instead of its text. Names
that begin with a NUL, which no column has, are the reader's own and ignored."""
Change: TypeAlias = tuple[JsonValue, JsonValue]
"""Before and after."""
Shown: TypeAlias = Callable[[str, str], bool]
"""Whether the values of a column may be told: (recorded item type, column)."""
HIDDEN = "(not shown)"
"""Stands for a value of a column that is not told by default."""
VALUE_LENGTH = 200
DEEPEST = 32
"""Nesting of a stored document beyond which it is not looked into."""
PAYLOAD_BYTES = 64 * 1024
"""The largest stored document that is read of one version."""
LOCK_VERSION = "lock_version"
"""The counter by which Rails, Hibernate and others notice a lost update."""
BOOKKEEPING = frozenset({*UPDATED, LOCK_VERSION, "log_data", "sys_period"})
"""Columns that change with every write and say nothing about it."""
ACTIONS = {
    **dict.fromkeys(("create", "created", "insert", "+"), "created"),
    **dict.fromkeys(("update", "updated", "touch", "~"), "updated"),
    **dict.fromkeys(("destroy", "destroyed", "delete", "deleted", "-"), "deleted"),
}


@dataclass(frozen=True, slots=True)
class Version:
    """One recorded change of one row."""

    tool: Tool
    item_type: str
    """As recorded: a class (`Shop::Order`), a content type, or empty when the table says it."""
    item_id: str
    action: str
    """`created`, `updated`, `deleted`, or the tool's own word."""
    at: int
    """µs since the epoch: the application's or the transaction's stamp, never the commit."""
    place: str
    """Identifies the version inside its table."""
    actor: str
    actor_type: str
    txid: str
    request: str
    changed: Mapping[str, Change]
    note: str
    """What could not be opened or is not known, in words; empty when all was read."""
    number: int | None = None
    """The tool's own number of the version, where it counts them."""
    lock_version: Change = (None, None)
    """The counter of optimistic locking before and after, where the row has one and it moved."""


def may_show(item_type: str, column: str) -> bool:
    """Whether a column's values are told by default: ids, times and small vocabularies."""
    del item_type
    name = column.lower()
    return (
        name == "id"
        or name.endswith(("_id", "_at", "_on"))
        or name in CREATED | UPDATED | DELETED
        or STATE_LIKE.fullmatch(name) is not None
    )


def versions_of(
    shape: AuditShape,
    rows: Iterable[AuditRow],
    earlier: Iterable[AuditRow] = (),
    shown: Shown = may_show,
) -> list[Version]:
    """Every version that `rows` record, in order of time.

    `earlier` are the versions just before them, for tools that keep whole states
    (`shape.keeps_states`); without one, what a first state changed is not known and said so.
    """
    if shape.tool is Tool.LOGIDZE:
        found = [version for row in rows for version in _logidze(shape, row, shown)]
    elif shape.keeps_states:
        found = _states(shape, rows, earlier, shown)
    else:
        found = [_recorded(shape, row, shown) for row in rows]
    return sorted(found, key=lambda version: (version.at, version.place))


def _recorded(shape: AuditShape, row: AuditRow, shown: Shown) -> Version:
    """paper_trail and audited: the change itself is stored."""
    action = _action(row, shape)
    changes, note = _document(shape, row)
    changed: dict[str, Change] = {}
    for column, value in changes.items():
        pair = isinstance(value, list) and len(value) == 2
        if pair and (shape.tool is Tool.PAPER_TRAIL or action == "updated"):
            before, after = value if isinstance(value, list) else (None, None)
        else:
            before, after = (value, None) if action == "deleted" else (None, value)
        changed[column] = (before, after)
    return _version(shape, row, action, changed, note, shown)


def _document(shape: AuditShape, row: AuditRow) -> tuple[dict[str, JsonValue], str]:
    """The stored changes, or why there are none."""
    for column in shape.payload:
        stored = row.get(column)
        if stored is None or stored == "":
            continue
        document, note = opened(stored, column)
        return (document if isinstance(document, dict) else {}), note
    if shape.payload:
        return {}, ""
    return {}, "this installation stores no changed columns"


def opened(stored: str | float | bool | None, column: str) -> tuple[JsonValue, str]:
    """A stored document if it is JSON, else None and a note. YAML and the like stay shut."""
    if isinstance(stored, bool | int | float):
        return None, f"{column}: {stored:,.0f} bytes, too large, not opened"
    if not stored:
        return None, f"{column} is empty"
    size = len(stored.encode("utf-8", "replace"))
    if size > PAYLOAD_BYTES:
        return None, f"{column}: {size:,} bytes, too large, not opened"
    if stored.lstrip()[:1] not in ("{", "["):
        kind = "YAML" if stored.startswith("---") else "not JSON"
        return None, f"{column}: {kind}, {size:,} bytes, not opened"
    try:
        document: JsonValue = json.loads(stored)
    except (ValueError, RecursionError):
        return None, f"{column}: broken JSON, {size:,} bytes"
    if _too_deep(document):
        return None, f"{column}: nested deeper than {DEEPEST}, not opened"
    return document, ""


def _too_deep(document: JsonValue) -> bool:
    level: list[JsonValue] = [document]
    for _ in range(DEEPEST):
        level = [
            inner
            for outer in level
            for inner in (
                outer.values()
                if isinstance(outer, dict)
                else outer
                if isinstance(outer, list)
                else ()
            )
        ]
        if not level:
            return False
    return True


def _logidze(shape: AuditShape, row: AuditRow, shown: Shown) -> Iterable[Version]:
    """One version an entry of the row's own history; each holds what it set."""
    document, note = opened(row.get(shape.payload[0]), shape.payload[0])
    history = document.get("h") if isinstance(document, dict) else None
    if not isinstance(history, list):
        return
    state: dict[str, JsonValue] = {}
    for number, entry in enumerate(history):
        if not isinstance(entry, dict) or not isinstance(stamp := entry.get("ts"), int):
            continue
        stored, told_by = entry.get("c"), entry.get("m")
        after = stored if isinstance(stored, dict) else {}
        first = number == 0
        known = not first or entry.get("v") == 1
        action = "created" if first and entry.get("v") == 1 else "updated"
        changed = {
            column: (state.get(column), value)
            for column, value in after.items()
            if known and (first or state.get(column) != value)
        }
        state.update(after)
        meta = told_by if isinstance(told_by, dict) else {}
        stamped: AuditRow = {
            **row,
            shape.at: stamp * 1_000,
            shape.place: f"{row.get(shape.item_id)}v{entry.get('v')}",
            _ACTOR: _text(meta.get("_r")),
            _NUMBER: number_of(entry.get("v")),
        }
        gone = "" if known else "older versions were dropped by the tool's limit"
        yield _version(shape, stamped, action, changed, note or gone, shown)


def _states(
    shape: AuditShape,
    rows: Iterable[AuditRow],
    earlier: Iterable[AuditRow],
    shown: Shown,
) -> list[Version]:
    """Tools that store whole rows: what differs between one state of an item and the next."""
    last: dict[str, tuple[dict[str, JsonValue], str]] = {}
    for row in sorted(earlier, key=lambda row: _order(shape, row)):
        last[_item(shape, row)] = _state(shape, row)
    found = []
    ordered = sorted(rows, key=lambda row: _order(shape, row))
    begun = {(_item(shape, row), row.get(shape.at)) for row in ordered}
    for row in ordered:
        item, (state, note) = _item(shape, row), _state(shape, row)
        action = _action(row, shape)
        before, broken = last.get(item, ({}, ""))
        changed: dict[str, Change] = {}
        if action == "deleted":
            changed = {column: (value, None) for column, value in state.items()}
        elif action == "created":
            changed = {column: (None, value) for column, value in state.items()}
        elif item in last and not (note or broken):
            columns = dict.fromkeys((*before, *state))
            changed = {
                column: (before.get(column), state.get(column))
                for column in columns
                if before.get(column) != state.get(column)
            }
        elif not note:
            note = broken or "the version before it is not known"
        last[item] = (state, note if not state else "")
        found.append(_version(shape, row, action or "updated", changed, note, shown))
        until = row.get(shape.until) if shape.until else None
        if isinstance(until, int) and (item, until) not in begun:
            found.append(_ended(shape, row, until))
    return found


def _ended(shape: AuditShape, row: AuditRow, until: int) -> Version:
    """The end of a period that no version follows here: the row was deleted, or what followed
    was not read."""
    ended = {**row, shape.at: until, shape.place: f"{_text(row.get(shape.item_id))}@{until}-end"}
    note = "deleted, or its next version was not read"
    return _version(shape, ended, "superseded", {}, note, may_show)


def _state(shape: AuditShape, row: AuditRow) -> tuple[dict[str, JsonValue], str]:
    if shape.tool is not Tool.REVERSION:
        own = {shape.at, shape.until, shape.place, shape.item_id, *shape.actor, *shape.own}
        state: dict[str, JsonValue] = {
            name: value
            for name, value in row.items()
            if name not in own and not name.startswith("\0")
        }
        return state, ""
    document, note = opened(row.get(shape.payload[0]), shape.payload[0])
    first = document[0] if isinstance(document, list) and document else None
    fields = first.get("fields") if isinstance(first, dict) else None
    if isinstance(fields, dict):
        return fields, ""
    return {}, note or f"{shape.payload[0]}: not as django-reversion writes it"


def _version(
    shape: AuditShape,
    row: AuditRow,
    action: str,
    changed: Mapping[str, Change],
    note: str,
    shown: Shown,
) -> Version:
    at, kind = row.get(shape.at), _kind(shape, row)
    numbered = row.get(_NUMBER) if shape.tool is Tool.LOGIDZE else row.get(shape.number)
    actors = (_text(row.get(column)) for column in (_ACTOR, *shape.actor))
    return Version(
        tool=shape.tool,
        item_type=kind,
        item_id=_text(row.get(shape.item_id)),
        action=action,
        at=at if isinstance(at, int) else 0,
        place=_text(row.get(shape.place)) or f"{_text(row.get(shape.item_id))}@{at}",
        actor=next((actor for actor in actors if actor), ""),
        actor_type=_text(row.get(shape.actor_type)) if shape.actor_type else "",
        txid=_text(row.get(shape.txid)) if shape.txid else "",
        request=_text(row.get(shape.request)) if shape.request else "",
        changed={
            clean(column): (
                _told(before, shown(kind, column)),
                _told(after, shown(kind, column)),
            )
            for column, (before, after) in changed.items()
            if column not in BOOKKEEPING and before != after
        },
        note=note,
        number=number_of(numbered),
        lock_version=changed.get(LOCK_VERSION, (None, None)),
    )


_ACTOR, _NUMBER = "\0actor", "\0number"
"""Keys of what stands inside a payload; no column has such a name."""


def number_of(value: JsonValue) -> int | None:
    """A counter, which a driver may give as text."""
    if isinstance(value, bool) or not isinstance(value, int | str):
        return None
    text = str(value)
    return int(text) if text.isascii() and text.isdigit() and len(text) < 19 else None


def _told(value: JsonValue, shown: bool) -> JsonValue:
    if value is None or isinstance(value, bool):
        return value
    if not shown:
        return HIDDEN
    if isinstance(value, int | float):
        return value
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return clean(text[:VALUE_LENGTH])


def _kind(shape: AuditShape, row: AuditRow) -> str:
    """What the item is; django-reversion says it inside the document (`shop.order`)."""
    if shape.tool is Tool.REVERSION:
        document, _ = opened(row.get(shape.payload[0]), shape.payload[0])
        first = document[0] if isinstance(document, list) and document else None
        return _text(first.get("model")) if isinstance(first, dict) else ""
    return _text(row.get(shape.item_type)) if shape.item_type else ""


def _action(row: AuditRow, shape: AuditShape) -> str:
    word = _text(row.get(shape.action)) if shape.action else ""
    return ACTIONS.get(word.lower(), word)


def _item(shape: AuditShape, row: AuditRow) -> str:
    kind = _text(row.get(shape.item_type)) if shape.item_type else ""
    return f"{kind}/{_text(row.get(shape.item_id))}"


def _order(shape: AuditShape, row: AuditRow) -> tuple[int, int, str]:
    at, place = row.get(shape.at), _text(row.get(shape.place))
    number = int(place) if place.isascii() and place.isdigit() and len(place) < 20 else 0
    return (at if isinstance(at, int) else 0, number, place)


def _text(value: JsonValue) -> str:
    return "" if value is None else clean(str(value))
