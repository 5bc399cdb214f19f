"""One event of CloudWatch Logs into one of ours, and a page of them into a batch.

The stamp is the one the sender gave (ms); each log stream is one sender and so one clock. Text is
read by the dialect of its group, JSON by the usual names of its fields.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from connectors.answers import at, text, whole
from connectors.logs.dialect import Dialect, decide
from connectors.logs.jsonshape import (
    HOST_FIELDS,
    LEVEL_FIELDS,
    LOGGER_FIELDS,
    MESSAGE_FIELDS,
    SERVICE_FIELDS,
    JsonShape,
    JsonValue,
    Path,
    decode,
    error_texts,
)
from connectors.logs.levels import severity_of
from connectors.logs.record import CUT_MARK, body_of
from connectors.logs.zones import ZoneRule
from timeline.clean import clean
from timeline.event import Event, Kind, Lane, Precision, intrinsic_seq
from timeline.keys import KeyRules

if TYPE_CHECKING:
    import polars as pl

MILLISECOND_NS = 1_000_000
LATEST_MS = 2**63 // MILLISECOND_NS
VALUE_CHARACTERS = 2_000
"""Longest text of one attribute; the rest stays in the group and the cut is marked."""
MOST_ATTRIBUTES = 200
EMPTY = "(an empty message)"


def _paths(names: Iterable[str]) -> tuple[Path, ...]:
    return tuple(path for name in names for path in dict.fromkeys([(name,), (*name.split("."),)]))


ANY_SHAPE = JsonShape(
    time=(),
    stamps=(),
    level=_paths(LEVEL_FIELDS),
    message=_paths(MESSAGE_FIELDS),
    service=_paths(SERVICE_FIELDS),
    host=_paths(HOST_FIELDS),
    logger=_paths(LOGGER_FIELDS),
)
"""The time is CloudWatch's to tell, so a line needs no time of its own to be read."""


@dataclass(frozen=True, slots=True)
class Record:
    """One event as FilterLogEvents tells it. Times are ns UTC; `ingested` is 0 when not told."""

    group: str
    stream: str
    id: str
    message: str
    timestamp: int
    ingested: int = 0


@dataclass(frozen=True, slots=True)
class Said:
    """What a message says, read."""

    body: str
    severity_number: int = 0
    service: str = ""
    host: str = ""
    fields: Mapping[str, JsonValue] | None = None


def records_in(answer: JsonValue, group: str) -> list[Record]:
    """The events of an answer that carry a time, in their order."""
    found = []
    events = at(answer, "events")
    for event in events if isinstance(events, list) else []:
        stamp = whole(at(event, "timestamp"))
        if 0 < stamp < LATEST_MS:
            ingested = whole(at(event, "ingestionTime"))
            found.append(
                Record(
                    group,
                    text(at(event, "logStreamName")),
                    text(at(event, "eventId")),
                    text(at(event, "message")),
                    stamp * MILLISECOND_NS,
                    max(ingested, 0) * MILLISECOND_NS if ingested < LATEST_MS else 0,
                )
            )
    return found


def dialect_of(records: Sequence[Record], now: int) -> Dialect:
    """How the text lines of a group are written, from a sample."""
    lines = [record.message.partition("\n")[0] for record in records]
    return decide(lines, ZoneRule(), now // 1_000_000_000)


def event_of(record: Record, source: str, dialect: Dialect) -> Event:
    """The event of a record, without the keys of its text."""
    said = _read(record.message, dialect)
    group, stream = clean(record.group), clean(record.stream)
    ref = f"{group}/{stream}/{clean(record.id)}"
    attributes: dict[str, JsonValue] = dict(said.fields or {})
    attributes |= {"log_group": group, "log_stream": stream}
    if record.ingested:
        attributes["ingested_ms_later"] = (record.ingested - record.timestamp) // MILLISECOND_NS
    return Event(
        timestamp=record.timestamp,
        source=source,
        lane=Lane.LOG,
        kind=Kind.LOG,
        body=said.body or EMPTY,
        ref=ref,
        seq=intrinsic_seq(ref),
        severity_number=said.severity_number,
        actor=said.service or group.rpartition("/")[2] or group,
        clock=said.host or stream,
        precision=Precision.MILLISECOND,
        attributes=json.dumps(attributes, ensure_ascii=False),
    )


def with_keys(events: Iterable[Event], rules: KeyRules) -> list[Event]:
    """A few events with the keys of their texts."""
    return [replace(event, keys=rules.in_text(_told(event))) for event in events]


def columns_of(events: Sequence[Event], rules: KeyRules) -> tuple[pl.DataFrame, pl.DataFrame]:
    """EVENT_SCHEMA and KEY_SCHEMA frames of one page, with the keys of its texts."""
    import polars as pl

    from timeline.columns import frame_from

    frame, _ = frame_from(events)
    return frame, rules.in_column(pl.Series([_told(event) for event in events], dtype=pl.String))


def _told(event: Event) -> str:
    """What keys are looked for in: all that the record says, as it is shown."""
    return f"{event.body} {event.attributes}"


def _read(message: str, dialect: Dialect) -> Said:
    lines = [line.removesuffix("\r") for line in message.rstrip("\r\n").split("\n")]
    first, rest = lines[0], lines[1:]
    record = decode(message) if first.startswith("{") else None
    if record is not None:
        told = ANY_SHAPE.read(record)
        main = told.message if told.message is not None else first
        return Said(
            body_of("\n".join([main, *error_texts(record, main)]), ()),
            severity_of(told.level),
            clean(told.service or ""),
            clean(told.host or ""),
            _fields(record),
        )
    line = None if first.startswith("{") else dialect.read(first)
    if line is None:
        return Said(body_of(first, rest))
    return Said(
        body_of(line.message, rest),
        line.severity_number,
        clean(line.service or line.weak_actor),
        clean(line.host),
    )


def _fields(record: Mapping[str, JsonValue]) -> dict[str, JsonValue]:
    """The fields of an object but for its message, cleaned and not endless."""
    shown: dict[str, JsonValue] = {}
    for name, value in list(record.items())[:MOST_ATTRIBUTES]:
        if name in MESSAGE_FIELDS:
            continue
        if isinstance(value, str | dict | list):
            plain = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
            plain = clean(plain)
            long = len(plain) > VALUE_CHARACTERS
            shown[clean(name)] = plain[:VALUE_CHARACTERS] + CUT_MARK if long else plain
        else:
            told = not isinstance(value, float) or math.isfinite(value)
            shown[clean(name)] = value if told else str(value)  # JSON has no word for it
    return shown
