"""Whose clock stamped what a queue only says "some worker" wrote: the worker named in the record.

A queue's record names the worker that ran the job, and the worker stamps its own steps. A worker
runs on one machine, so all steps under one name are stamps of one clock: that of the machine whose
name stands in the worker's (`app@w-2`, `w-2:7:3fa1`). Where no machine's does, the clock is that
of some host that bears the worker's own name: workers of one name may run on several. Without a
name nothing is said, and the clock stays that of some host of the whole group.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import polars as pl

from timeline.clock import is_one_clock
from timeline.event import Kind

if TYPE_CHECKING:
    from timeline.incident import Incident

LEAST_JOBS = 6
"""Jobs of one worker, so many that its clock can be judged alone; names that change with every
process stay with their group."""
NAME_PARTS = r"[^\w.-]+|_"
"""What parts a machine's name from a process's number or an application in a worker's name."""


def with_workers_clocks(incident: Incident, moves: pl.DataFrame) -> pl.DataFrame:
    """`moves` (clock, kind, job, worker) without `worker`, and with the clock of the named worker
    where the record gives a group of hosts."""
    groups = [name for name in moves.get_column("clock").unique() if not is_one_clock(name)]
    own = pl.col("clock").is_in(groups) & (pl.col("kind") != Kind.JOB_ENQUEUED.value)
    named = moves.filter(own & (pl.col("worker").fill_null("") != ""))
    often = named.group_by("worker").agg(jobs=pl.col("job").n_unique())
    names = often.filter(pl.col("jobs") >= LEAST_JOBS).get_column("worker").sort().to_list()
    if not names:
        return moves.drop("worker")
    hosts = incident.snapshot.events.get_column("clock").unique().cast(pl.String).drop_nulls()
    known = {host for host in hosts if host and is_one_clock(host)}
    clocks = {name: _machine(name, known) for name in names}
    renamed = pl.col("worker").replace_strict(clocks, default=None, return_dtype=pl.String)
    return moves.with_columns(
        clock=pl.when(own).then(pl.coalesce(renamed, "clock")).otherwise("clock")
    ).drop("worker")


def _machine(worker: str, known: set[str]) -> str:
    """The one of the `known` clocks that stands in the worker's name, else some host's of it."""
    parts = {worker, *re.split(NAME_PARTS, worker)}
    held = sorted(parts & known)
    return held[0] if len(held) == 1 else f"{worker}?"
