"""From one answered row to the events it tells: inserted, updated, marked deleted.

A creation stamp is the start of the writing statement or the application's clock before it, never
the instant at which the row became visible (MySQL 8 manual: NOW() is the statement's start).
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from connectors.sql.stamps import iso
from connectors.sql.tables import ColumnLike, TableLike, clock_of_database, role_of, single_pk
from connectors.sql.values import Cell, Row
from timeline.clean import clean
from timeline.event import Event, Kind, Lane, Meaning, Precision, intrinsic_seq
from timeline.keys import KeyRules

APPLICATION_CLOCK = "application?"
"""Clock of a stamp that some application host wrote; which one, the row does not say."""
SHOWN_COLUMNS = 4
"""Carried values that a body shows; the rest stands in the attributes."""

KINDS = {
    "created": (Kind.ROW_INSERTED, "inserted"),
    "updated": (Kind.ROW_UPDATED, "updated"),
    "deleted": (Kind.ROW_DELETED, "marked deleted"),
    "other": (Kind.ROW_UPDATED, ""),
}


@dataclass(frozen=True, slots=True)
class Record:
    """One row as read. `times` are ns UTC by column; `undatable` are words for the others."""

    pk: str
    times: dict[str, int]
    undatable: dict[str, str]
    columns: dict[str, Cell]


def primary_key(table: TableLike[ColumnLike], row: Row) -> str:
    """The row's primary key as text; the parts of a composite one joined by commas."""
    return clean(",".join(map(str, row[: len(table.pk)])))


def record_from(table: TableLike[ColumnLike], row: Row) -> Record:
    """Unpack a row: key, stamps, carried values (further cells are the caller's)."""
    cells = iter(row[len(table.pk) :])
    times = {column.name: _read(column, next(cells)) for column in table.times}
    columns = {column.name: _shown(column, next(cells)) for column in table.carried}
    return Record(
        pk=primary_key(table, row),
        times={name: value for name, value in times.items() if isinstance(value, int)},
        undatable={name: value for name, value in times.items() if isinstance(value, str)},
        columns=columns,
    )


def _read(column: ColumnLike, raw: Cell) -> int | str | None:
    return column.form.read(raw) if column.form else None


def _shown(column: ColumnLike, raw: Cell) -> Cell:
    if column.form is not None and isinstance(stamp := column.form.read(raw), int):
        return iso(stamp)
    return clean(raw) if isinstance(raw, str) else raw


@dataclass(frozen=True, slots=True)
class RowEvents:
    """Turns the records of one table into events. `endpoint` is `primary`, `replica` or `file`."""

    source: str
    table: TableLike[ColumnLike]
    endpoint: str
    key_rules: KeyRules
    _references: tuple[tuple[str, tuple[str, ...]], ...] = field(init=False, repr=False)
    """Carried columns that point to other rows, with the key types they give."""
    _told: tuple[str, ...] = field(init=False, repr=False)
    """Carried columns that a body may show."""

    def __post_init__(self) -> None:
        own = {column.name for column in self.table.pk}
        others = [column for column in self.table.carried if column.name not in own]
        references = ((c.name, referred_types(c, self.key_rules)) for c in others)
        object.__setattr__(self, "_references", tuple(r for r in references if r[1]))
        object.__setattr__(self, "_told", tuple(c.name for c in others if not c.is_time))

    def of(self, record: Record, seen_at: int) -> Iterator[Event]:
        """Every event the row tells; `seen_at` (ns UTC) is when we read it."""
        attributes = self.attributes(record, seen_at, {})
        keys = self.keys(record)
        previous: int | None = None
        for column in self.table.times:
            stamp = record.times.get(column.name)
            role = role_of(column)
            if stamp is None or column.form is None or (role == "updated" and stamp == previous):
                continue  # frameworks write both stamps on insert
            previous = stamp if role == "created" else previous
            kind, verb = KINDS[role]
            yield self.event(
                record,
                kind,
                f"{verb or column.name}{self.summary(record)}",
                column.name,
                stamp,
                column.form.precision,
                keys,
                attributes,
                clock="" if clock_of_database(self.table, column) else APPLICATION_CLOCK,
            )

    def undated(self, record: Record) -> Iterator[tuple[str, str, str]]:
        """(reason, body, ref) of every stamp that has no place on the timeline."""
        row = f"{self.table.label}/{record.pk}"
        for column, words in record.undatable.items():
            yield f"{column}: {words}", row, f"{row}#{column}"

    def keys(self, record: Record) -> tuple[str, ...]:
        """`row:users/4711`, `user:4711`, the public id, and what the row refers to."""
        row_key, _ = self.key_rules.row_keys(self.table.label, record.pk)
        keys = [row_key, f"{self.table.key_type}:{record.pk}"]
        public = self.table.public_id
        if public is not None and (value := record.columns.get(public.name)) is not None:
            keys.append(f"{self.table.key_type}:{value}")
        for column, types in self._references:
            if (value := record.columns.get(column)) is not None:
                keys += [f"{name}:{value}" for name in types]
        return tuple(dict.fromkeys(keys))

    def attributes(self, record: Record, seen_at: int, more: dict[str, object]) -> str:
        """The event's further fields as JSON: present values, and `more`."""
        key = single_pk(self.table)
        whole = (
            key is not None and key.is_integer and record.pk.removeprefix("-").isdigit()
        )  # SQLite lets a text be there
        content: dict[str, object] = {
            "table": self.table.label,
            "pk": int(record.pk) if whole else record.pk,
            "columns": record.columns,
            **more,
            "endpoint": self.endpoint,
            "seen_at": iso(seen_at),
        }
        return json.dumps(content, ensure_ascii=False)

    def summary(self, record: Record, word: str = "now ") -> str:
        """` (now status=pending, plan_id=3)`: the first few carried values that are not times.

        Present values, whatever the event: an insertion is not shown with what it inserted.
        """
        shown = [
            f"{column}={value}"
            for column in self._told
            if (value := record.columns.get(column)) is not None
        ]
        return f" ({word}{', '.join(shown[:SHOWN_COLUMNS])})" if shown else ""

    def event(
        self,
        record: Record,
        kind: Kind,
        words: str,
        place: str,
        timestamp: int,
        precision: Precision,
        keys: Sequence[str],
        attributes: str,
        *,
        clock: str = "",
        meaning: Meaning = Meaning.TRANSACTION_START,
    ) -> Event:
        """One event of the row; `place` tells it from the row's others."""
        row = f"{self.table.label}/{record.pk}"
        return Event(
            timestamp=timestamp,
            source=self.source,
            lane=Lane.DATABASE,
            kind=kind,
            body=f"{row} {words}",
            ref=f"{row}#{place}",
            seq=_sequence(row, record.pk),
            actor=self.table.label,
            clock=clock,
            meaning=meaning,
            precision=precision,
            keys=tuple(keys),
            attributes=attributes,
        )


def referred_types(column: ColumnLike, key_rules: KeyRules) -> tuple[str, ...]:
    """Key types of what `column` names: by foreign key, by the name `user_id`, or as configured."""
    names = []
    if column.references:
        names.append(key_rules.row_keys(column.references, "")[1].removesuffix(":"))
    if column.name.endswith("_id") and len(column.name) > len("_id"):
        names.append(column.name.removesuffix("_id").lower())
    names += [known.name for known in key_rules.types if column.name in known.fields]
    return tuple(dict.fromkeys(names))


def _sequence(row: str, pk: str) -> int:
    """The integer key itself, else a digest of the row's name."""
    return int(pk) if pk.isascii() and pk.isdigit() and len(pk) < 19 else intrinsic_seq(row)
