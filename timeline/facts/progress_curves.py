"""Two curves of one teller: a number that stays, and one that climbs toward it and stands still.

A batch that measures itself says how many items there are and how many are done. The same pair of
shapes is a limit and what is used of it; a batch begins at nothing, counts whole things, never goes
back, and its whole is set when it begins.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import TYPE_CHECKING

import polars as pl

from timeline.facts.stated import IDLE_NS, MIN_STATED, StatedBatch
from timeline.window import MINUTE_NS

if TYPE_CHECKING:
    from timeline.incident import Incident

LEAST_VALUES = 4
"""Different values before it is a climb."""
FROM_NOTHING = 0.05
"""Part of the whole at which a climb begins at most: what begins higher is a level."""
PATIENCE_FOLD = 5
"""It stands still after this multiple of the longest time without a step while it climbed."""
SET_WITHIN_NS = 2 * MINUTE_NS
"""The whole of a batch is set about when its climb begins."""
MOST_CURVES = 12
"""Curves of one set of labels; a process that measures more does not measure one batch."""
LIMIT = "the number that stays may be a limit rather than what there is to do"


@dataclass(frozen=True, slots=True)
class Curve:
    """One series in time order (`stamps` ns UTC)."""

    metric: str
    actor: str
    stamps: list[int]
    values: list[float]
    rows: list[int]

    def settled(self) -> int:
        """The place from which on it has its last value."""
        place = len(self.values) - 1
        while place and self.values[place - 1] == self.values[-1]:
            place -= 1
        return place

    def ascent(self) -> int:
        """The place from which on it never goes back."""
        place = len(self.values) - 1
        while place and self.values[place - 1] <= self.values[place]:
            place -= 1
        return place


def short_curves(incident: Incident) -> Iterator[StatedBatch]:
    """Work that stands still below its own number, by the curves that tell of it."""
    points = incident.points
    if points.is_empty():
        return
    whole = pl.col("value") == pl.col("value").round(0)
    ends = points.group_by("source", "labels", "metric", maintain_order=True).agg(
        pl.col("actor").first(), pl.col("timestamp", "value", "row"), counts=whole.all()
    )
    several = pl.len().over("source", "labels").is_between(2, MOST_CURVES)
    ends = ends.filter("counts").filter(several)
    for (source, labels), part in ends.group_by("source", "labels", maintain_order=True):
        curves = [
            Curve(metric, actor, stamps, values, rows)
            for _, _, metric, actor, stamps, values, rows, _ in part.iter_rows()
        ]
        for total in curves:
            for one in curves:
                if total is not one and (found := _short(str(source), total, one)):
                    yield _named(found, str(labels))


def _short(source: str, total: Curve, one: Curve) -> StatedBatch | None:
    whole, reached = total.values[-1], one.values[-1]
    if whole < MIN_STATED or not 0 < reached < whole:
        return None
    begin, still, since = one.ascent(), one.settled(), total.settled()
    climbed = one.values[begin : still + 1]
    if climbed[0] > FROM_NOTHING * whole or len(set(climbed)) < LEAST_VALUES:
        return None
    moved = max((p for p in range(begin, still) if one.values[p] == climbed[0]), default=begin)
    if total.stamps[since] > one.stamps[still]:
        return None  # another whole than the one that it climbed toward
    changes = [
        one.stamps[p]
        for p in range(moved, still + 1)
        if p == moved or one.values[p] != one.values[p - 1]
    ]
    usual = max((b - a for a, b in pairwise(changes)), default=0)
    last = one.stamps[still]
    if one.stamps[-1] - last <= max(IDLE_NS, PATIENCE_FOLD * usual):
        return None
    began = one.stamps[moved]
    set_then = since > 0 and abs(total.stamps[since] - began) <= SET_WITHIN_NS
    return StatedBatch(
        actor=one.actor,
        source=source,
        things="items",
        total=int(whole),
        done=int(reached),
        failed=0,
        how=f"by {one.metric} against {total.metric}",
        began=began,
        last=last,
        closed=False,
        rows=(total.rows[since], one.rows[still]),
        doubt="" if set_then else LIMIT,
    )


def _named(found: StatedBatch, labels: str) -> StatedBatch:
    """A batch that pushed its figures is named by the job that it pushed for, not by the gateway
    (Prometheus documentation, "honor_labels": the scraped label becomes `exported_job`)."""
    told = json.loads(labels)
    name = told.get("exported_job") if isinstance(told, dict) else None
    return replace(found, actor=str(name)) if name else found
