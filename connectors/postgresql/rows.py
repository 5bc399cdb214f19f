"""What PostgreSQL tells of a row beyond `connectors.sql.rows`: who wrote it, and its commit.

A creation stamp is the start of the writing transaction (or the application's clock before it),
never the instant at which the row became visible; only a recorded commit time is that
(PostgreSQL 15 manual: `now()` is the transaction's start; `track_commit_timestamp`).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from connectors.postgresql.statements import iso
from connectors.postgresql.tables import Table
from connectors.sql import rows
from connectors.sql.audit_events import FIRST_NORMAL_XID
from connectors.sql.values import Row
from timeline.event import Event, Kind, Meaning, Precision


@dataclass(frozen=True, slots=True)
class WrittenRecord(rows.Record):
    """One row as read, with its writer's transaction id and commit time (µs), where known."""

    xmin: str
    commit: int | None


def record_from(table: Table, row: Row) -> WrittenRecord:
    """Unpack a row of `Statements`' projection (further cells are the caller's)."""
    told = rows.record_from(table, row)
    place = len(table.pk) + len(table.times) + len(table.carried)
    xmin, commit = row[place : place + 2]
    return WrittenRecord(
        told.pk,
        told.times,
        told.undatable,
        told.columns,
        xmin=str(xmin or ""),
        commit=commit if isinstance(commit, int) else None,
    )


class RowEvents(rows.RowEvents):
    """Turns the records of one table into events."""

    def of(self, record: rows.Record, seen_at: int) -> Iterator[Event]:
        """Every event the row tells; `seen_at` (ns UTC) is when we read it."""
        yield from super().of(record, seen_at)
        if isinstance(record, WrittenRecord) and record.commit is not None:
            yield self.event(
                record,
                Kind.TXN_COMMIT,
                f"committed by transaction {record.xmin}",
                f"xmin={record.xmin}",
                record.commit * 1_000,
                Precision.MICROSECOND,
                self.keys(record),
                self.attributes(record, seen_at, {}),
                meaning=Meaning.COMMITTED,
            )

    def keys(self, record: rows.Record) -> tuple[str, ...]:
        """The row's own, what it refers to, and its writer."""
        keys = super().keys(record)
        xmin = record.xmin if isinstance(record, WrittenRecord) else ""
        writer = xmin.isdigit() and int(xmin) >= FIRST_NORMAL_XID
        return (*keys, f"txn:{xmin}") if writer else keys

    def attributes(self, record: rows.Record, seen_at: int, more: dict[str, object]) -> str:
        """The event's further fields as JSON, with the writer and the commit."""
        written: dict[str, object] = {}
        if isinstance(record, WrittenRecord):
            if record.commit is not None:
                written["commit_timestamp"] = iso(record.commit)
            if record.xmin:
                written["xmin"] = record.xmin
        return super().attributes(record, seen_at, {**written, **more})
