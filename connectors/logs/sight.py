"""What a source's files were able to see of a window, as coverage. Silence is never coverage."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from timeline.coverage import Coverage, Sight
from timeline.window import Window


@dataclass(frozen=True, slots=True)
class Reach:
    """One rotation set: the times (ns) of its first and last dated lines, or why there are none."""

    name: str
    first: int | None = None
    last: int | None = None
    problem: str = ""
    remedy: str = ""
    from_start: bool = False
    """The question itself began the answer (a command given {from}): nothing precedes it."""
    to_end: bool = False
    """Likewise for the end ({to})."""
    older: str = "add its older, rotated files if there are any"
    """What to do about the time before the first line."""


@dataclass(frozen=True, slots=True)
class Cut:
    """Reading stopped early. Everything nearer to T than `distance` (ns) was read."""

    distance: int
    reason: str
    remedy: str = "narrow the window, or raise the budget"


def coverage_of(
    source: str, window: Window, reaches: Sequence[Reach], cut: Cut | None
) -> tuple[Coverage, ...]:
    """Full sight where every rotation set was read to the last line, partial sight elsewhere."""
    entries: list[Coverage] = []
    start, end = window.start, window.end
    if cut is not None:
        start, end = max(start, window.pin - cut.distance), min(end, window.pin + cut.distance)
        for low, high in ((window.start, start), (end, window.end)):
            if low < high:
                entries.append(Coverage(source, low, high, Sight.PARTIAL, cut.reason, cut.remedy))
    for reach in reaches:
        for entry in _weak(source, window, reach):
            entries.append(entry)
            if entry.sight is Sight.BLIND or (entry.start <= start and entry.end >= end):
                end = start
            elif entry.start <= start:
                start = max(start, entry.end)
            else:
                end = min(end, entry.start)
    if start < end and reaches:
        entries.append(Coverage(source, start, end, Sight.FULL))
    return tuple(dict.fromkeys(entries))


def _weak(source: str, window: Window, reach: Reach) -> list[Coverage]:
    if reach.problem:
        return [
            Coverage(source, window.start, window.end, Sight.BLIND, reach.problem, reach.remedy)
        ]
    if reach.first is None or reach.last is None:
        if reach.from_start and reach.to_end:
            return []
        reason = f"{reach.name} holds no dated line for this window"
        return [Coverage(source, window.start, window.end, Sight.PARTIAL, reason)]
    entries = []
    if reach.first > window.start and not reach.from_start:
        reason = f"{reach.name} begins {instant(reach.first)}"
        stop = min(reach.first, window.end)
        entries.append(Coverage(source, window.start, stop, Sight.PARTIAL, reason, reach.older))
    if reach.last + 1 < window.end and not reach.to_end:
        reason = f"last line {instant(reach.last)} in {reach.name}"
        begin = max(reach.last + 1, window.start)
        entries.append(Coverage(source, begin, window.end, Sight.PARTIAL, reason))
    return entries


def instant(ns: int) -> str:
    """`2026-03-14 03:12:40Z`; seconds are enough for a limit of sight."""
    return datetime.fromtimestamp(ns // 1_000_000_000, UTC).strftime("%Y-%m-%d %H:%M:%SZ")
