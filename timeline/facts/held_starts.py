"""Work that stood still and then began all at once, as the starts themselves tell it.

Whoever holds work back leaves words of every kind, or none: a unit that is stopped, a deployment
of no replicas, a switch in a console. The starts show it in any case: those of one queue, or of one
service, end for minutes after they had come regularly, and come back as a crowd. Never says who did
it; `record_of` looks for the record that stands beside it.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, NamedTuple

import polars as pl

from timeline.event import Kind, Lane
from timeline.facts.pauses import UNDONE
from timeline.window import MINUTE_NS, SECOND_NS

if TYPE_CHECKING:
    from timeline.facts.starts import StartCounts
    from timeline.incident import Incident

LEAST_GAP_NS = 2 * MINUTE_NS
"""A shorter stillness is a restart, or chance."""
GAP_FOLD = 4
"""A gap this many times the longest but two of before is no chance of the traffic."""
USUAL_GAPS = 10
"""Starts before the stillness, for it to be one."""
CROWD_NS = MINUTE_NS
MIN_CROWD = 20
RECORD_BEFORE_NS = 90 * SECOND_NS
RECORD_AFTER_NS = 30 * SECOND_NS
"""How near a record of a change must stand to say who let the work go: workers take up to a minute
and a half to come up; a note is written a little later."""


class Stillness(NamedTuple):
    """No start of `by` from `held` to `released` (ns UTC); `row` is the first start after it."""

    by: str
    held: int
    released: int
    row: int


class Beside(NamedTuple):
    """The record of a change that stands beside a release."""

    timestamp: int
    row: int
    body: str


def stillnesses(told: StartCounts) -> Iterator[Stillness]:
    """Every long gap of starts that ends in a crowd, by queue or by service, in time order."""
    found = []
    for (by,), part in told.counts.group_by("by", maintain_order=True):
        gaps = part.with_columns(gap=pl.col("timestamp").diff(), nth=pl.int_range(pl.len()))
        long = gaps.filter((pl.col("gap") >= LEAST_GAP_NS) & (pl.col("nth") >= USUAL_GAPS))
        for nth, at, gap, row in long.select("nth", "timestamp", "gap", "row").iter_rows():
            usual = gaps.get_column("gap").slice(1, nth - 1).sort(descending=True)
            crowd = part.filter(pl.col("timestamp").is_between(at, at + CROWD_NS, "left"))
            if gap >= GAP_FOLD * int(usual[2]) and crowd["count"].sum() >= MIN_CROWD:
                found.append(Stillness(str(by or ""), at - gap, at, row))
    yield from sorted(found, key=lambda one: one.released)


def record_of(incident: Incident, still: Stillness) -> Beside | None:
    """The change or note nearest to the release, if any is near; a plan or a question is none."""
    told = incident.snapshot.told(
        (pl.col("lane").is_in([Lane.CHANGE.value, Lane.NOTE.value]))
        | ((pl.col("lane") == Lane.QUEUE.value) & (pl.col("kind") == Kind.CHANGE.value)),
        "body",
    )
    since, until = still.released - RECORD_BEFORE_NS, still.released + RECORD_AFTER_NS
    meant = ~pl.col("body").str.contains(f"(?i){UNDONE}")
    near = told.filter(pl.col("timestamp").is_between(since, until) & meant)
    if near.is_empty():
        return None
    apart = (pl.col("timestamp") - still.released).abs()
    row, at, body = near.sort(apart, "row").select("row", "timestamp", "body").row(0)
    return Beside(at, row, body)
