"""Starts of jobs: with the worker that took them where a record names it, and how many began when.

Queues tell them one by one, or only how many messages were handed out between two samples; workers
log them, whatever the queue keeps; a depth that falls tells of at least so many. Each way is kept
apart, with the sources that it rests on.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import polars as pl

from timeline.event import Kind, Lane
from timeline.facts.backlogs import depth_curves

if TYPE_CHECKING:
    from timeline.incident import Incident


class Start(NamedTuple):
    """One start of the job with key `job`; `worker` is empty when nobody names it (ns UTC)."""

    job: str
    timestamp: int
    row: int
    worker: str
    source: str


def starts_of(incident: Incident, moves: pl.DataFrame) -> Mapping[str, tuple[Start, ...]]:
    """The starts among `moves` (TRANSITION_SCHEMA) by job, each in time order."""
    begun = moves.filter(pl.col("kind") == Kind.JOB_STARTED.value).sort("timestamp", "seq")
    if begun.is_empty():
        return {}
    actor = incident.snapshot.events.get_column("actor").gather(begun.get_column("row"))
    known = begun.with_columns(actor.cast(pl.String).fill_null("").alias("actor"))
    worker = pl.when(pl.col("actor") == pl.col("queue").fill_null("")).then(pl.lit(""))
    once = pl.len().over("job") == 1
    told = known.with_columns(worker=worker.otherwise("actor"), last=pl.col("worker").fill_null(""))
    told = told.with_columns(
        worker=pl.when((pl.col("worker") == "") & once).then("last").otherwise("worker")
    )
    found: dict[str, list[Start]] = {}
    for values in told.select("job", "timestamp", "row", "worker", "source").iter_rows():
        found.setdefault(values[0], []).append(Start(*values))
    return {job: tuple(starts) for job, starts in found.items()}


COUNT_SCHEMA: dict[str, pl.DataType | type[pl.DataType]] = {
    "timestamp": pl.Int64,
    "row": pl.UInt32,
    "queue": pl.String,
    "source": pl.String,
    "by": pl.String,  # the queue, or who handled it where workers' logs tell; may be empty
    "count": pl.Int64,  # runs that began at `timestamp`, or since the sample before
}
HANDED_OUT = ("delivered", "received", "started")
"""How queues that only count call the messages that consumers took."""


@dataclass(frozen=True, slots=True)
class StartCounts:
    """Starts by one way of telling them. `counts` has COUNT_SCHEMA, time order."""

    counts: pl.DataFrame

    @property
    def sources(self) -> tuple[str, ...]:
        return tuple(sorted(self.counts.get_column("source").unique().to_list()))

    def between(self, start: int, end: int) -> pl.DataFrame:
        return self.counts.filter(pl.col("timestamp").is_between(start, end, "left"))

    def most_in(self, width: int, start: int, end: int) -> int:
        """The most that began in any whole stretch of `width` ns within `[start, end)`."""
        inside = self.between(start, end)
        stretch = pl.col("timestamp") // width
        counts = inside.group_by(stretch).agg(pl.col("count").sum()).get_column("count")
        return max(counts.to_list(), default=0)


def start_counts(incident: Incident) -> Iterator[StartCounts]:
    """Every way in which starts are told: by the queue, by workers' logs, by a queue's counters, by
    a depth that falls between two samples."""
    moves = incident.jobs.transitions.filter(pl.col("kind") == Kind.JOB_STARTED.value)
    once = moves.with_columns(by="queue", count=pl.lit(1))
    handled = incident.handled.select(
        "source", timestamp="start", row="start_row", queue=pl.lit(""), by="actor", count=pl.lit(1)
    )
    drained = depth_curves(incident).filter(pl.len().over("series") > 1)
    fell = drained.with_columns(count=-pl.col("depth").diff().over("series"), by="queue")
    counted = _counted(incident).with_columns(by="queue")
    for told in (once, handled, counted, fell.filter(pl.col("count") > 0)):
        if told.height:
            typed = told.select(pl.col(name).cast(dtype) for name, dtype in COUNT_SCHEMA.items())
            yield StartCounts(typed.sort("timestamp", "row"))


def _counted(incident: Incident) -> pl.DataFrame:
    told = incident.snapshot.told(
        (pl.col("lane") == Lane.QUEUE.value) & (pl.col("kind") == Kind.METRIC.value),
        "source",
        "attributes",
    )
    figures = (pl.col("attributes").str.json_path_match(f"$.{name}") for name in HANDED_OUT)
    queue = pl.col("attributes").str.json_path_match("$.queue").fill_null("")
    count = pl.coalesce(*figures).cast(pl.Int64, strict=False)
    return told.with_columns(queue=queue, count=count).filter(pl.col("count") > 0)
