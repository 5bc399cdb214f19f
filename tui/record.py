"""One event in full: its stamp and what that stamp means, where it is kept, body and attributes.

Pure drawing, used below every proof. Shows what is stored, cut only where a terminal must.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from timeline.clean import LINE_BREAK
from timeline.clock import FOREVER_NS
from timeline.event import Event, Kind, Meaning, severity_name
from timeline.words import LANE_WORDS, day, signed_distance, wall_time
from tui.pieces import Line, Piece, paragraph

if TYPE_CHECKING:
    from timeline.clock import ClockTable
    from timeline.incident import Incident
    from timeline.row_history import Change, RowHistory, Version

MOST_LINES = 400
"""Lines of one body or of one record's attributes that are drawn; the rest is counted."""
NAME_CELLS = 12

MEANING_WORDS: dict[Meaning, str] = {
    Meaning.OCCURRED: "written as it happened",
    Meaning.INGESTED: "given on arrival: it happened no later than this",
    Meaning.TRANSACTION_START: "start of the writing transaction: visible only after its commit",
    Meaning.COMMITTED: "the commit, as the database server recorded it",
    Meaning.SENT: "the sender's clock just before the message left",
    Meaning.POLLED: "seen by a poll: it happened no later than this",
    Meaning.DERIVED: "computed from another stored value",
}


def record_lines(event: Event, pin: int, clocks: ClockTable, width: int) -> list[Line]:
    """The record as lines of at most `width` cells."""
    stamp = f"{day(event.timestamp)} {wall_time(event.timestamp, event.precision)} UTC"
    distance = signed_distance(event.timestamp - pin, event.precision)
    facts = [
        ("stamp", f"{stamp}, {distance} from T; {MEANING_WORDS[event.meaning]}"),
        ("lies in", interval_words(event, clocks)),
        ("source", f"{event.source} ({LANE_WORDS[event.lane]})"),
        ("kind", event.kind.value if event.kind is not Kind.LOG else ""),
        ("kept at", event.ref),
        ("actor", event.actor),
        ("severity", _severity(event)),
        ("keys", "  ".join(event.keys)),
        ("evidence", event.id),
    ]
    lines: list[Line] = []
    for name, value in facts:
        if value:
            lines.extend(paragraph(value, width, first=f"  {name:<{NAME_CELLS}}"))
    return [*lines, [], *_body_lines(event, width), *_attribute_lines(event, width)]


def interval_words(event: Event, clocks: ClockTable) -> str:
    """`02:07:29.105 to 02:07:29.130 (clock web +-12 ms measured)`, open ends said in words."""
    earliest, latest = clocks.interval(event)
    clock = event.clock or event.source
    begin = "any time before" if earliest <= 0 else wall_time(earliest)
    end = "any time after" if latest >= FOREVER_NS else wall_time(latest)
    return f"{begin} to {end} (clock {clock} {clocks.bound(clock).words()})"


def history_lines(incident: Incident | None, event: Event, width: int) -> list[Line]:
    """All known versions of the database row that `event` is about; nothing for other events."""
    if incident is None or not event.kind.value.startswith("row."):
        return []
    from timeline.row_history import history_of  # whoever made the snapshot has loaded its library

    history = history_of(incident, event)
    return [] if history is None else _history(history, event, width)


def _history(history: RowHistory, here: Event, width: int) -> list[Line]:
    name = history.record.partition(":")[2]
    lines: list[Line] = [[], [(f"  what is known of {name}, oldest first", "info")]]
    if history.more:
        lines.append([(f"    {history.more} older ones are left out", "dim")])
    for version in history.versions:
        lines += _version(version, here, width)
    return [*lines, *paragraph(history.sentence, width, "warning", first="    ")]


def _version(version: Version, here: Event, width: int) -> list[Line]:
    """When, what, who and in which transaction, then only the columns that changed."""
    event = version.event
    stamp = f"{day(event.timestamp)} {wall_time(event.timestamp, event.precision)}"
    who = version.actor or "nobody recorded"
    by = f"by {who}" + (f", transaction {version.transaction}" if version.transaction else "")
    by += f", request {version.request}" if version.request else ""
    head = f"{stamp}  {version.action}  {by}" + ("  (this record)" if event == here else "")
    lines = paragraph(
        head, width, "strong" if event == here else "text", first="    ", rest=" " * 6
    )
    for change in version.changes:
        lines += paragraph(_change(change), width, first=f"      {change.column}  ", rest=" " * 8)
    if version.note:
        lines += paragraph(version.note, width, "dim", first="      ")
    return lines


def _change(change: Change) -> str:
    if change.hidden:
        return "changed; its values are not shown"
    return f"{_value(change.old)} \u2192 {_value(change.new)}"


def _value(value: str | None) -> str:
    return "(none)" if value is None else value or '""'


def _severity(event: Event) -> str:
    if not event.severity_number:
        return ""
    return f"{severity_name(event.severity_number)} ({event.severity_number})"


def _body_lines(event: Event, width: int) -> list[Line]:
    parts = event.body.split(LINE_BREAK)
    lines: list[Line] = []
    for part in parts[:MOST_LINES]:
        lines.extend(paragraph(part, width, first="  "))
    if len(parts) > MOST_LINES:
        lines.append([(f"  and {len(parts) - MOST_LINES} more lines, see {event.ref}", "dim")])
    return lines


def _attribute_lines(event: Event, width: int) -> list[Line]:
    if event.attributes is None:
        return []
    try:
        value = json.loads(event.attributes)
    except ValueError:
        return [[], *paragraph(event.attributes, width, first="  ")]
    lines: list[Line] = [[], [("  attributes", "dim")]]
    for name, text in _flat(value):
        lead: Piece = (f"    {name}  ", "dim")
        found = paragraph(text, width, first=lead[0], rest="      ")
        lines.extend(found)
        if len(lines) > MOST_LINES:
            lines.append([(f"    and more, see {event.ref}", "dim")])
            break
    return lines


def _flat(value: object, name: str = "") -> list[tuple[str, str]]:
    """Nested objects as dotted names, lists as their JSON text."""
    if isinstance(value, dict) and value:
        return [
            pair
            for key, item in value.items()
            for pair in _flat(item, f"{name}.{key}" if name else str(key))
        ]
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return [(name, text)]
