"""From one answered row to the events it tells: inserted, updated, deleted, committed.

A creation stamp is the start of the writing transaction (or the application's clock before it),
never the instant at which the row became visible; only a recorded commit time is that
(PostgreSQL 15 manual: `now()` is the transaction's start; `track_commit_timestamp`).
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field

from connectors.postgresql.session import Cell, Row
from connectors.postgresql.statements import iso
from connectors.postgresql.tables import Column, Server, Table
from timeline.event import Event, Kind, Lane, Meaning, Precision, intrinsic_seq
from timeline.keys import KeyRules

APPLICATION_CLOCK = "application?"
"""Clock of a stamp that some application host wrote; which one, the row does not say."""
FIRST_NORMAL_XID = 3
"""Smaller transaction ids are the bootstrap and frozen markers (access/transam.h)."""
SHOWN_COLUMNS = 4
LARGEST_NS = 2**63 - 1
"""Stamps before 1970 or after the year 2262 get no place on the timeline; they are listed."""

KINDS = {
    "created": (Kind.ROW_INSERTED, "inserted"),
    "updated": (Kind.ROW_UPDATED, "updated"),
    "deleted": (Kind.ROW_DELETED, "marked deleted"),
    "other": (Kind.ROW_UPDATED, ""),
}


@dataclass(frozen=True, slots=True)
class Record:
    """One row as read. `times` are microseconds since the epoch by column name.

    `undatable` holds the stamps that nanoseconds cannot express, as they read.
    """

    pk: str
    times: dict[str, int]
    undatable: dict[str, str]
    columns: dict[str, Cell]
    xmin: str
    commit: int | None


def primary_key(table: Table, row: Row) -> str:
    """The row's primary key as text; the parts of a composite one joined by commas."""
    return ",".join(map(str, row[: len(table.pk)]))


def record_from(table: Table, row: Row) -> Record:
    """Unpack a row of `Statements`' projection (further cells are the caller's)."""
    pk = primary_key(table, row)
    cells = iter(row[len(table.pk) :])
    times = {column.name: next(cells) for column in table.times}
    columns = {column.name: next(cells) for column in table.carried}
    xmin, commit = next(cells), next(cells)
    stamps = {name: value for name, value in times.items() if isinstance(value, int)}
    return Record(
        pk=pk,
        times={n: v for n, v in stamps.items() if 0 <= v * 1_000 <= LARGEST_NS},
        undatable={n: iso(v) for n, v in stamps.items() if not 0 <= v * 1_000 <= LARGEST_NS},
        columns={c.name: _shown(c, columns[c.name]) for c in table.carried},
        xmin=str(xmin or ""),
        commit=commit if isinstance(commit, int) else None,
    )


def _shown(column: Column, value: Cell) -> Cell:
    return iso(value) if column.is_time and isinstance(value, int) else value


@dataclass(frozen=True, slots=True)
class RowEvents:
    """Turns the records of one table into events."""

    source: str
    table: Table
    server: Server
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
        attributes = self._attributes(record, seen_at)
        keys = self.keys(record)
        previous: int | None = None
        for column in self.table.times:
            stamp = record.times.get(column.name)
            role = self.table.role_of(column)
            if stamp is None or (role == "updated" and stamp == previous):
                continue  # frameworks write both stamps on insert
            previous = stamp if role == "created" else previous
            kind, verb = KINDS[role]
            yield self._event(
                record,
                kind,
                f"{verb or column.name}{self._summary(record)}",
                column.name,
                stamp * 1_000,
                Meaning.TRANSACTION_START,
                column.precision,
                "" if self.table.database_clock(column) else APPLICATION_CLOCK,
                keys,
                attributes,
            )
        if record.commit is not None:
            yield self._event(
                record,
                Kind.TXN_COMMIT,
                f"committed by transaction {record.xmin}",
                f"xmin={record.xmin}",
                record.commit * 1_000,
                Meaning.COMMITTED,
                Precision.MICROSECOND,
                "",
                keys,
                attributes,
            )

    def undated(self, record: Record) -> Iterator[tuple[str, str, str]]:
        """(reason, body, ref) of every stamp that has no place on the timeline."""
        row = f"{self.table.label}/{record.pk}"
        for column, stamp in record.undatable.items():
            yield f"{column} is out of range: {stamp}", row, f"{row}#{column}"

    def keys(self, record: Record) -> tuple[str, ...]:
        """`row:users/4711`, `user:4711`, the public id, what the row refers to, its writer."""
        row_key, _ = self.key_rules.row_keys(self.table.label, record.pk)
        keys = [row_key, f"{self.table.key_type}:{record.pk}"]
        if self.table.public_id is not None:
            keys.append(f"{self.table.key_type}:{record.columns.get(self.table.public_id.name)}")
        for column, types in self._references:
            if (value := record.columns.get(column)) is not None:
                keys += [f"{name}:{value}" for name in types]
        if record.xmin.isdigit() and int(record.xmin) >= FIRST_NORMAL_XID:
            keys.append(f"txn:{record.xmin}")
        return tuple(dict.fromkeys(keys))

    def _attributes(self, record: Record, seen_at: int) -> str:
        whole = self.table.single_pk is not None and self.table.pk[0].is_integer
        content: dict[str, object] = {
            "table": self.table.label,
            "pk": int(record.pk) if whole else record.pk,
            "columns": record.columns,
        }
        if record.commit is not None:
            content["commit_timestamp"] = iso(record.commit)
        if record.xmin:
            content["xmin"] = record.xmin
        content["endpoint"] = self.server.endpoint
        content["seen_at"] = iso(seen_at // 1_000)
        return json.dumps(content, ensure_ascii=False)

    def _summary(self, record: Record) -> str:
        """` (now status=pending, plan_id=3)`: the first few carried values that are not times.

        Present values, whatever the event: an insertion is not shown with what it inserted.
        """
        shown = [
            f"{column}={value}"
            for column in self._told
            if (value := record.columns.get(column)) is not None
        ]
        return f" (now {', '.join(shown[:SHOWN_COLUMNS])})" if shown else ""

    def _event(
        self,
        record: Record,
        kind: Kind,
        words: str,
        place: str,
        timestamp: int,
        meaning: Meaning,
        precision: Precision,
        clock: str,
        keys: tuple[str, ...],
        attributes: str,
    ) -> Event:
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
            keys=keys,
            attributes=attributes,
        )


def referred_types(column: Column, key_rules: KeyRules) -> tuple[str, ...]:
    """Key types of the rows `column` points to: by foreign key, and by the name `user_id`."""
    names = []
    if column.references:
        names.append(key_rules.row_keys(column.references, "")[1].removesuffix(":"))
    if column.name.endswith("_id") and len(column.name) > len("_id"):
        names.append(column.name.removesuffix("_id").lower())
    return tuple(dict.fromkeys(names))


def _sequence(row: str, pk: str) -> int:
    """The integer key itself, else a digest of the row's name."""
    return int(pk) if pk.isascii() and pk.isdigit() and len(pk) < 19 else intrinsic_seq(row)
