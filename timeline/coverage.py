"""When a source was able to see. A claim of absence is worth exactly what this says.

A source states its coverage with every batch; `CoverageMap` answers whether all sources that
would hold an event were looking during a stretch of time. Unknown is never "covered".
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from enum import StrEnum


class Sight(StrEnum):
    """How well a source saw one stretch."""

    FULL = "full"
    """Every record of the stretch was read."""
    PARTIAL = "partial"
    """Some records may be missing: a cut, a lagging replica, a filter, a retention limit."""
    NOW_ONLY = "now_only"
    """The system keeps present state only: what was there then and is gone cannot be seen."""
    BLIND = "blind"
    """Nothing could be read."""


@dataclass(frozen=True, slots=True)
class Coverage:
    """One source's sight of `[start, end)` (ns UTC), with the reason and the remedy in words."""

    source: str
    start: int
    end: int
    sight: Sight
    reason: str = ""
    remedy: str = ""

    def sentence(self) -> str:
        """One line for the status list: what could not be seen and what to do about it."""
        words = f"{self.source}: {self.reason or self.sight.value}"
        return f"{words} ({self.remedy})" if self.remedy else words


@dataclass(frozen=True, slots=True)
class CoverageMap:
    """Everything the sources said about what they could see."""

    entries: tuple[Coverage, ...] = field(default=())

    def of(self, source: str) -> tuple[Coverage, ...]:
        return tuple(entry for entry in self.entries if entry.source == source)

    def adding(self, entries: Iterable[Coverage]) -> CoverageMap:
        merged = dict.fromkeys(self.entries)
        merged.update(dict.fromkeys(entries))
        return CoverageMap(tuple(merged))

    def tidy(self) -> CoverageMap:
        """The same claims in an order of their own, touching stretches of one claim as one."""
        ordered = sorted(
            self.entries, key=lambda e: (e.source, e.sight, e.reason, e.remedy, e.start, e.end)
        )
        merged: list[Coverage] = []
        for entry in ordered:
            if merged and entry.start <= merged[-1].end and _same_claim(merged[-1], entry):
                last = merged[-1]
                merged[-1] = replace(last, end=max(last.end, entry.end))
            else:
                merged.append(entry)
        merged.sort(key=lambda e: (e.source, e.start, e.end, e.sight, e.reason, e.remedy))
        return CoverageMap(tuple(merged))

    def limits(self, sources: Iterable[str], start: int, end: int) -> tuple[Coverage, ...]:
        """Why "nothing happened in [start, end)" cannot be said of `sources`; empty if it can.

        A stretch that no entry of a source covers is reported as blind, because silence about
        coverage is not coverage. A weak claim counts even where a full one overlaps it: the two
        contradict each other, and only the weaker is safe.
        """
        found: list[Coverage] = []
        for source in sources:
            inside = [e for e in self.of(source) if e.start < end and e.end > start]
            found.extend(entry for entry in inside if entry.sight is not Sight.FULL)
            found.extend(
                Coverage(source, low, high, Sight.BLIND, "it was not read for this stretch")
                for low, high in _gaps(inside, start, end)
            )
        return tuple(found)

    def blind(self) -> tuple[Coverage, ...]:
        """Entries that are worth a word on the screen: everything but full sight."""
        return tuple(entry for entry in self.entries if entry.sight is not Sight.FULL)


def _same_claim(one: Coverage, other: Coverage) -> bool:
    return replace(one, start=0, end=0) == replace(other, start=0, end=0)


def _gaps(entries: list[Coverage], start: int, end: int) -> Iterator[tuple[int, int]]:
    """Stretches of `[start, end)` that no entry speaks of."""
    reached = start
    for entry in sorted(entries, key=lambda item: item.start):
        if entry.start > reached:
            yield reached, min(entry.start, end)
        reached = max(reached, entry.end)
    if reached < end:
        yield reached, end
