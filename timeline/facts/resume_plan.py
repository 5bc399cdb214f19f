"""How many workers reach the load that the systems below stood before it went wrong.

An estimate with its assumptions said: one job at a time per worker, jobs that take what they took
before, and a database that stands what it stood. It never says that this is safe.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import polars as pl

from timeline.facts.rates import MINUTE_NS

if TYPE_CHECKING:
    from timeline.facts.backlogs import QueueHistory
    from timeline.incident import Incident

MIN_STARTS = 20
"""Starts before the rise below which their highest rate is chance."""
MIN_RUNS = 10
"""Runs whose median is called what a job takes."""
ASSUMPTIONS = (
    "each worker runs one job at a time",
    "a job takes what it took before",
    "what is below stands the highest start rate of before, and nothing else loads it more",
)


@dataclass(frozen=True, slots=True)
class ResumePlan:
    """`highest` starts in any one minute before; one worker begins `per_worker` a minute.

    `workers` is how many of them stay at or below `highest`: 0 where a single one exceeds it.
    `seen` is how many workers the queue named before. `takes` is the median run, ns.
    """

    highest: int
    takes: int
    per_worker: float
    workers: int
    seen: int
    starts: int
    assumptions: tuple[str, ...] = ASSUMPTIONS


def resume_plan(incident: Incident, history: QueueHistory, until: int) -> ResumePlan | None:
    """The plan for one queue, from its starts and runs before `until` (ns); None if too few."""
    start = max(incident.window.start, history.kept_from)
    starts = history.starts(start, until)
    if starts.len() < MIN_STARTS:
        return None
    per_minute = (starts // MINUTE_NS).value_counts().get_column("count")
    jobs = history.moves.get_column("job").unique()
    runs = incident.jobs.runs.filter(
        pl.col("job").is_in(jobs.implode())
        & pl.col("end").is_not_null()
        & pl.col("start").is_between(start, until, "left")
    )
    if runs.height < MIN_RUNS:
        return None
    lengths = runs.get_column("end") - runs.get_column("start")
    takes = int(lengths.quantile(0.5, "lower") or 0)
    highest, per_worker = max(per_minute.to_list()), MINUTE_NS / max(takes, 1)
    seen = runs.get_column("worker").drop_nulls().n_unique()
    return ResumePlan(highest, takes, per_worker, int(highest / per_worker), seen, starts.len())
