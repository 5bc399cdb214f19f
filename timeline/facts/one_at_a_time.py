"""Gauges that say which instance holds something only one may hold, and when two said so at once.

Nobody tells a metric system that a gauge is exclusive; the night does: sample after sample one
instance stands at 1 and the others at 0, and it was not always the same one. Only gauges that are 0
or 1 and that somebody holds most of the time are followed. Never says which of the two was right.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import polars as pl

from timeline.facts.ended_curves import LABELS

if TYPE_CHECKING:
    from timeline.incident import Incident

LEAST_SAMPLES = 20
"""Instants at which at most one held it, before that is a rule."""
HELD_SHARE = 0.5
"""Of these, how many somebody must hold it: two that are seldom busy meet seldom by themselves."""
LEAST_HOLDERS = 2
MEETING = 3
"""Instants in a row at which two hold it: one or two are a hand-over between two scrapes."""
MOST_GAUGES = 200
NEVER = r"(?i)^up$|_up$|_info$|ready|healthy|alive|connected|enabled"
"""Gauges of 0 and 1 that every instance holds by itself."""


@dataclass(frozen=True, slots=True)
class HeldByTwo:
    """`holders` stood at 1 of `gauge` together in `[start, end]` (ns, `samples` instants); before,
    at `alone` instants at most one did. `row` is the first point of the second holder."""

    gauge: str
    source: str
    holders: tuple[str, ...]
    start: int
    end: int
    samples: int
    alone: int
    row: int


def held_by_two(incident: Incident) -> list[HeldByTwo]:
    """By the start; the longest stretch of each gauge."""
    points = incident.points
    if points.is_empty():
        return []
    binary = pl.col("value").is_in([0.0, 1.0]).all().over("source", "measure")
    points = points.filter(binary & ~pl.col("measure").str.contains(NEVER))
    if points.is_empty():
        return []
    instance = pl.coalesce(pl.col("labels").str.json_path_match(f"$.{name}") for name in LABELS)
    others = pl.col("labels")
    for name in LABELS:
        others = others.str.replace(rf'"{name}": ?"[^"]*",? ?', "")
    named = points.with_columns(instance=instance, gauge=others).drop_nulls("instance")
    found = []
    groups = named.partition_by("source", "measure", "gauge", maintain_order=True)
    for part in groups[:MOST_GAUGES]:
        one = _held(part)
        if one is not None:
            found.append(one)
    return sorted(found, key=lambda one: (one.start, one.gauge))


def _held(part: pl.DataFrame) -> HeldByTwo | None:
    """The longest time two held one gauge that was held by one at most before."""
    if part.get_column("instance").n_unique() < LEAST_HOLDERS:
        return None
    held = part.filter(pl.col("value") == 1.0)
    every = part.group_by("timestamp").agg(holders=(pl.col("value") == 1.0).sum())
    every = every.sort("timestamp").with_columns(both=pl.col("holders") > 1)
    runs = every.with_columns(run=pl.col("both").rle_id())
    meetings = (
        runs.filter("both")
        .group_by("run", maintain_order=True)
        .agg(start=pl.col("timestamp").first(), end=pl.col("timestamp").last(), n=pl.len())
    )
    longest = meetings.filter(pl.col("n") >= MEETING).sort("n", descending=True).head(1)
    if longest.is_empty():
        return None
    start, end = int(longest["start"][0]), int(longest["end"][0])
    before = every.filter(pl.col("timestamp") < meetings["start"].min())
    turns = held.filter(pl.col("timestamp") < start).get_column("instance").n_unique()
    busy = before.filter(pl.col("holders") == 1).height
    if before.height < LEAST_SAMPLES or busy < HELD_SHARE * before.height or turns < LEAST_HOLDERS:
        return None
    during = held.filter(pl.col("timestamp").is_between(start, end))
    begun = held.group_by("instance").agg(
        since=pl.col("timestamp").filter(pl.col("timestamp") >= start).min()
    )
    names = during.group_by("instance").agg(n=pl.len()).join(begun, on="instance")
    holders = names.filter(pl.col("n") >= MEETING).sort("instance").get_column("instance")
    at_start = during.filter(pl.col("timestamp") == start).sort("instance")
    previous = held.filter(pl.col("timestamp") < start).sort("timestamp")["instance"][-1]
    joined = at_start.filter(pl.col("instance") != previous)
    first = joined if joined.height else at_start
    return HeldByTwo(
        gauge=str(part["measure"][0] or part["metric"][0]),
        source=str(part["source"][0]),
        holders=tuple(holders.to_list()),
        start=start,
        end=end,
        samples=int(longest["n"][0]),
        alone=before.height,
        row=int(first["row"][0]),
    )
