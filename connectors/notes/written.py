"""One note as a person writes it: the time in front, who, and what.

Understands a line of text, of a Markdown list or table, and an object of JSON lines. Owns what is
known of the day: a time of day alone takes it from the heading above or from the file's name, and
is never given one otherwise. Standard library only.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date, timedelta

from connectors.logs.jsonshape import JsonValue
from connectors.logs.stamps import Stamp
from connectors.logs.zones import ZoneRule
from connectors.written_times import read_written
from timeline.event import Precision

NO_DAY = "a time of day without a day: no heading above and no file name tells one"
_DAY = re.compile(r"(?<![0-9])([0-9]{4})[-_/.]?([0-9]{2})[-_/.]?([0-9]{2})(?![0-9])")
_LEAD = (
    r"^(?:\s*(?:[-*+•]|[0-9]{1,3}[.)])\s+|\s{0,3}\|\s*|\s{0,3})"  # a list, a table, plain text
    r"(?:\[[ xX]\]\s+)?[*_`\[(]{0,3}"
)
"""Deeper plain text belongs to the note above, as in Markdown."""
_ZONE = r"(?P<zone>\s?(?:Z|UTC|GMT|[+-][0-9]{2}:?[0-9]{2})\b)?"
_FULL = (
    r"(?P<day>[0-9]{4}-[0-9]{2}-[0-9]{2})[T ]"
    r"(?P<clock>[0-9]{1,2}:[0-9]{2}(?::[0-9]{2}(?:[.,][0-9]{1,9})?)?)" + _ZONE
)
_CLOCK = (
    r"(?P<clock>[0-9]{1,2}:[0-9]{2}(?::[0-9]{2}(?:[.,][0-9]{1,9})?)?)"
    r"(?P<half>\s?[aApP]\.?[mM]\.?)?" + _ZONE
)
_TAIL = r"[*_`\])]{0,3}\s*(?:[|:–—]|-(?=\s))?\s*(?P<rest>.*)$"
_FULL_LINE = re.compile(_LEAD + _FULL + _TAIL)
_CLOCK_LINE = re.compile(_LEAD + _CLOCK + _TAIL)
_WHO = re.compile(r"(?:\[(?P<boxed>[^\]\[]{1,40})\](?!\()|@(?P<named>[\w.-]{1,40}):?)\s*")
_HEADING = re.compile(r"^\s{0,3}#{1,6}\s+(?P<text>.*)$")
_TIME_NAMES = ("time", "timestamp", "at", "ts", "when")
_TEXT_NAMES = ("text", "note", "message", "body", "what", "msg")
_WHO_NAMES = ("who", "author", "by", "user", "name")


@dataclass(frozen=True, slots=True)
class Moment:
    """The stamp of one note, and what had to be understood to read it (empty for nothing)."""

    stamp: Stamp
    how: str = ""


@dataclass(frozen=True, slots=True)
class Note:
    """The written parts of a note. `day` is empty when only a time of day was written."""

    day: str
    clock: str
    zone: str
    text: str
    who: str = ""
    whole: str = ""
    """A time in a form of its own (an epoch), in the place of day, clock and zone."""


def day_in(text: str) -> str:
    """The first date in a heading, a line or a file's name as `2026-03-14`; empty for none."""
    for year, month, day in _DAY.findall(text):
        if "1970" <= year <= "2200" and "01" <= month <= "12" and "01" <= day <= "31":
            return f"{year}-{month}-{day}"
    return ""


def day_after(day: str) -> str:
    """The day after `2026-03-14`, by the calendar; the same text for a day there is not."""
    try:
        return (date.fromisoformat(day) + timedelta(days=1)).isoformat()
    except (ValueError, OverflowError):
        return day


def heading_of(line: str) -> str | None:
    """The text of a heading, or of a line that holds nothing but a date; None for other lines."""
    if match := _HEADING.match(line):
        return match["text"]
    bare = line.strip().strip("*_=-: ")
    return bare if len(bare) <= 10 and _DAY.fullmatch(bare) else None


def note_in_line(line: str) -> Note | None:
    """The note that a line begins with its time; None for any other line."""
    match = _FULL_LINE.match(line) or _CLOCK_LINE.match(line)
    if match is None or not (clock := _clock(match)):
        return None
    zone, rest = _zone_and_rest(match)
    who, rest = _who(rest)
    if line.lstrip().startswith("|"):
        cells = [cell.strip() for cell in rest.strip().strip("|").split("|")]
        rest = " · ".join(cell for cell in cells if cell)
    day = match["day"] if "day" in match.groupdict() else ""
    return Note(day, clock, zone, rest.strip(), who)


def note_in_object(line: str) -> Note | None:
    """The note of one JSON object; None when it is none or says nothing."""
    try:
        value: JsonValue = json.loads(line)
    except (ValueError, RecursionError):
        return None
    if not isinstance(value, dict):
        return None
    text, who = _named(value, _TEXT_NAMES), _named(value, _WHO_NAMES)
    written = _named(value, _TIME_NAMES).strip()
    if not text:
        return None
    match = re.fullmatch(_FULL, written) or re.fullmatch(_CLOCK, written)
    if match is None or not (clock := _clock(match)):
        return Note("", "", "", text, who, whole=written)
    day = match["day"] if "day" in match.groupdict() else ""
    return Note(day, clock, (match["zone"] or "").strip(), text, who)


def moment_of(note: Note, day: str, zone: ZoneRule) -> Moment:
    """The stamp of a note written under `day` (empty when none is known)."""
    if note.whole or not note.clock:
        return Moment(read_written(note.whole, zone))
    if not (note.day or day):
        return Moment(Stamp(None, reason=NO_DAY))
    clock = note.clock if note.clock.index(":") == 2 else f"0{note.clock}"
    written = f"{note.day or day}T{clock.replace(',', '.')}{note.zone}"
    stamp = read_written(written, zone)
    if clock.count(":") == 1:
        stamp = replace(stamp, precision=Precision.MINUTE)
    return Moment(stamp, "" if note.day else f"the day {day} stands above or in the file's name")


def _zone_and_rest(match: re.Match[str]) -> tuple[str, str]:
    """`03:00-03:30` is a stretch of time as people write it, and no offset from UTC."""
    zone, rest = (match["zone"] or "").strip(), match["rest"]
    full = match.string[: match.start("clock")].endswith("T") or match["clock"].count(":") > 1
    if zone.startswith("-") and not full:
        return "", f"{zone} {rest}"
    return zone, rest


def _clock(match: re.Match[str]) -> str:
    """`15:20` of `3:20 pm`; empty for what no clock shows."""
    clock = match["clock"]
    hours, _, rest = clock.partition(":")
    half = (match.groupdict().get("half") or "").strip().lower()
    hour = int(hours)
    if half and not 1 <= hour <= 12:
        return ""
    if half:
        hour = hour % 12 + (12 if half.startswith("p") else 0)
    return f"{hour:02d}:{rest}" if hour < 24 and int(rest[:2]) < 60 else ""


def _who(rest: str) -> tuple[str, str]:
    """Who wrote it (`[ann]` or `@ann` in front), and the rest."""
    match = _WHO.match(rest)
    if match is None or not rest[match.end() :]:
        return "", rest
    return (match["boxed"] or match["named"]).rstrip(":."), rest[match.end() :]


def _named(record: Mapping[str, JsonValue], names: tuple[str, ...]) -> str:
    for name in names:
        value = record.get(name)
        if isinstance(value, str | int | float) and not isinstance(value, bool):
            return str(value)
    return ""
