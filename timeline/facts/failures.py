"""Failing events and whom they hurt: one victim key per failing event.

A failing event is a known error, a line at ERROR or above, or a job that failed. The victim is the
entity it concerns; without one, the job; without one, the request.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from timeline.event import SEVERITY_ERROR, Lane
from timeline.facts.entities import entity_pairs, pairs_of_type
from timeline.facts.errors import JOB_FAILURES

if TYPE_CHECKING:
    from timeline.incident import Incident

FAILURE_SCHEMA: dict[str, pl.DataType | type[pl.DataType]] = {
    "row": pl.UInt32,
    "timestamp": pl.Int64,
    "source": pl.String,
    "actor": pl.String,
}


def failures_in(incident: Incident) -> pl.DataFrame:
    """FAILURE_SCHEMA of all failing events inside the window, time order.

    Events outside the window were looked up by key and would count the past as present.
    """
    events, window = incident.snapshot.events, incident.window
    severe = (pl.col("lane") == Lane.LOG.value) & (pl.col("severity_number") >= SEVERITY_ERROR)
    failed = pl.col("kind").is_in(JOB_FAILURES)
    rows = events.select((severe | failed).arg_true().cast(pl.UInt32)).to_series()
    rows = pl.concat([rows, incident.errors.get_column("row")]).unique()
    told = events.select(pl.col("timestamp", "source", "actor").gather(rows)).with_columns(
        pl.col("source", "actor").cast(pl.String), row=rows
    )
    inside = told.filter(pl.col("timestamp").is_between(window.start, window.end, "left"))
    return inside.select(*FAILURE_SCHEMA).sort("timestamp", "source", "row")


def victims_of(incident: Incident, failures: pl.DataFrame) -> pl.DataFrame:
    """(row, timestamp, key): the victims of the failing events that have one.

    An error line that names no entity borrows the only one of its request, then of its job.
    """
    direct = _held(incident, failures.get_column("row"))
    rest = failures.join(direct, on="row", how="anti")
    borrowed = _borrowed(incident, rest)
    rest = rest.join(borrowed, on="row", how="anti")
    of_job = _of_job(incident, rest)
    rest = rest.join(of_job, on="row", how="anti")
    keys = incident.snapshot.keys_of(rest.get_column("row"))
    named = pl.concat([pairs_of_type(keys, name) for name in ("job", "request", "trace")])
    named = named.unique("row", keep="first", maintain_order=True)
    pairs = pl.concat([direct, borrowed, of_job, named], how="vertical_relaxed")
    return failures.select("row", "timestamp").join(pairs, on="row").sort("timestamp", "row", "key")


def _held(incident: Incident, rows: pl.Series) -> pl.DataFrame:
    pairs = entity_pairs(incident.snapshot.keys_of(rows))
    return pairs.filter(~pl.col("key").is_in(list(incident.snapshot.broad_keys)))


def _of_job(incident: Incident, failures: pl.DataFrame) -> pl.DataFrame:
    """(row, key) where the event names a job that is about exactly one entity."""
    if failures.is_empty():
        return incident.snapshot.keys.clear()
    keys = incident.snapshot.keys_of(failures.get_column("row"))
    jobs = pairs_of_type(keys, "job").rename({"key": "job"})
    if jobs.is_empty():
        return keys.clear()
    pairs = jobs.join(incident.jobs.entities, on="job").select("row", "key").unique()
    return pairs.filter(pl.len().over("row") == 1)


def _borrowed(incident: Incident, failures: pl.DataFrame) -> pl.DataFrame:
    executions = incident.executions
    mine = executions.of_rows(failures.get_column("row")).rename({"row": "failure"})
    if mine.is_empty():
        return incident.snapshot.keys.clear()
    members = executions.rows_of(mine.get_column("execution").unique())
    keys = _held(incident, members.get_column("row").unique())
    pairs = mine.join(members, on="execution").join(keys, on="row").select("failure", "key")
    only = pairs.unique().filter(pl.len().over("failure") == 1)
    return only.select(pl.col("failure").alias("row"), "key")
