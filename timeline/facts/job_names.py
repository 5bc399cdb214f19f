"""Under which keys logs and queues speak of a job: its job id, or what its broker calls it.

SQS and RabbitMQ know messages, Celery tasks: their consumers log `messageId=…` where others log a
job id. Such a key names a job only when one worker wrote of it more than once outside of any
request, and when it names no row: the messages of a chat are things, not work.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from timeline.event import Lane
from timeline.facts.entities import all_of_type, pairs_of_type

if TYPE_CHECKING:
    from timeline.store import Snapshot

OTHER_TYPES = ("message", "msg", "task", "delivery")
"""Types of keys by which consumers name what they took from a queue, beside `job`."""
LEAST_LINES = 2
"""Of one actor about one message: that it took it, and what became of it. One line alone may be
about a mail that was sent or a message that was stored,"""
HABIT = 0.8
"""unless the actor wrote more about nearly all others of this type: the work may have been cut."""


def job_names(snapshot: Snapshot) -> pl.DataFrame:
    """(row, job): every event that names a job, with the key it names it by."""
    named = all_of_type(snapshot, "job").rename({"key": "job"})
    key = pl.col("key")
    other = snapshot.keys.filter(pl.any_horizontal(*(_of(key, kind) for kind in OTHER_TYPES)))
    if other.is_empty():
        return named
    # Beside a job's own id it is something else: the mail that the job sent.
    other = other.join(named.select("row"), on="row", how="anti").rename({"key": "job"})
    work = _at_work(snapshot, other)
    # Producer and consumer may call one job by two names for its one id.
    value = pl.concat_str(pl.lit("job:"), pl.col("job").str.replace("^[^:]*:", ""))
    known = value.is_in(named.get_column("job").unique().implode())
    work = work.with_columns(job=pl.when(known).then(value).otherwise("job"))
    return pl.concat([named, work])


def _of(key: pl.Expr, kind: str) -> pl.Expr:
    return key.str.starts_with(f"{kind}:")


def _at_work(snapshot: Snapshot, other: pl.DataFrame) -> pl.DataFrame:
    """Those of `other` that a worker wrote of as it would of a job."""
    rows = other.get_column("row")
    lane, actor = (snapshot.events.get_column(name).gather(rows) for name in ("lane", "actor"))
    told = other.with_columns(lane=lane, actor=actor, kind=pl.col("job").str.extract("^([^:]*)"))
    stored = told.filter(pl.col("lane") == Lane.DATABASE.value).get_column("kind").unique()
    told = told.filter(~pl.col("kind").is_in(stored.implode()))
    served = pairs_of_type(snapshot.keys_of(rows), "request").select("row")
    alone = told.filter(pl.col("lane") == Lane.LOG.value).join(served, on="row", how="anti")
    often = alone.group_by("kind", "actor", "job").agg(often=pl.len() >= LEAST_LINES)
    habit = pl.col("often").mean().over("kind", "actor") >= HABIT
    work = often.filter(pl.col("often") | habit).get_column("job").unique()
    return told.filter(pl.col("job").is_in(work.implode())).select(other.columns)
