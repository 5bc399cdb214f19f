"""Timeline events of a GitLab incident, as its API gives them: GraphQL's answer or a bare list.

Understands `occurredAt` and `note` wherever they stand in the JSON
(`IncidentManagementTimelineEvent` of GitLab's GraphQL reference). `occurredAt` carries its zone;
GitLab's form and its quick action hold whole minutes, so that a stamp of second zero claims no
more than that. The reader of `/timeline` lines is `connectors.notes.written`.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path

from connectors.logs.jsonshape import JsonValue
from connectors.logs.stamps import Stamp
from connectors.logs.zones import ZoneRule
from connectors.notes.reading import MOST_LINES, Reading, Written
from connectors.notes.written import Moment, Note
from connectors.written_times import read_written
from timeline.event import Precision
from timeline.problems import Misconfigured
from timeline.window import MINUTE_NS

MOST_BYTES = 16 * 1024 * 1024
MOST_LEVELS = 12
"""Of nesting that is walked in search of events; GraphQL's answer has five."""


def read_events(path: Path, name: str, reading: Reading) -> None:
    """Add the events of one file. Raises `Misconfigured` when it holds no JSON."""
    try:
        with path.open("rb") as file:
            raw = file.read(MOST_BYTES + 1)
        value: JsonValue = json.loads(raw[:MOST_BYTES])
    except json.JSONDecodeError as error:
        larger = f"; only its first {MOST_BYTES // 2**20} MB are read" * (len(raw) > MOST_BYTES)
        raise Misconfigured(
            f"No JSON in line {error.lineno}, column {error.colno}: {error.msg}{larger}",
            where=str(path),
            remedy="Save the answer of GitLab's API again.",
        ) from None
    except (ValueError, RecursionError, OSError) as error:
        raise Misconfigured(
            f"The events cannot be read ({type(error).__name__})", where=str(path)
        ) from None
    reading.files += 1
    reading.bytes_read += len(raw)
    for number, record in enumerate(_events(value, MOST_LEVELS), 1):
        _add(record, name, number, reading)


def _events(value: JsonValue, levels: int) -> Iterator[Mapping[str, JsonValue]]:
    if levels < 0:
        return
    if isinstance(value, dict):
        if _text(value, "occurredAt", "occurred_at") and _text(value, "note", "noteHtml"):
            yield value
            return
        value = list(value.values())
    if isinstance(value, list):
        for one in value:
            yield from _events(one, levels - 1)


def _add(record: Mapping[str, JsonValue], name: str, number: int, reading: Reading) -> None:
    text, written = _text(record, "note"), _text(record, "occurredAt", "occurred_at")
    lines = [line for line in text.splitlines() if line.strip()] or [text]
    author = record.get("author")
    who = _text(author, "name", "username") if isinstance(author, dict) else ""
    stamp = _stamp(written)
    besides = {"tool": "gitlab", "tags": _tags(record), "id": _text(record, "id")}
    told = {name: value for name, value in besides.items() if value}
    note = Note("", "", "", lines[0], who, whole=written, told=told)
    one = Written(name, number, note, Moment(stamp), tuple(lines[1 : MOST_LINES + 1]))
    if stamp.ns is None:
        reading.reasons[stamp.reason] += 1
        reading.undated.append(one)
    else:
        reading.notes.append(one)


def _stamp(written: str) -> Stamp:
    """`2026-03-14T02:07:00Z` was entered to the minute."""
    stamp = read_written(written, ZoneRule.named(""))
    if stamp.ns is None or stamp.ns % MINUTE_NS:
        return stamp
    return Stamp(stamp.ns, Precision.MINUTE, zone_assumed=stamp.zone_assumed)


def _tags(record: Mapping[str, JsonValue]) -> str:
    """`Start time`, `Impact detected` and the like, which GitLab keeps beside the text."""
    held = record.get("timelineEventTags") or record.get("timeline_event_tags")
    nodes = held.get("nodes") if isinstance(held, dict) else held
    named = [_text(tag, "name") for tag in nodes if isinstance(tag, dict)] if isinstance(
        nodes, list
    ) else []  # fmt: skip
    return ", ".join(name for name in named if name)


def _text(record: Mapping[str, JsonValue], *names: str) -> str:
    for name in names:
        value = record.get(name)
        if isinstance(value, str) and value.strip():
            return value.strip()
    return ""
