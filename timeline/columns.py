"""The columns every event is stored in, and the way between columns and `Event` objects.

One schema for memory and for the Parquet files of a bundle. Log files leave `attributes` and
`ref` null and fill `file`, `offset`, `length` instead: they can be read again.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TypeAlias

import polars as pl

from timeline.event import Event, Kind, Lane, Meaning, Precision

Scalar: TypeAlias = str | int | float | bool | None

LANE = pl.Enum([lane.value for lane in Lane])
KIND = pl.Enum([kind.value for kind in Kind])
MEANING = pl.Enum([meaning.value for meaning in Meaning])
PRECISION = pl.Enum([precision.value for precision in Precision])

EVENT_SCHEMA: dict[str, pl.DataType | type[pl.DataType]] = {
    "timestamp": pl.Int64,  # ns UTC, exactly as recorded
    "meaning": MEANING,
    "precision": PRECISION,
    "clock": pl.Categorical,  # empty: the source's own clock
    "source": pl.Categorical,
    "lane": LANE,
    "kind": KIND,
    "severity_number": pl.UInt8,  # OpenTelemetry, 0 when unspecified
    "actor": pl.Categorical,
    "body": pl.String,  # cleaned; further lines of one event follow after U+240A
    "attributes": pl.String,  # JSON object text, or null
    "ref": pl.String,  # null for log files, see `reference`
    "file": pl.Categorical,
    "offset": pl.UInt64,  # byte offset of the event's first byte in `file`
    "length": pl.UInt32,  # bytes, continuation lines included
    "seq": pl.UInt64,
}

KEY_SCHEMA: dict[str, pl.DataType | type[pl.DataType]] = {"row": pl.UInt32, "key": pl.String}
"""One line per (event, key); `row` counts events of the frame the keys belong to."""

UNDATED_SCHEMA: dict[str, pl.DataType | type[pl.DataType]] = {
    "source": pl.Categorical,
    "reason": pl.String,
    "body": pl.String,
    "ref": pl.String,
}
"""Records that carry no usable time. They never get one: they are counted and listed."""

COUNT_SCHEMA: dict[str, pl.DataType | type[pl.DataType]] = {
    "source": pl.Categorical,
    "lane": LANE,
    "start": pl.Int64,  # ns UTC, the bar's first instant
    "width": pl.Int64,  # ns; the bar is [start, start + width)
    "severity_number": pl.UInt8,  # 0 where the records carry no level that can be counted
    "actor": pl.Categorical,  # empty where the records were not told apart by who wrote them
    "count": pl.Int64,
    "exact": pl.Boolean,  # False where the engine itself says that it may be off
}
"""How many records a stretch holds, as the engine that keeps them counts: those that travelled and
those that did not. Bars of one source do not overlap, and every record stands in one row. A bar
that holds nothing is said by a row with count 0."""


def reference(record: dict[str, Scalar]) -> str:
    """Where the record is kept: its `ref`, or `file@byte` for a line of a log file."""
    if record["ref"] is not None:
        return str(record["ref"])
    return f"{record['file']}@{record['offset']}"


def event_from(record: dict[str, Scalar], keys: Sequence[str] = ()) -> Event:
    """Build one `Event` from one named row of an EVENT_SCHEMA frame."""
    attributes = record["attributes"]
    return Event(
        timestamp=_integer(record["timestamp"]),
        source=str(record["source"]),
        lane=Lane(str(record["lane"])),
        kind=Kind(str(record["kind"])),
        body=str(record["body"]),
        ref=reference(record),
        seq=_integer(record["seq"]),
        severity_number=_integer(record["severity_number"]),
        actor=str(record["actor"] or ""),
        clock=str(record["clock"] or ""),
        meaning=Meaning(str(record["meaning"])),
        precision=Precision(str(record["precision"])),
        keys=tuple(keys),
        attributes=None if attributes is None else str(attributes),
    )


def frame_from(events: Iterable[Event]) -> tuple[pl.DataFrame, pl.DataFrame]:
    """EVENT_SCHEMA and KEY_SCHEMA frames of a few (at most some thousand) `Event` objects."""
    rows = list(events)
    frame = pl.DataFrame(
        {
            "timestamp": [event.timestamp for event in rows],
            "meaning": [event.meaning for event in rows],
            "precision": [event.precision for event in rows],
            "clock": [event.clock for event in rows],
            "source": [event.source for event in rows],
            "lane": [event.lane for event in rows],
            "kind": [event.kind for event in rows],
            "severity_number": [event.severity_number for event in rows],
            "actor": [event.actor for event in rows],
            "body": [event.body for event in rows],
            "attributes": [event.attributes for event in rows],
            "ref": [event.ref for event in rows],
            "file": [None] * len(rows),
            "offset": [None] * len(rows),
            "length": [None] * len(rows),
            "seq": [event.seq for event in rows],
        },
        schema=EVENT_SCHEMA,
    )
    pairs = [(index, key) for index, event in enumerate(rows) for key in event.keys]
    keys = pl.DataFrame(pairs, schema=KEY_SCHEMA, orient="row")
    return frame, keys


def _integer(value: Scalar) -> int:
    if not isinstance(value, int):
        raise TypeError(f"a whole number was expected here, not {value!r}")
    return value
