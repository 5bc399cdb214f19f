"""What queues say of redelivery: the timeouts they keep, and how much they gave out again.

A broker that shows no single message still counts those it delivers for the second time. Says
nothing of which they were, nor why.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import polars as pl

from timeline.event import Kind, Lane
from timeline.window import SECOND_NS

if TYPE_CHECKING:
    from timeline.incident import Incident

TOGETHER_NS = 30 * SECOND_NS
"""Samples as near as this belong to one return of messages."""
BURST = 5
"""Messages given out again together: a single one is tried again on every night."""
FOLD = 4
"""And so many times what came back together in any other such stretch of the night."""


@dataclass(frozen=True, slots=True)
class Returned:
    """`count` messages of `queue` that were given out again from `start` to `end` (ns); in other
    stretches at most `usual` were. Rows are the first and the last sample."""

    source: str
    queue: str
    start: int
    end: int
    count: int
    usual: int
    rows: tuple[int, int]


def leases_of(incident: Incident) -> Mapping[str, tuple[int, ...]]:
    """Timeouts (ns) that queues state of themselves, by source."""
    events = incident.snapshot.events
    rows = events.select((pl.col("lane") == Lane.QUEUE.value).arg_true()).to_series()
    attribute = pl.col("attributes").str.json_path_match
    told = events[rows].select(
        pl.col("source").cast(pl.String),
        seconds=attribute("$.visibility_timeout_s").cast(pl.Float64, strict=False),
        from_text=attribute("$.redelivery_from").str.to_datetime(
            "%Y-%m-%dT%H:%M:%S%.f%:z", time_unit="us", strict=False
        ),
        stamp="timestamp",
    )
    stated = pl.coalesce(
        (pl.col("seconds") * 1_000_000_000).cast(pl.Int64),
        pl.col("from_text").dt.timestamp("us") * 1_000 - pl.col("stamp"),
    )
    known = told.select("source", lease=stated).drop_nulls().unique().sort("source", "lease")
    found: dict[str, tuple[int, ...]] = {}
    for source, lease in known.iter_rows():
        found[source] = (*found.get(source, ()), lease)
    return found


def returned(incident: Incident) -> list[Returned]:
    """The largest return of messages of every queue whose broker counts them, by its start."""
    events = incident.snapshot.events
    chosen = (pl.col("lane") == Lane.QUEUE.value) & (pl.col("kind") == Kind.METRIC.value)
    rows = events.select(chosen.arg_true().cast(pl.UInt32)).to_series()
    shown = events[rows].select(
        "timestamp",
        pl.col("source").cast(pl.String),
        row=rows,
        queue=pl.col("attributes").str.json_path_match("$.queue"),
        again=pl.col("attributes")
        .str.json_path_match("$.redelivered")
        .cast(pl.Int64, strict=False),
    )
    counted = shown.filter(pl.col("again") > 0).sort("timestamp", "row")
    near = pl.col("timestamp") - pl.col("timestamp").shift(1) <= TOGETHER_NS
    found = []
    for (source, queue), part in counted.group_by("source", "queue", maintain_order=True):
        stretches = (
            part.with_columns(run=(~near.fill_null(value=False)).cum_sum())
            .group_by("run", maintain_order=True)
            .agg(
                count=pl.col("again").sum(),
                start=pl.col("timestamp").first(),
                end=pl.col("timestamp").last(),
                first=pl.col("row").first(),
                last=pl.col("row").last(),
            )
            .sort("count", "start", descending=[True, False])
        )
        most, *others = stretches.iter_rows(named=True)
        usual = others[0]["count"] if others else 0
        if most["count"] >= max(BURST, FOLD * usual):
            edges = (most["first"], most["last"])
            span = (most["start"], most["end"])
            found.append(Returned(str(source), str(queue), *span, most["count"], usual, edges))
    return sorted(found, key=lambda one: (one.start, one.queue))
