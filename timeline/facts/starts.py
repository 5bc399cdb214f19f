"""Starts of jobs with the worker that took them, where any record names it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, NamedTuple

import polars as pl

from timeline.event import Kind

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
