"""When jobs ran, as stretches of time, and how many ran at once.

A run whose end nobody told is open: it may run still, or the queue forgot how it ended. It is
never given an end. Built from the queue's own transitions; log lines tell no start.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

if TYPE_CHECKING:
    from timeline.incident import Incident

SPAN_SCHEMA: dict[str, pl.DataType | type[pl.DataType]] = {
    "source": pl.String,
    "start": pl.Int64,  # ns UTC
    "end": pl.Int64,  # ns UTC, null while open
}


def job_spans(incident: Incident) -> pl.DataFrame:
    """One line for every run that a queue told the start of (SPAN_SCHEMA)."""
    runs = incident.jobs.runs
    sources = incident.snapshot.events.get_column("source").gather(runs.get_column("start_row"))
    told = runs.select("start", "end").with_columns(source=sources.cast(pl.String))
    return told.select(pl.col(name).cast(dtype) for name, dtype in SPAN_SCHEMA.items())


def most_at_once(spans: pl.DataFrame, start: int, width: int, buckets: int) -> list[int]:
    """The most spans that ran at one instant of each of `buckets` stretches of `width` ns.

    The first stretch begins at `start`. A span ends just before its `end`; an open one runs on.
    """
    begun = spans.select(at="start", change=pl.lit(1, pl.Int64), last=pl.col("start"))
    ended = spans.select(at="end", change=pl.lit(-1, pl.Int64), last=pl.col("end") - 1)
    levels = (
        pl.concat([begun, ended.drop_nulls("at")])
        .sort("at", "change")
        .with_columns(
            level=pl.col("change").cum_sum(),
            bucket=((pl.col("last") - start) // width).clip(-1, buckets),
        )
        .group_by("bucket")
        .agg(most=pl.col("level").max(), last=pl.col("level").last())
    )
    told = {bucket: (most, last) for bucket, most, last in levels.iter_rows()}
    running = told.get(-1, (0, 0))[1]
    counts = []
    for bucket in range(buckets):
        most, last = told.get(bucket, (running, running))
        counts.append(max(most, running))
        running = last
    return counts
