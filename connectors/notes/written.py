"""One note as a person writes it: the time in front, who, and what.

Understands a line of text, of a Markdown list or table, a quick action of GitLab, and an object of
JSON lines. Owns what is known of the day: a time of day alone takes it from the heading above or
from the file's name, and is never given one otherwise. What was written less exactly than a minute
(`~02:10`, `12:00+`, `02:10–02:30`) stays in the text as it was written. Standard library only.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date, timedelta

from connectors.logs.jsonshape import JsonValue
from connectors.logs.stamps import Stamp
from connectors.logs.zones import ZoneRule
from connectors.notes import spelt
from connectors.notes.spelt import day_in
from connectors.written_times import read_written
from timeline.event import Precision
from timeline.pasted.contract import Stamp as FoundStamp
from timeline.pasted.stamps import placed_in

__all__ = [
    "Moment", "Note", "day_after", "day_in", "heading_of", "moment_of", "note_in_line",
    "note_in_object",
]  # fmt: skip

NO_DAY = "a time of day without a day: no heading above and no file name tells one"
ONLY_A_DAY = "a day without a time of day"
NO_YEAR = "a date without a year"
TWO_DATES = "a date that reads day first and month first: write it as 2026-03-14"
TWO_ZONES = "a zone that names two: write the offset"
_FULL = rf"(?P<before>{spelt.ABOUT})?(?P<day>{spelt.DAY}){spelt.JOIN}{spelt.CLOCK_PART}"
_FULL_LINE = re.compile(spelt.LEAD + _FULL + spelt.TAIL)
_CLOCK_LINE = re.compile(spelt.LEAD + spelt.CLOCK_PART + spelt.TAIL)
_DAY_LINE = re.compile(
    rf"{spelt.LIST_LEAD}(?P<day>{spelt.DAY})[*_`\])]{{0,3}}\s*(?:[|:–—]|-(?=\s)|\s)\s*"
    r"(?P<rest>\S.*)$"
)
_QUICK_ACTION = re.compile(r"^\s*/timeline\s+(?P<rest>.*)$")
_LEAD = re.compile(spelt.LEAD)
_TAIL = re.compile(r"\s*" + spelt.TAIL)
_WHO = re.compile(r"(?:\[(?P<boxed>[^\]\[]{1,40})\](?!\()|@(?P<named>[\w.-]{1,40}):?)\s*")
_HEADING = re.compile(r"^\s{0,3}#{1,6}\s+(?P<text>.*)$")
_TIME_NAMES = ("time", "timestamp", "at", "ts", "when")
_TEXT_NAMES = ("text", "note", "message", "body", "what", "msg")
_WHO_NAMES = ("who", "author", "by", "user", "name")
_FRONT = 60
"""Characters of a line in which a date with a month's name is looked for."""


@dataclass(frozen=True, slots=True)
class Moment:
    """The stamp of one note, and what had to be understood to read it (empty for nothing)."""

    stamp: Stamp
    how: str = ""
    assumed: str = ""
    """What nobody wrote and the reader was told to suppose, in words."""


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
    loosely: str = ""
    """The time as it was written, when that says less than a minute: `~02:10`."""
    problem: str = ""
    """Why what was written is no time."""
    told: Mapping[str, str] = field(default_factory=dict)
    """What a tool knows besides: the thread of a message, say."""


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
    return line.strip().strip("*_=-: ") if spelt.is_bare_day(line) else None


def note_in_line(line: str) -> Note | None:
    """The note that a line begins with its time; None for any other line."""
    if match := _QUICK_ACTION.match(line):
        return _quick_action(match["rest"])
    match = _FULL_LINE.match(line) or _CLOCK_LINE.match(line)
    if match is not None and (clock := _clock(match["clock"], match["half"])):
        return _note(line, match, clock)
    if match := _DAY_LINE.match(line):
        who, rest = _who(_cells(line, match["rest"]))
        return Note(match["day"], "", "", rest, who, problem=f"{ONLY_A_DAY} ({match['day']})")
    return _with_month_name(line)


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
    match = re.fullmatch(_FULL, written) or re.fullmatch(spelt.CLOCK_PART, written)
    if match is None or not (clock := _clock(match["clock"], match["half"])):
        return Note("", "", "", text, who, whole=written)
    day = match.groupdict().get("day") or ""
    return Note(day, clock, (match["zone"] or "").strip(), text, who)


def moment_of(note: Note, day: str, zone: ZoneRule) -> Moment:
    """The stamp of a note written under `day` (empty when none is known)."""
    if note.problem:
        return Moment(Stamp(None, reason=note.problem))
    if note.whole or not note.clock:
        return Moment(read_written(note.whole, zone))
    if not (note.day or day):
        return Moment(Stamp(None, reason=NO_DAY))
    clock = note.clock if note.clock.index(":") == 2 else f"0{note.clock}"
    meant = spelt.zone_of(note.zone)
    if meant.problem:
        return Moment(Stamp(None, reason=meant.problem))
    written = f"{note.day or day}T{clock.replace(',', '.')}{meant.offset}"
    stamp = read_written(written, meant.rule or zone)
    if clock.count(":") == 1:
        stamp = replace(stamp, precision=Precision.MINUTE)
    return Moment(stamp, "" if note.day else f"the day {day} stands above or in the file's name")


def _note(line: str, match: re.Match[str], clock: str) -> Note:
    zone, until, rest = _zone_and_span(match)
    who, rest = _who(_cells(line, rest))
    day = match.groupdict().get("day") or ""
    loosely = ""
    about = match["about"] or match.groupdict().get("before")
    if about or match["on"] or until:
        sign = (about or "").strip()
        front = f"{sign}{'' if sign in '~≈' else ' '}{match['clock']}{match['half'] or ''}"
        loosely = front + (match["on"] or "") + (f"–{until}" if until else "")
    return Note(day, clock, zone, rest.strip(), who, loosely=loosely)


def _zone_and_span(match: re.Match[str]) -> tuple[str, str, str]:
    """Zone, end of the stretch, and the rest of a line.

    `03:00-03:30` is a stretch of time as people write it, and no offset from UTC; behind a date
    and a space, ` -03:30` is the offset that tools write.
    """
    until, rest = (match["until"] or "").strip(), match["rest"]
    zone = (match["zone"] or match["late_zone"] or "").strip()
    dated = bool(match.groupdict().get("day")) and (match["zone"] or "").startswith(" ")
    full = match.string[: match.start("clock")].endswith("T") or match["clock"].count(":") > 1
    full = full or dated
    if zone.startswith("-") and not full:
        return (match["late_zone"] or "").strip(), zone.removeprefix("-"), rest
    return zone, until, rest


def _cells(line: str, rest: str) -> str:
    """The rest of a table's row, its cells side by side."""
    if not line.lstrip().startswith("|"):
        return rest
    cells = [cell.strip() for cell in rest.strip().strip("|").split("|")]
    return " · ".join(cell for cell in cells if cell)


def _quick_action(rest: str) -> Note | None:
    """`TEXT | 2026-03-14 02:07` of GitLab, which reads it as UTC; without a time it meant now."""
    text, _, written = (part.strip() for part in rest.partition("|"))
    if not text:
        return None
    match = re.fullmatch(_FULL, written)
    if match is None or not (clock := _clock(match["clock"], match["half"])):
        return Note("", "", "", text, problem="a /timeline without a date and a time meant now")
    return Note(match["day"], clock, (match["zone"] or "UTC").strip(), text)


def _with_month_name(line: str) -> Note | None:
    """A line that begins with `14 Mar 2026 03:14 UTC` or the like."""
    lead = _LEAD.match(line)
    begin = lead.end() if lead is not None else 0
    front = line[begin : begin + _FRONT]
    found = placed_in(front, 2) if ":" in front and any(c.isalpha() for c in front) else []
    if not found or found[0][0] > 0:
        return None
    stamp = found[0][1]
    tail = _TAIL.match(line[begin + len(stamp.text) :])
    who, rest = _who(_cells(line, tail["rest"] if tail is not None else ""))
    return _of_stamp(stamp, rest.strip(), who)


def _of_stamp(stamp: FoundStamp, text: str, who: str) -> Note | None:
    if len(stamp.days) != 1:
        return Note("", "", "", text, who, problem=TWO_DATES) if stamp.days else None
    year, month, day = stamp.days[0]
    if year is None:
        return Note("", "", "", text, who, problem=f"{NO_YEAR} ({stamp.text})")
    if len(stamp.zones) > 1 or stamp.or_unstated:
        return Note("", "", "", text, who, problem=f"{TWO_ZONES} ({stamp.text})")
    clock = stamp.at.strftime("%H:%M" if stamp.precision is Precision.MINUTE else "%H:%M:%S")
    if stamp.fraction:
        clock += f".{stamp.fraction:09d}".rstrip("0")
    zone = "".join(one if isinstance(one, str) else spelt.offset_of(one) for one in stamp.zones)
    return Note(f"{year:04d}-{month:02d}-{day:02d}", clock, zone, text, who)


def _clock(clock: str, half: str | None) -> str:
    """`15:20` of `3:20 pm`; empty for what no clock shows."""
    hours, _, rest = clock.partition(":")
    half = (half or "").strip().lower()
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
