"""What one fetch saw and did not see: coverage, remarks, and counts of what was left out.

Every limit that was hit is told with its reason. "Complete" is claimed only between the oldest
and the newest record that the cluster holds, and only where every shard answered.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import pairwise

from connectors.elasticsearch.counting import Survey, severe_name
from connectors.elasticsearch.paging import Sweep
from connectors.elasticsearch.queries import Stretch
from timeline.batch import Remark
from timeline.clean import clean
from timeline.coverage import Coverage, Sight
from timeline.event import severity_name
from timeline.problems import SourceProblem
from timeline.window import Window
from timeline.words import grouped

MILLISECOND_NS = 1_000_000

Span = tuple[int, int]
"""`[start, end)` in ns."""


@dataclass(frozen=True)
class Tier:
    """Sweeps for the records from one severity on, over all that was not read in full."""

    least: int
    sweeps: tuple[Sweep, ...]

    @property
    def done(self) -> bool:
        return all(sweep.done for sweep in self.sweeps)

    def covers(self, start: int, end: int) -> bool:
        """Whether `[start, end)` (ns) was read for such records."""
        return not self.sweeps or any(
            low <= start and end <= high for low, high in map(_read, self.sweeps)
        )


@dataclass
class Account:
    """Collected while reading; turned into coverage and remarks at the end."""

    source: str
    level_field: str = ""
    bytes_before: int = 0
    survey: Survey | None = None
    wide: bool = False
    """Whether the window holds more than may be read, so that the cluster counts."""
    rows: int = 0
    """Different records kept."""
    by_severity: dict[int, int] = field(default_factory=dict)
    """Of them, by severity number."""
    near: list[tuple[Sweep, Sweep]] = field(default_factory=list)
    """Backwards and forwards from T, and from every other place that was looked at closely."""
    severe: list[Tier] = field(default_factory=list)
    """The worst first."""
    arrivals: Sweep | None = None
    spent: str = ""
    """Which part of the budget is used up, in words."""
    failed: SourceProblem | None = None
    oldest: int | None = None
    newest: int | None = None
    """Stamps (ns) of the oldest and newest record kept by the cluster."""
    _missing: dict[str, None] = field(default_factory=dict)
    _said: dict[Remark, None] = field(default_factory=dict)

    def say(self, topic: str, sentence: str, count: int = 0) -> None:
        self._said[Remark(self.source, topic, sentence, count)] = None

    def missing(self, reason: str) -> None:
        """An answer admitted that it may not hold everything."""
        self._missing[clean(reason)] = None

    def kept(self, severities: Iterable[int]) -> None:
        """Note records that were not read before, by their severity numbers."""
        for severity in severities:
            self.rows += 1
            self.by_severity[severity] = self.by_severity.get(severity, 0) + 1

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

    @property
    def complete_from(self) -> int:
        """The severity from which on every record of the window was read; 0 when none can be told.

        The level field must tell it of every record: one without a level may be an error.
        """
        told = self.survey is not None and self.survey.tells_severity and not self._missing
        done = bool(self.severe) and all(tier.done for tier in self.severe)
        return self.severe[-1].least if self.wide and told and done else 0

    def unread(self, window: Window) -> list[Stretch]:
        """The stretches (ms) of the window that were not read in full, in time order."""
        return [Stretch.of(start, end) for start, end in _gaps(self._whole(window), window)]

    def coverage(self, window: Window) -> tuple[Coverage, ...]:
        """Entries that together say something about all of `window`."""
        whole = self._whole(window)
        entries: list[Coverage] = []
        for start, end in whole:
            entries += self._kept(start, end, [self._seen(start, end)])
        for start, end in _gaps(whole, window):
            entries += self._kept(start, end, self._unseen(start, end))
        return tuple(sorted(entries, key=lambda entry: entry.start))

    def remarks(self, window: Window) -> tuple[Remark, ...]:
        """What was said on the way, and the cut with its counts."""
        if _gaps(self._whole(window), window):
            topic = "counted" if self.complete_from and not self.failed else "cut"
            self.say(topic, self._cut_sentence(window), self._left_out())
        for reason in self._missing:
            self.say("partial-answer", f"Records may be missing: {reason}")
        return tuple(self._said)

    def _whole(self, window: Window) -> list[Span]:
        """The stretches of which every record was read, in time order, touching ones as one."""
        found: list[Span] = []
        for before, after in self.near:
            start = max(before.frontier * MILLISECOND_NS, window.start)
            end = min(after.frontier * MILLISECOND_NS, window.end)
            if start < end:
                found.append((start, end))
        joined: list[Span] = []
        for start, end in sorted(found):
            if joined and start <= joined[-1][1]:
                joined[-1] = (joined[-1][0], max(joined[-1][1], end))
            else:
                joined.append((start, end))
        return joined

    def _seen(self, start: int, end: int) -> Coverage:
        if self._missing:
            return Coverage(self.source, start, end, Sight.PARTIAL, "; ".join(self._missing))
        return Coverage(self.source, start, end, Sight.FULL)

    def _unseen(self, start: int, end: int) -> list[Coverage]:
        """Entries for a stretch that was not read in full, each with what was read of it."""
        borders = {start, end}
        for tier in self.severe:
            borders.update(edge for sweep in tier.sweeps for edge in _read(sweep))
        edges = sorted(edge for edge in borders if start <= edge <= end)
        why, advice = self._why_cut(), self._advice()
        return [
            Coverage(
                self.source, low, high, Sight.PARTIAL, why, advice, self._complete_in(low, high)
            )
            for low, high in pairwise(edges)
        ]

    def _complete_in(self, start: int, end: int) -> int:
        if self.survey is None or not self.survey.tells_severity or self._missing:
            return 0
        reached = 0
        for tier in self.severe:
            if not tier.covers(start, end):
                break
            reached = tier.least
        return reached

    def _kept(self, start: int, end: int, inside: list[Coverage]) -> Iterator[Coverage]:
        """`inside`, but nothing claimed beyond the oldest and the newest record kept."""
        if self.newest is None or self.oldest is None:
            yield Coverage(self.source, start, end, Sight.PARTIAL, "no record is kept at all")
            return
        first, reached = min(max(self.oldest, start), end), min(max(self.newest + 1, start), end)
        if start < first:
            reason = f"the oldest record kept is of {clock_time(self.oldest)}"
            remedy = "Older ones may have been deleted, or live in another index."
            yield Coverage(self.source, start, first, Sight.PARTIAL, reason, remedy)
        for entry in inside:
            low, high = max(entry.start, first), min(entry.end, reached)
            if low < high:
                yield Coverage(
                    entry.source,
                    low,
                    high,
                    entry.sight,
                    entry.reason,
                    entry.remedy,
                    entry.complete_from,
                )
        since = max(reached, first)
        if since < end:
            reason = f"complete to {clock_time(self.newest)}, the newest record so far"
            remedy = "Later ones may still be on their way; look again in a minute."
            yield Coverage(self.source, since, end, Sight.PARTIAL, reason, remedy)

    def _why_cut(self) -> str:
        if self.failed is not None:
            return f"reading ended early: {self.failed.what}"
        left = self._left_words()
        if self.wide and left:
            return f"counted, not fetched: {left}"
        return f"not everything was read: {self.spent or 'the budget was used up'}"

    def _advice(self) -> str:
        if self.failed is not None:
            return self.failed.remedy
        return "Make the window smaller with [ or pin closer to the onset."

    def _left_out(self) -> int:
        return max(0, self.survey.total - self.rows) if self.survey else 0

    def _cut_sentence(self, window: Window) -> str:
        """`Read 8412 of 812345 records: all from 03:02:11 to 03:15:40, and all that level …`."""
        total = f" of {self.survey.total}" if self.survey else ""
        sentence = f"Read {self.rows}{total} records"
        whole = self._whole(window)
        if whole:
            told = (f"from {clock_time(start)} to {clock_time(end)}" for start, end in whole)
            sentence += f": all {', '.join(told)}"
        if self.severe:
            done = [tier.least for tier in self.severe if tier.done]
            words = severe_name(done[-1] if done else self.severe[-1].least)
            sentence += f", and what {self.level_field} calls {words}"
            sentence += "" if done else " as far as allowed"
        if self.failed is not None:
            return f"{sentence}. {self.failed.sentence()}"
        left = self._left_words()
        return f"{sentence}. Counted, not fetched: {left}" if left else sentence

    def _left_words(self) -> str:
        """`4 893 112 INFO records, 12 without a level`: what the cluster counted and we left."""
        if self.survey is None:
            return ""
        left = self._left_out()
        parts: list[str] = []
        for severity, count in sorted(self.survey.by_severity().items(), reverse=True):
            unread = min(count - self.by_severity.get(severity, 0), left)
            if severity and unread > 0:
                parts.append(f"{grouped(unread)} {severity_name(severity)}")
                left -= unread
        if not parts:
            return f"{grouped(left)} records" if left else ""
        rest = f", {grouped(left)} without a known level" if left else ""
        return f"{', '.join(parts)} records{rest}"


def _read(sweep: Sweep) -> Span:
    """What a sweep has read to the end (ns)."""
    start, end = sweep.stretch.start, sweep.frontier
    if sweep.newest_first:
        start, end = sweep.frontier, sweep.stretch.end
    return start * MILLISECOND_NS, end * MILLISECOND_NS


def _gaps(whole: list[Span], window: Window) -> list[Span]:
    """The parts of the window outside the given stretches, which are in order and apart."""
    found, reached = [], window.start
    for start, end in [*whole, (window.end, window.end)]:
        if reached < start:
            found.append((reached, start))
        reached = max(reached, end)
    return found


def clock_time(stamp: int) -> str:
    """`03:12:40.123Z` of a stamp in ns; with the date, because a record may be of any day."""
    at_second = datetime.fromtimestamp(stamp // 1_000_000_000, UTC)
    return f"{at_second:%Y-%m-%d %H:%M:%S}.{stamp % 1_000_000_000 // 1_000_000:03d}Z"
