"""Read the same bytes by both readers, line by line and column by column, and compare."""

from __future__ import annotations

from pathlib import Path

from connectors.logs.chunk import Reading, read_chunk
from connectors.logs.dialect import Dialect
from connectors.logs.locate import text_of
from connectors.logs.record import Place, event_of, records_in
from timeline.batch import Batch
from timeline.event import Event
from timeline.keys import KeyRules
from timeline.store import Store

PLACE = Place("logs", "/var/log/app.log", 0, "", "app")
EVER = (-(2**63), 2**63 - 1)


def by_lines(raw: bytes, dialect: Dialect) -> list[Event]:
    """Events of the dated records as the preview reads them, in the order of the file."""
    lines, offset = [], 0
    for line in raw.removesuffix(b"\n").split(b"\n"):
        lines.append((offset, text_of(line)))
        offset += len(line) + 1
    return [
        event_of(record, stamp, PLACE, KeyRules(), dialect)
        for record in records_in(lines, dialect)
        if (stamp := record.line.stamp.ns) is not None
    ]


def by_columns(raw: bytes, dialect: Dialect) -> list[Event]:
    """The same records as the full load reads them."""
    chunk = read_chunk(raw, 0, Reading(PLACE, dialect, KeyRules(), *EVER))
    assert chunk.tally.bytes_read == len(raw)
    told = chunk.tally.event_bytes + chunk.tally.undated_bytes + chunk.tally.orphan_bytes
    assert told == len(raw), "every byte belongs to one record"
    store = Store()
    store.add(Batch("logs", chunk.events, chunk.keys))
    snapshot = store.snapshot()
    return sorted(snapshot.in_order(0, len(snapshot)), key=lambda event: event.seq)


def agreed(raw: bytes, dialect: Dialect) -> list[Event]:
    """The events, which both readers must tell alike."""
    events = by_columns(raw, dialect)
    assert by_lines(raw, dialect) == events
    return events


def bodies_at(path: Path, events: list[Event]) -> list[bytes]:
    """The bytes that stand where each event's reference points."""
    raw = path.read_bytes()
    return [raw[int(event.ref.rpartition("@")[2]) :][:60] for event in events]
