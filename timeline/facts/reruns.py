"""Jobs that ended badly and were put on the queue again by hand, and what each run worked on.

A dashboard's "retry" keeps the job's id, "run now" makes another of the same class and arguments;
an automatic retry is neither, for its queue calls it one. What a run worked on are the things that
the log names while it went on and that another of the runs names in the same order: lines about the
work need not carry the job's id.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

import polars as pl

from timeline.event import SEVERITY_ERROR, Kind, Lane
from timeline.facts.batches import entity_keys
from timeline.facts.passes import IN_ORDER, LEAST_AGAIN
from timeline.facts.sight import read_until
from timeline.window import SECOND_NS

if TYPE_CHECKING:
    from timeline.incident import Incident

LEAST_RUN_NS = 10 * SECOND_NS
"""What never lasts so long is a request, not a batch."""
MOST_RUNS = 8
"""What is begun more often within a window is a loop, not a person."""
MOST_OPERATIONS = 10
BADLY = (Kind.JOB_FAILED.value, Kind.JOB_DEAD.value)
SIGNS = ("key", "row", "source", "at", "sign", "press")


@dataclass(frozen=True, slots=True)
class Rerun:
    """One run of `operation`: pushed by the event `row` at `pushed`, over at `ended` (ns UTC)."""

    operation: str
    job: str
    pushed: int
    ended: int
    row: int
    failed: bool


def reruns(incident: Incident) -> Iterator[tuple[tuple[Rerun, ...], pl.DataFrame, str]]:
    """Runs of one operation of which the first ended badly, their items, and the items' kind.

    The frame has a sign of each item for each run (SIGNS, time order).
    """
    for runs in _operations(incident)[:MOST_OPERATIONS]:
        found = _items(incident, runs)
        if found is not None:
            yield runs, *found


def _operations(incident: Incident) -> list[tuple[Rerun, ...]]:
    jobs = incident.jobs.summary.drop_nulls("job_class")
    if jobs.is_empty():
        return []
    moves = incident.jobs.transitions.join(
        jobs.select("job", "job_class", pl.col("args").fill_null("")), on="job"
    )
    bad, pushed = pl.col("kind").is_in(BADLY), pl.col("kind") == Kind.JOB_ENQUEUED.value
    call = ("job_class", "args")
    several = pushed.sum().over(call).is_between(2, MOST_RUNS) & bad.any().over(call)
    held = moves.filter(several & (pl.col("timestamp") >= incident.window.start))
    if held.is_empty():
        return []
    told: list[tuple[Rerun, ...]] = []
    for (name, args), part in held.sort("timestamp", "row").group_by(*call, maintain_order=True):
        operation = f"{str(name).rpartition('.')[2]}({args})"
        starts = part.filter(pushed)
        ends = part.filter(bad | (pl.col("kind") == Kind.JOB_FINISHED.value))
        runs: list[Rerun] = []
        for one in starts.iter_rows(named=True):
            after = ends.filter(
                (pl.col("timestamp") > one["timestamp"]) & (pl.col("job") == one["job"])
            )
            over = int(after["timestamp"][0]) if after.height else read_until(incident)
            failed = bool(after.height) and after["kind"][0] in BADLY
            runs.append(Rerun(operation, one["job"], one["timestamp"], over, one["row"], failed))
        first = runs[0] if runs else None
        if first and first.failed and len(runs) > 1:
            apart = all(two.pushed >= one.ended for one, two in pairwise(runs))
            if apart and max(run.ended - run.pushed for run in runs) >= LEAST_RUN_NS:
                told.append(tuple(runs))
    return told


def _items(incident: Incident, runs: tuple[Rerun, ...]) -> tuple[pl.DataFrame, str] | None:
    """The things named in one order in two or more runs; None where there are none."""
    lines = incident.snapshot.told(
        (pl.col("lane") == Lane.LOG.value)
        & pl.any_horizontal(pl.col("timestamp").is_between(r.pushed, r.ended) for r in runs),
        "source",
        "actor",
        "severity_number",
    )
    spans = pl.DataFrame(
        [(number, run.pushed, run.ended) for number, run in enumerate(runs)],
        schema={"press": pl.Int64, "pushed": pl.Int64, "ended": pl.Int64},
        orient="row",
    )
    timed = lines.sort("timestamp").join_asof(
        spans.sort("pushed"), left_on="timestamp", right_on="pushed", strategy="backward"
    )
    pairs = entity_keys(incident, timed.get_column("row")).join(timed, on="row")
    kind = pl.col("key").str.extract(r"^([^:]+):", 1)
    pairs = pairs.with_columns(kind=kind, actor=pl.col("actor").cast(pl.String))
    pairs = pairs.sort("timestamp", "row")
    best: tuple[pl.DataFrame, str] | None = None
    for (name, _), part in pairs.group_by("kind", "actor", maintain_order=True):
        again = part.filter(pl.col("press").n_unique().over("key") > 1)
        common = again.get_column("key").n_unique()
        if common < LEAST_AGAIN or not _in_one_order(again):
            continue
        if best is None or common > best[0].get_column("key").n_unique():
            best = (part, str(name))
    if best is None:
        return None
    sign = pl.when(pl.col("severity_number") >= SEVERITY_ERROR)
    signs = best[0].with_columns(
        at="timestamp",
        source=pl.col("source").cast(pl.String),
        sign=sign.then(pl.lit("failed")).otherwise(pl.lit("done")),
    )
    return signs.select(SIGNS), best[1]


def _in_one_order(again: pl.DataFrame) -> bool:
    """Whether every run names what it shares with another one in the order of the first."""
    first = again.unique("key", keep="first", maintain_order=True)
    places = first.select("key", place=pl.int_range(pl.len()))
    told = again.unique(["key", "press"], keep="first", maintain_order=True).join(
        places, on="key", maintain_order="left"
    )
    steps = told.select(step=pl.col("place").cast(pl.Int64).diff().over("press")).drop_nulls()
    return int((steps["step"] > 0).sum()) >= IN_ORDER * max(steps.height, 1)
