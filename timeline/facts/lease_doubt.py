"""What speaks against the death of a worker where nothing but the lease of its job has run out.

A lease is renewed by whoever holds the job. That nobody renewed it may be the end of the worker, or
of that one job alone: a worker that goes on with other work under its name has at least come up
again. Never says that the job was not lost.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from timeline.facts.words import counted, instant

if TYPE_CHECKING:
    from timeline.facts.lost_attempt import LostAttempt
    from timeline.incident import Incident

LEASE_LIKE = frozenset({"celery"})
"""Queues whose `overdue` is no missed heartbeat: a job that takes long looks the same."""
PAUSE_FOLD = 2
"""Of its longest pause: who has begun nothing for longer than that may have ended with the job."""
FEWEST = 3
"""Other jobs that a worker began since, below which it may have been ending all the while."""


def lease_doubt(incident: Incident, one: LostAttempt, system: str) -> str:
    """Why the worker of an overdue attempt may live; empty when nothing says so.

    `system` is the connector's name of the queue that holds the lease.
    """
    if system in LEASE_LIKE:
        return "only its lease has run out; a job that takes long looks the same"
    if not (one.worker or one.host):
        return "only its lease ran out: no record names the worker, no log tells whether it went on"
    return _went_on_under_its_name(incident, one)


def _went_on_under_its_name(incident: Incident, one: LostAttempt) -> str:
    """Words for the other jobs that the very worker began until the overdue one was looked at, if
    the last of them is no further back than its pauses let expect; empty otherwise."""
    if not one.worker or one.start is None:
        return ""
    stamp = pl.col("start")
    runs = incident.jobs.runs.filter((pl.col("worker") == one.worker) & (stamp < one.noticed))
    others = runs.filter(pl.col("job") != one.job).get_column("start").sort()
    since = others.filter(others > one.start)
    if since.len() < FEWEST:
        return ""
    last, pauses = int(since[-1]), others.diff().drop_nulls().to_list()
    if one.noticed - last > PAUSE_FOLD * max(pauses):
        return ""
    return (
        f"only its lease ran out: {one.worker} began {counted(since.len(), 'other job')} since, "
        f"the last at {instant(last)}"
    )
