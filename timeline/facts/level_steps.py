"""Curves that left their level at an instant and stayed away from it.

Compared are all points of a series before the instant with those of the minutes after it; a level
that was only crossed now and then, a slow climb and a counter that always grows are no step. What
brought the step is for others to say.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import polars as pl

from timeline.facts.sight import read_until
from timeline.window import MINUTE_NS, SECOND_NS

if TYPE_CHECKING:
    from timeline.incident import Incident

PROMPT_NS = 90 * SECOND_NS
"""The step begins within this of the instant: rates are computed over a minute or more."""
AFTER_NS = 10 * MINUTE_NS
LEAST_BEFORE, LEAST_AFTER = 12, 5
"""Points that show a level, and points that stay away from it."""
FOLD = 3.0
"""Between the medians before and after,"""
CLEAR = 1.5
"""and between the nearest points of both."""
GROWS = r"(?i)(?:_total|_count|_sum|_bucket|timestamp|_info|_created)$"
"""Counters and stamps have no level."""


class LevelStep(NamedTuple):
    """A series and its medians `before` and `after`; `since` (ns UTC) is its first point of the new
    level, `row` that point's event. `actor` is the service that was measured."""

    series: str
    actor: str
    before: float
    after: float
    since: int
    last: int
    row: int


def level_steps(incident: Incident, at: int) -> list[LevelStep]:
    """Every step that begins at `at` (ns) or within `PROMPT_NS` after it, the clearest first."""
    points = incident.points
    until = min(at + AFTER_NS, read_until(incident))
    if points.is_empty() or until - at <= PROMPT_NS:
        return []
    points = points.filter((pl.col("timestamp") <= until) & ~pl.col("measure").str.contains(GROWS))
    stamp, value = pl.col("timestamp"), pl.col("value")
    early, late = value.filter(stamp < at), value.filter(stamp >= at + PROMPT_NS)
    told = points.group_by("series", "actor", maintain_order=True).agg(
        high=early.max(),
        low=early.min(),
        before=early.median(),
        known=early.len(),
        late_low=late.min(),
        late_high=late.max(),
        after=late.median(),
        stays=late.len(),
        last=stamp.max(),
    )
    told = told.filter(
        (pl.col("known") >= LEAST_BEFORE)
        & (pl.col("stays") >= LEAST_AFTER)
        & (pl.col("low") >= 0)
        & (pl.col("high") > 0)
    )
    risen = (pl.col("late_low") >= CLEAR * pl.col("high")) & (
        pl.col("after") >= FOLD * pl.col("before")
    )
    fallen = (CLEAR * pl.col("late_high") <= pl.col("low")) & (
        FOLD * pl.col("after") <= pl.col("before")
    )
    told = told.with_columns(risen=risen).filter(risen | fallen)
    if told.is_empty():
        return []
    away = pl.when("risen").then(value > pl.col("high")).otherwise(value < pl.col("low"))
    begun = (
        points.filter(stamp >= at)
        .join(told, on=["series", "actor"])
        .filter(away)
        .group_by("series", "actor", maintain_order=True)
        .agg(since=stamp.min(), row=pl.col("row").sort_by("timestamp").first())
    )
    found = told.join(begun, on=["series", "actor"]).filter(pl.col("since") <= at + PROMPT_NS)
    fold = (pl.col("after") + 1e-9) / (pl.col("before") + 1e-9)
    ordered = found.sort(pl.max_horizontal(fold, 1 / fold), "series", descending=[True, False])
    columns = ("series", "actor", "before", "after", "since", "last", "row")
    return [LevelStep(*values) for values in ordered.select(*columns).iter_rows()]
