"""Ends of attempts, by the queue or by the workers' logs: which job, on which worker, how it went.

The queue's word counts first. What it does not tell of an attempt, the worker that made it, is
taken from the log line of the same job within a second. Of jobs that no queue shows, or of which
it keeps fewer attempts than their workers wrote of (pg-boss keeps the last one only), the logs
tell all (`timeline.facts.handled`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from timeline.event import Kind
from timeline.facts.handled import FORM
from timeline.facts.jobs import ENDS

if TYPE_CHECKING:
    from timeline.incident import Incident

SAME_END_NS = 1_000_000_000
"""Queue and worker stamp one end within a second of each other."""

TRY_SCHEMA: dict[str, pl.DataType | type[pl.DataType]] = {
    "job": pl.String,  # the key
    "job_class": pl.String,  # empty where nobody tells
    "worker": pl.String,  # its host where a log tells it, else its name; empty for none
    "source": pl.String,
    "at": pl.Int64,  # when it ended
    "failed": pl.Boolean,
    "error": pl.String,  # empty for none
    "same": pl.String,  # the error without what differs each time
    "row": pl.UInt32,
}


def tries_in(incident: Incident) -> pl.DataFrame:
    """Every end of an attempt (TRY_SCHEMA), time order."""
    queue, logs = _of_queue(incident), _of_logs(incident)
    if logs.height:
        queue = _with_hosts(queue, logs)
        kept = queue.group_by("job").agg(pl.len().alias("kept"), pl.col("job_class").first())
        logs = logs.drop("job_class").join(kept, on="job", how="left", maintain_order="left")
        logs = logs.filter(pl.len().over("job") > pl.col("kept").fill_null(0))
        logs = logs.select(
            pl.col(name).fill_null("") if name == "job_class" else name for name in queue.columns
        )
        queue = queue.join(logs.select("job").unique(), on="job", how="anti", maintain_order="left")
    told = pl.concat([queue, logs]).with_columns(pl.col("error").fill_null(""))
    # An id stands in the error as often as its number does: each is cut with its token.
    told = told.with_columns(same=pl.col("error").str.replace_all(FORM, "#"))
    return told.select(pl.col(n).cast(t) for n, t in TRY_SCHEMA.items()).sort("at", "row")


def _of_queue(incident: Incident) -> pl.DataFrame:
    moves = incident.jobs.transitions.filter(pl.col("kind").is_in(ENDS))
    actor = incident.snapshot.events.get_column("actor").gather(moves.get_column("row"))
    named = moves.with_columns(actor.cast(pl.String).fill_null("").alias("actor"))
    own = pl.when(pl.col("actor") != pl.col("queue").fill_null("")).then("actor")
    return named.select(
        "job",
        pl.col("job_class").fill_null(""),
        pl.coalesce("worker", own, pl.lit("")).alias("worker"),
        "source",
        pl.col("timestamp").alias("at"),
        failed=pl.col("kind") != Kind.JOB_FINISHED.value,
        error=pl.when(pl.col("kind") != Kind.JOB_FINISHED.value).then("error"),
        row="row",
    )


def _of_logs(incident: Incident) -> pl.DataFrame:
    if incident.jobs.named.is_empty():
        return _of_queue(incident).clear()
    told = incident.handled.drop_nulls("end")
    return told.select(
        "job",
        job_class=pl.lit(""),
        worker=pl.when(pl.col("host") != "").then("host").otherwise("actor"),
        source="source",
        at="end",
        failed=pl.col("outcome") == "failed",
        error="error",
        row="end_row",
    )


def _with_hosts(queue: pl.DataFrame, logs: pl.DataFrame) -> pl.DataFrame:
    """`queue` with the workers that the lines of the same attempts name."""
    spoken = logs.select("job", "at", host="worker").sort("at")
    joined = queue.sort("at").join_asof(
        spoken,
        on="at",
        by="job",
        strategy="nearest",
        tolerance=SAME_END_NS,
        check_sortedness=False,
    )
    return joined.with_columns(worker=pl.coalesce("host", "worker")).drop("host")
