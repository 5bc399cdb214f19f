"""Which actors run jobs. Names differ between a queue's workers and the logs they write, so the
role is read from what actors log, not from what they are called."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from timeline.event import Lane
from timeline.facts.entities import all_of_type
from timeline.facts.pushers import pushing_actors

if TYPE_CHECKING:
    from timeline.incident import Incident

RUN_SLACK_NS = 1_000_000_000
"""How far outside a job's run its worker's lines may stand; worker and queue clocks differ."""


def worker_actors(incident: Incident) -> frozenset[str]:
    """Log actors that run jobs and serve no requests.

    An actor runs jobs when it writes lines under a job key, or about a job's entity while that
    job runs, or when the queue names it as a worker.
    """
    requests = all_of_type(incident.snapshot, "request").select("row")
    others = _log_actors(incident, None) - _log_actors(incident, requests)
    if not others:
        return frozenset()
    job_rows = incident.jobs.named.select("row").unique()
    named = incident.jobs.transitions.get_column("worker").drop_nulls().unique().to_list()
    runs_jobs = _log_actors(incident, job_rows.join(requests, on="row", how="anti"))
    runs_jobs.update(named)
    if not others <= runs_jobs:
        runs_jobs |= _actors_during_runs(incident)
    return frozenset(others & runs_jobs) - _pushers(incident, requests)


def _pushers(incident: Incident, requests: pl.DataFrame) -> frozenset[str]:
    """Actors that write of a job only as they hand it over. Who asks about it while serving a
    request takes up nothing."""
    named = incident.jobs.named.join(requests, on="row", how="anti")
    events = incident.snapshot.events
    rows = named.get_column("row")
    shown = [events.get_column(name).gather(rows) for name in ("lane", "actor", "timestamp")]
    lines = named.hstack(shown).filter(pl.col("lane") == Lane.LOG.value)
    return frozenset(pushing_actors(lines.with_columns(pl.col("actor").cast(pl.String))).to_list())


def _actors_during_runs(incident: Incident) -> set[str]:
    jobs = incident.jobs
    spans = jobs.runs.drop_nulls("end").select("job", "start", "end")
    if spans.is_empty() or jobs.entities.is_empty():
        return set()
    spans = spans.join(jobs.entities, on="job").select("key", "start", "end")
    snapshot = incident.snapshot
    keys = spans.get_column("key").unique()
    held = snapshot.keys.filter(pl.col("key").is_in(keys.implode()))
    times = snapshot.events.get_column("timestamp")
    held = held.with_columns(at=times.gather(held.get_column("row"))).join(spans, on="key")
    during = held.filter(
        pl.col("at").is_between(pl.col("start") - RUN_SLACK_NS, pl.col("end") + RUN_SLACK_NS)
    )
    return _log_actors(incident, during.select("row"))


def _log_actors(incident: Incident, rows: pl.DataFrame | None) -> set[str]:
    """Actors of the log lines among `rows`, or of all log lines."""
    lane, actor = (incident.snapshot.events.get_column(name) for name in ("lane", "actor"))
    if rows is not None:
        lane, actor = (column.gather(rows.get_column("row")) for column in (lane, actor))
    return {str(name) for name in actor.filter(lane == Lane.LOG.value).unique() if name}
