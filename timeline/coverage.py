"""When a source was able to see. A claim of absence is worth exactly what this says.

A source states its coverage with every batch; `CoverageMap` answers whether all sources that
would hold an event were looking during a stretch of time. Unknown is never "covered".
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
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
    complete_from: int = 0
    """Severity number from which on every record of the stretch was read although the rest was
    only counted (`Batch.counts`); 0 when nothing of the kind can be said."""

    def sentence(self) -> str:
        """One line for the status list: what could not be seen and what to do about it."""
        words = f"{self.source}: {self.reason or self.sight.value}"
        return f"{words} ({self.remedy})" if self.remedy else words


@dataclass(frozen=True, slots=True)
class Asked:
    """A look-up that one source answered in full: it told every record of `[start, end)` (ns UTC)
    that carries any of `keys`."""

    source: str
    start: int
    end: int
    keys: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class CoverageMap:
    """Everything the sources said about what they could see."""

    entries: tuple[Coverage, ...] = field(default=())
    asked: tuple[Asked, ...] = field(default=())

    def of(self, source: str, key: str = "") -> tuple[Coverage, ...]:
        """The claims of one source. With `key`, those about records that carry it.

        What was only counted was seen in full for a key that the source was asked for.
        """
        own = tuple(entry for entry in self.entries if entry.source == source)
        spans = [asked for asked in self.asked if asked.source == source and key in asked.keys]
        if not spans:
            return own
        return tuple(part for entry in own for part in _answered(entry, spans))

    def adding(self, entries: Iterable[Coverage], asked: Iterable[Asked] = ()) -> CoverageMap:
        merged = dict.fromkeys((*self.entries, *entries))
        return CoverageMap(tuple(merged), tuple(dict.fromkeys((*self.asked, *asked))))

    def without(self, source: str, start: int, end: int) -> CoverageMap:
        """The same claims, less what they say of `source` in `[start, end)`."""
        kept: list[Coverage] = []
        for entry in self.entries:
            if entry.source != source or entry.end <= start or entry.start >= end:
                kept.append(entry)
                continue
            if entry.start < start:
                kept.append(replace(entry, end=start))
            if entry.end > end:
                kept.append(replace(entry, start=end))
        return CoverageMap(tuple(kept), self.asked)

    def tidy(self) -> CoverageMap:
        """The same claims in an order of their own, touching stretches of one claim as one.

        Where a counted stretch was read in full as well (a closer look), the full reading stays.
        """
        ordered = sorted(self._read_closer(), key=lambda e: (*_claim(e), e.start, e.end))
        merged: list[Coverage] = []
        for entry in ordered:
            if merged and entry.start <= merged[-1].end and _claim(merged[-1]) == _claim(entry):
                last = merged[-1]
                merged[-1] = replace(last, end=max(last.end, entry.end))
            else:
                merged.append(entry)
        merged.sort(key=lambda e: (e.source, e.start, e.end, *_claim(e)))
        asked = sorted(self.asked, key=lambda a: (a.source, a.start, a.end, a.keys))
        return CoverageMap(tuple(merged), tuple(asked))

    def _read_closer(self) -> Iterator[Coverage]:
        """The entries, counted ones without the parts that were also read in full."""
        for entry in self.entries:
            if not entry.complete_from:
                yield entry
                continue
            full = [e for e in self.of(entry.source) if e.sight is Sight.FULL]
            for start, end in _gaps(full, entry.start, entry.end):
                yield replace(entry, start=start, end=end)

    def limits(
        self, sources: Iterable[str], start: int, end: int, severity: int = 0, key: str = ""
    ) -> tuple[Coverage, ...]:
        """Why "nothing happened in [start, end)" cannot be said of `sources`; empty if it can.

        A stretch that no entry of a source covers is reported as blind, because silence about
        coverage is not coverage. A weak claim counts even where a full one overlaps it: the two
        contradict each other, and only the weaker is safe. With `severity`, only "nothing of
        that severity or worse" is claimed, which a stretch does not limit that is complete from
        there on; with `key`, only "nothing that carries it".
        """
        found: list[Coverage] = []
        for source in sources:
            inside = [e for e in self.of(source, key) if e.start < end and e.end > start]
            found.extend(
                entry
                for entry in inside
                if entry.sight is not Sight.FULL and not 0 < entry.complete_from <= severity
            )
            found.extend(
                Coverage(source, low, high, Sight.BLIND, "it was not read for this stretch")
                for low, high in _gaps(inside, start, end)
            )
        return tuple(found)

    def blind(self) -> tuple[Coverage, ...]:
        """Entries that are worth a word on the screen: everything but full sight."""
        return tuple(entry for entry in self.entries if entry.sight is not Sight.FULL)


def _claim(entry: Coverage) -> tuple[str, str, str, str, int]:
    """Everything but the stretch."""
    return entry.source, entry.sight, entry.reason, entry.remedy, entry.complete_from


def _answered(entry: Coverage, spans: list[Asked]) -> Iterator[Coverage]:
    """A counted entry as full where a look-up was answered; any other as it is."""
    if not entry.complete_from:
        yield entry
        return
    reached = entry.start
    for start, end in (*_gaps(spans, entry.start, entry.end), (entry.end, entry.end)):
        if reached < start:
            yield replace(entry, start=reached, end=start, sight=Sight.FULL, complete_from=0)
        if start < end:
            yield replace(entry, start=start, end=end)
        reached = end


def _gaps(entries: Sequence[Coverage | Asked], start: int, end: int) -> Iterator[tuple[int, int]]:
    """Stretches of `[start, end)` that no entry speaks of."""
    reached = start
    for entry in sorted(entries, key=lambda item: item.start):
        if entry.start > reached and reached < end:
            yield reached, min(entry.start, end)
        reached = max(reached, entry.end)
    if reached < end:
        yield reached, end
