"""What the cluster counts for us: how many records, of which levels and services, in which bars.

Two searches without a document: a survey that decides how to read, and bars of time for a window
that is too large to be read. Counts are exact unless the cluster itself says otherwise, and then
every row says so. Reads answers and builds columns; sends nothing.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from connectors.answers import at, items, text, whole
from connectors.elasticsearch.queries import Bars, Stretch
from connectors.logs.jsonshape import JsonValue
from connectors.logs.levels import severity_of
from timeline.clean import clean
from timeline.event import SEVERITY_ERROR, SEVERITY_WARN, Lane

if TYPE_CHECKING:
    import polars as pl

MILLISECOND_NS = 1_000_000


@dataclass(frozen=True)
class Terms:
    """Values of one field with how many records hold each, the most frequent first."""

    values: tuple[tuple[str | int, int], ...] = ()
    others: int = 0
    """Records of values that are not listed."""
    error: int = 0
    """How much a listed count may be too low, as the cluster says; 0 when all are exact."""

    @classmethod
    def of(cls, answer: JsonValue) -> Terms:
        found: list[tuple[str | int, int]] = []
        for bucket in items(at(answer, "buckets")):
            value = at(bucket, "key")
            if isinstance(value, str | int):
                found.append((value, whole(at(bucket, "doc_count"))))
        others = whole(at(answer, "sum_other_doc_count"))
        return cls(tuple(found), others, whole(at(answer, "doc_count_error_upper_bound")))

    @property
    def complete(self) -> bool:
        """Whether every value is listed with its exact count."""
        return not (self.others or self.error)

    @property
    def total(self) -> int:
        return sum(count for _, count in self.values) + self.others


@dataclass(frozen=True)
class Survey:
    """The whole window in numbers: what is there, before anything but a preview is read."""

    total: int
    levels: Terms = field(default_factory=Terms)
    """By level value as indexed."""
    services: Terms = field(default_factory=Terms)

    @classmethod
    def of(cls, content: Mapping[str, JsonValue]) -> Survey:
        """The survey in a search answer."""
        told = at(content, "aggregations")
        total = whole(at(content, "hits", "total", "value"))
        return cls(total, Terms.of(at(told, "levels")), Terms.of(at(told, "services")))

    @property
    def without_level(self) -> int:
        """Records that carry no level the cluster can search by."""
        return max(0, self.total - self.levels.total)

    @property
    def tells_severity(self) -> bool:
        """Whether the level field alone tells every warning and error."""
        return self.levels.complete and not self.without_level

    def values(self, least: int, below: int = 256) -> list[JsonValue]:
        """The level values whose severity number lies in `[least, below)`."""
        found = [value for value, _ in self.levels.values]
        return [value for value in found if least <= severity_of(str(value)) < below]

    def count(self, least: int, below: int = 256) -> int:
        """How many records are known to be of such a severity."""
        held = self.levels.values
        return sum(n for value, n in held if least <= severity_of(str(value)) < below)

    def by_severity(self) -> dict[int, int]:
        """Records per severity number; 0 for those of no or of an unknown level."""
        found: dict[int, int] = {}
        for value, count in self.levels.values:
            severity = severity_of(str(value))
            found[severity] = found.get(severity, 0) + count
        if rest := self.total - sum(found.values()):
            found[0] = found.get(0, 0) + rest
        return found


@dataclass(frozen=True, slots=True)
class Count:
    """Records of one severity and one service in one bar."""

    severity: int
    service: str
    count: int
    exact: bool


@dataclass(frozen=True, slots=True)
class Bar:
    """One stretch of time and what it holds."""

    stretch: Stretch
    counts: tuple[Count, ...] = ()

    def above(self, severity: int) -> int:
        """Records of that severity or worse."""
        return sum(item.count for item in self.counts if item.severity >= severity)

    @property
    def total(self) -> int:
        return sum(item.count for item in self.counts)


def bars_in(content: Mapping[str, JsonValue], bars: Bars, *, whole_answer: bool) -> list[Bar]:
    """Every bar of the window, the empty ones too. Not exact unless `whole_answer`."""
    found = {
        whole(at(bucket, "key")): tuple(_counts(bucket, exact=whole_answer))
        for bucket in items(at(content, "aggregations", "bars", "buckets"))
    }
    nothing = (Count(0, "", 0, whole_answer),)
    return [Bar(stretch, found.get(start, nothing)) for start, stretch in bars.stretches()]


def _counts(bar: JsonValue, *, exact: bool) -> Iterator[Count]:
    """The counts of one bar; together they are all of its records."""
    levels = Terms.of(at(bar, "levels"))
    exact = exact and not levels.error
    left = whole(at(bar, "doc_count"))
    for bucket in items(at(bar, "levels", "buckets")):
        severity, of_level = severity_of(str(at(bucket, "key"))), whole(at(bucket, "doc_count"))
        left -= of_level
        services = Terms.of(at(bucket, "services"))
        for service, count in services.values:
            of_level -= count
            yield Count(severity, str(service), count, exact and not services.error)
        if of_level > 0:
            yield Count(severity, "", of_level, exact)
    if left > 0:
        yield Count(0, "", left, exact and not levels.others)


def counts_frame(source: str, bars: list[Bar], window_start: int, window_end: int) -> pl.DataFrame:
    """COUNT_SCHEMA of the bars, clipped to the window (ns)."""
    import polars as pl

    from timeline.columns import COUNT_SCHEMA

    rows = [(bar.stretch, item) for bar in bars for item in bar.counts]
    starts = [max(stretch.start * MILLISECOND_NS, window_start) for stretch, _ in rows]
    ends = [min(stretch.end * MILLISECOND_NS, window_end) for stretch, _ in rows]
    return (
        pl.DataFrame(
            {
                "source": [source] * len(rows),
                "lane": [Lane.LOG.value] * len(rows),
                "start": starts,
                "width": [end - start for start, end in zip(starts, ends, strict=True)],
                "severity_number": [item.severity for _, item in rows],
                "actor": [clean(item.service) for _, item in rows],
                "count": [item.count for _, item in rows],
                "exact": [item.exact for _, item in rows],
            },
            schema=COUNT_SCHEMA,
        )
        .group_by(
            [name for name in COUNT_SCHEMA if name not in ("count", "exact")], maintain_order=True
        )
        .agg(pl.col("count").sum(), pl.col("exact").all())
        .select(*COUNT_SCHEMA)
    )


def rare_in(content: Mapping[str, JsonValue]) -> list[JsonValue]:
    """Values of a rare-terms answer."""
    found = [at(bucket, "key") for bucket in items(at(content, "aggregations", "rare", "buckets"))]
    return [text(value) for value in found if text(value)]


def severe_name(least: int) -> str:
    """What a person calls everything from `least` on."""
    names = {SEVERITY_WARN: "warning or worse", SEVERITY_ERROR: "error or worse"}
    return names.get(least, f"severity {least} or worse")
