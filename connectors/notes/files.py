"""Note files read from beginning to end: which line begins a note, and what belongs to it.

A line that begins with a time begins a note. Lines below it belong to it up to an empty line, a
heading or the next note; what stands in a code fence is part of the note above and never a note
of its own, whatever it begins with. Prose without a time is counted and not told; where it states
the zone of the times below it, it is believed. What a tool exported is left to its own reader.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from glob import glob
from pathlib import Path

from connectors.logs.zones import ZoneRule
from connectors.notes.reading import MOST_LINES, Everything, Reading, Wanted, Written
from connectors.notes.recognised import Format, is_slack_folder, recognised
from connectors.notes.spelt import zone_stated
from connectors.notes.written import (
    Note,
    day_after,
    day_in,
    heading_of,
    moment_of,
    note_in_line,
    note_in_object,
)
from timeline.problems import AccessRefused, Misconfigured
from timeline.window import SECOND_NS

SUFFIXES = (".md", ".markdown", ".txt", ".jsonl", ".notes")
"""Files of a folder that are read, and the only ones that `halfawake note` appends to."""
MOST_BYTES = 8 * 1024 * 1024
"""Of one file: a year of notes is far smaller."""
MOST_FILES = 200
HALF_DAY_NS = 12 * 3600 * SECOND_NS
_FENCES = ("```", "~~~")


def read_notes(
    paths: Sequence[str],
    zone: ZoneRule,
    form: str = "",
    wanted: Wanted | None = None,
    day: str = "",
) -> Reading:
    """Read every file in its `form`, or in the one it is recognised by.

    Of what a tool exported only `wanted` is told. `day` (`2026-03-14`) is supposed, and said to be,
    where a person's file tells no day of a time. Raises `SourceProblem` when there is no file or
    one may not be read.
    """
    reading = Reading()
    files = note_files(paths)
    if len(files) > MOST_FILES:
        reading.cuts.append(f"{len(files)} files match; the last {MOST_FILES} by name were read")
    names = Counter(path.name for path in files)
    for path in files[-MOST_FILES:]:
        name = path.name if names[path.name] == 1 else f"{path.parent.name}/{path.name}"
        known = Format(form) if form else recognised(path)
        _read(path, name, zone, known, reading, wanted, day)
    return reading


def _read(
    path: Path,
    name: str,
    zone: ZoneRule,
    form: Format,
    reading: Reading,
    wanted: Wanted | None,
    supposed: str,
) -> None:
    match form:
        case Format.SLACK:
            from connectors.notes.slack import read_export

            read_export(path, wanted or Everything(), reading)
        case Format.GITLAB:
            from connectors.notes.gitlab import read_events

            read_events(path, name, reading)
        case _:
            _read_file(path, name, zone, reading, supposed)


def note_files(paths: Sequence[str]) -> list[Path]:
    """The files that `paths` (files, patterns, folders) name, by name. Raises `Misconfigured`."""
    found: dict[Path, None] = {}
    for written in paths:
        path = Path(written).expanduser()
        if path.is_dir() and is_slack_folder(path):
            found[path] = None
        elif path.is_dir():
            inside = sorted(one for one in path.iterdir() if one.suffix.lower() in SUFFIXES)
            found.update(dict.fromkeys(one for one in inside if one.is_file()))
        elif path.is_file():
            found[path] = None
        else:
            named = sorted(glob(str(path)))  # noqa: PTH207  # the pattern may be absolute
            found.update(dict.fromkeys(Path(one) for one in named if Path(one).is_file()))
    if not found:
        raise Misconfigured(
            "There is no file with notes",
            where=", ".join(paths),
            remedy="Correct paths, or write the first note: halfawake note TEXT.",
        )
    return list(found)


def _read_file(path: Path, name: str, zone: ZoneRule, reading: Reading, supposed: str) -> None:
    try:
        with path.open("rb") as file:
            raw = file.read(MOST_BYTES + 1)
    except PermissionError:
        raise AccessRefused(
            "The notes may not be read", where=str(path), remedy="Ask for read access."
        ) from None
    except OSError as error:
        raise Misconfigured(
            f"The notes cannot be read: {error.strerror}", where=str(path), remedy="Name a file."
        ) from None
    if len(raw) > MOST_BYTES:
        raw = raw[:MOST_BYTES].rpartition(b"\n")[0]
        reading.cuts.append(f"{name}: only its first {MOST_BYTES // 2**20} MB were read")
    reading.files += 1
    reading.bytes_read += len(raw)
    lines = _lines(raw)
    as_objects = path.suffix.lower() == ".jsonl"
    begun = _objects(lines, reading) if as_objects else _notes(lines, reading)
    _place(begun, name, (day_in(path.stem), supposed), zone, reading)


def _lines(raw: bytes) -> Iterator[tuple[int, str]]:
    offset = 0
    for line in raw.split(b"\n"):
        yield offset, line.removeprefix(b"\xef\xbb\xbf").decode("utf-8", "replace").rstrip("\r")
        offset += len(line) + 1


@dataclass(slots=True)
class _Begun:
    """A note while its lines are collected. `day` is None where no heading tells one."""

    offset: int
    note: Note
    day: str | None
    lines: list[str] = field(default_factory=list)
    zone: str = ""
    """The zone that a line above states for all times."""


def _objects(lines: Iterator[tuple[int, str]], reading: Reading) -> Iterator[_Begun]:
    for offset, line in lines:
        if not line.strip():
            continue
        note = note_in_object(line)
        if note is None:
            reading.broken += 1
        else:
            yield _Begun(offset, note, None)


def _notes(lines: Iterator[tuple[int, str]], reading: Reading) -> Iterator[_Begun]:
    day: str | None = None
    held: _Begun | None = None
    fence = zone = ""
    for offset, line in lines:
        mark = line.strip()[:3]
        if fence or mark in _FENCES:
            fence = "" if fence and mark == fence else fence or mark
            if held is not None and mark not in _FENCES:
                held.lines.append(line)
            continue
        heading = heading_of(line)
        note = note_in_line(line if heading is None else heading)
        if heading is not None:
            day = day_in(heading) or day
        if note is None:
            zone = zone_stated(line) or zone
        if note is None and heading is None and line.strip() and held is not None:
            held.lines.append(line)
            continue
        if held is not None:
            yield held
            held = None
        if note is not None:
            held = _Begun(offset, note, day, zone=zone)
        elif heading is None and line.strip():
            reading.prose += 1
    if held is not None:
        yield held


def _place(
    begun: Iterator[_Begun], name: str, days: tuple[str, str], zone: ZoneRule, reading: Reading
) -> None:
    """Give every note its stamp. Under one day a clock that falls back went past midnight.

    `days` are the one that the file's name tells and the one that is supposed without any.
    """
    named_day, supposed = days
    last_day, last, passed = "", 0, False
    for one in begun:
        day = one.day or named_day or supposed
        note = one.note if one.note.zone or not one.zone else replace(one.note, zone=one.zone)
        moment = moment_of(note, day, zone)
        ns = moment.stamp.ns
        lines = tuple(one.lines[:MOST_LINES])
        if len(one.lines) > MOST_LINES:
            lines += (f"… [{len(one.lines) - MOST_LINES} more lines, see the source]",)
        if ns is None:
            reading.reasons[moment.stamp.reason] += 1
            reading.undated.append(Written(name, one.offset, note, moment, lines))
            continue
        own_day = bool(note.day or note.whole)
        if own_day or day != last_day:
            passed = False
        elif not passed and last - ns > HALF_DAY_NS:
            passed = True
        if passed:
            moment = moment_of(note, day_after(day), zone)
        if supposed and not (own_day or one.day or named_day):
            moment = replace(moment, how="", assumed=f"its day is not written: read as {day}")
        reading.notes.append(Written(name, one.offset, note, moment, lines, passed))
        if not own_day:
            last_day, last = day, ns
