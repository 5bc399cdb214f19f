"""What one fetch saw and did not see: coverage, remarks, and counts of what was left out.

Every limit that was hit is told with its reason. "Complete" is claimed only between the oldest
and the newest record that the cluster holds, and only where every shard answered.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime

from connectors.elasticsearch.answers import at, items, whole
from connectors.elasticsearch.paging import Sweep
from connectors.elasticsearch.queries import Stretch
from connectors.logs.jsonshape import JsonValue
from connectors.logs.levels import severity_of
from timeline.batch import Remark
from timeline.clean import clean
from timeline.coverage import Coverage, Sight
from timeline.event import SEVERITY_WARN, severity_name
from timeline.problems import SourceProblem
from timeline.window import Window

MILLISECOND_NS = 1_000_000


@dataclass(frozen=True)
class Survey:
    """The cluster's own counts for the window: per bar of time, and per level in each bar."""

    total: int
    levels: tuple[tuple[str | int, int], ...]
    """Level values as indexed, with how many records have each."""
    bars: tuple[tuple[int, int, Mapping[int, int]], ...]
    """(start in ms, records, records per severity number)."""


def survey_in(content: Mapping[str, JsonValue]) -> Survey:
    """The survey in a search answer."""
    bars = []
    for bar in items(at(content, "aggregations", "bars", "buckets")):
        by_severity: dict[int, int] = {}
        for value, count in _levels(at(bar, "levels")):
            severity = severity_of(str(value))
            by_severity[severity] = by_severity.get(severity, 0) + count
        bars.append((whole(at(bar, "key")), whole(at(bar, "doc_count")), by_severity))
    return Survey(
        whole(at(content, "hits", "total", "value")),
        tuple(_levels(at(content, "aggregations", "levels"))),
        tuple(bars),
    )


def _levels(terms: JsonValue) -> list[tuple[str | int, int]]:
    found: list[tuple[str | int, int]] = []
    for bucket in items(at(terms, "buckets")):
        value = at(bucket, "key")
        if isinstance(value, str | int):
            found.append((value, whole(at(bucket, "doc_count"))))
    return found


@dataclass
class Account:
    """Collected while reading; turned into coverage and remarks at the end."""

    source: str
    level_field: str = ""
    bytes_before: int = 0
    survey: Survey | None = None
    rows: int = 0
    near: tuple[Sweep, Sweep] | tuple[()] = ()
    """Backwards and forwards from T."""
    severe: tuple[Sweep, ...] = ()
    arrivals: Sweep | None = None
    spent: str = ""
    """Which part of the budget is used up, in words."""
    failed: SourceProblem | None = None
    oldest: int | None = None
    newest: int | None = None
    """Stamps (ns) of the oldest and newest record kept."""
    _missing: dict[str, None] = field(default_factory=dict)
    _said: dict[Remark, None] = field(default_factory=dict)

    def say(self, topic: str, sentence: str, count: int = 0) -> None:
        self._said[Remark(self.source, topic, sentence, count)] = None

    def missing(self, reason: str) -> None:
        """An answer admitted that it may not hold everything."""
        self._missing[clean(reason)] = None

    def interrupted(self, problem: SourceProblem) -> None:
        """Reading ended with a failure; raises it when nothing had been read."""
        if not self.rows:
            raise problem
        self.failed = problem

    def set_edge(self, stamp: int, *, oldest: bool) -> None:
        if oldest:
            self.oldest = stamp
        else:
            self.newest = stamp

    def too_many(self, rows: int) -> bool:
        return self.survey is not None and self.survey.total > rows

    def severe_values(self) -> list[JsonValue]:
        """The level values, as indexed, that mean a warning or worse."""
        levels = self.survey.levels if self.survey else ()
        return [value for value, _ in levels if severity_of(str(value)) >= SEVERITY_WARN]

    def coverage(self, window: Window) -> tuple[Coverage, ...]:
        """Entries that together say something about all of `window`."""
        whole_stretch = self._clipped(self._read_wholly(), window)
        entries = []
        for start, end in self._outside(whole_stretch, window):
            if start < end:
                entries.append(
                    Coverage(
                        self.source, start, end, Sight.PARTIAL, self._why_cut(), self._advice()
                    )
                )
        if whole_stretch is not None:
            entries += self._seen(*whole_stretch)
        return tuple(entries)

    def remarks(self) -> tuple[Remark, ...]:
        """What was said on the way, and the cut with its counts."""
        left_out = [sweep.unread for sweep in self.near if not sweep.done]
        if left_out:
            self.say("cut", self._cut_sentence(left_out), self._left_out())
        for reason in self._missing:
            self.say("partial-answer", f"Records may be missing: {reason}")
        return tuple(self._said)

    def _read_wholly(self) -> tuple[int, int] | None:
        """The stretch (ns) around T of which every record was read."""
        if not self.near:
            return None
        before, after = self.near
        start, end = before.frontier * MILLISECOND_NS, after.frontier * MILLISECOND_NS
        return (start, end) if start < end else None

    def _clipped(self, stretch: tuple[int, int] | None, window: Window) -> tuple[int, int] | None:
        if stretch is None:
            return None
        start, end = max(stretch[0], window.start), min(stretch[1], window.end)
        return (start, end) if start < end else None

    def _outside(self, read: tuple[int, int] | None, window: Window) -> tuple[tuple[int, int], ...]:
        if read is None:
            return ((window.start, window.end),)
        return ((window.start, read[0]), (read[1], window.end))

    def _seen(self, start: int, end: int) -> list[Coverage]:
        """What may be claimed of a stretch that was read: full only inside the records kept."""
        entries = []
        if self.newest is None or self.oldest is None:
            return [Coverage(self.source, start, end, Sight.PARTIAL, "no record is kept at all")]
        if self.oldest > start:
            until = min(self.oldest, end)
            reason = f"the oldest record kept is of {clock_time(self.oldest)}"
            remedy = "Older ones may have been deleted, or live in another index."
            entries.append(Coverage(self.source, start, until, Sight.PARTIAL, reason, remedy))
            start = until
        reached = self.newest + 1
        if reached < end:
            since = max(reached, start)
            reason = f"complete to {clock_time(self.newest)}, the newest record so far"
            remedy = "Later ones may still be on their way; look again in a minute."
            entries.append(Coverage(self.source, since, end, Sight.PARTIAL, reason, remedy))
            end = since
        if start < end:
            if self._missing:
                reason = "; ".join(self._missing)
                entries.append(Coverage(self.source, start, end, Sight.PARTIAL, reason))
            else:
                entries.append(Coverage(self.source, start, end, Sight.FULL))
        return entries

    def _why_cut(self) -> str:
        if self.failed is not None:
            return f"reading ended early: {self.failed.what}"
        if self.severe and all(sweep.done for sweep in self.severe):
            return f"only records whose {self.level_field} says warning or worse were read"
        return f"not everything was read: {self.spent or 'the budget was used up'}"

    def _advice(self) -> str:
        if self.failed is not None:
            return self.failed.remedy
        return "Make the window smaller with ] or pin closer to the onset."

    def _left_out(self) -> int:
        return max(0, self.survey.total - self.rows) if self.survey else 0

    def _cut_sentence(self, left_out: list[Stretch]) -> str:
        """`Read 50000 of 812345 records: everything from 03:02:11 to 03:15:40, and warnings …`."""
        total = f" of {self.survey.total}" if self.survey else ""
        sentence = f"Read {self.rows}{total} records"
        read = self._read_wholly()
        if read is not None:
            sentence += f": all from {clock_time(read[0])} to {clock_time(read[1])}"
        if self.severe:
            all_of_them = all(sweep.done for sweep in self.severe)
            sentence += f", and what {self.level_field} calls warning or worse"
            sentence += "" if all_of_them else " as far as allowed"
        if self.failed is not None:
            return f"{sentence}. {self.failed.sentence()}"
        counts = self._counts(left_out)
        return f"{sentence}. In the rest: {counts}" if counts else sentence

    def _counts(self, left_out: list[Stretch]) -> str:
        """Records per severity in what was not read as a whole, as the cluster counts them."""
        if self.survey is None:
            return ""
        total: int = 0
        by_name: dict[str, int] = {}
        for start, count, by_severity in self.survey.bars:
            if any(part.start <= start < part.end for part in left_out):
                total += count
                for severity, number in by_severity.items():
                    name = severity_name(severity) or "of other levels"
                    by_name[name] = by_name.get(name, 0) + number
        if unnamed := total - sum(by_name.values()):
            by_name["without a level"] = unnamed
        parts = ", ".join(f"{number} {name}" for name, number in sorted(by_name.items()))
        return f"about {total} records ({parts})" if total else ""


def clock_time(stamp: int) -> str:
    """`03:12:40.123Z` of a stamp in ns; with the date, because a record may be of any day."""
    at_second = datetime.fromtimestamp(stamp // 1_000_000_000, UTC)
    return f"{at_second:%Y-%m-%d %H:%M:%S}.{stamp % 1_000_000_000 // 1_000_000:03d}Z"
