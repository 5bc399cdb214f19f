"""Work whose size and progress stand in numbers only: of log lines, of jobs' arguments, of curves.

Finds what climbs toward a number that stays (`timeline.facts.counters`) and stands still below it.
A run that is under way, or whose last step was simply not told, is none.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import polars as pl

from timeline.facts.counters import Climb, climbs, climbs_among, numbers_of, shortfalls_among
from timeline.facts.progress_curves import short_curves
from timeline.facts.sight import read_until
from timeline.facts.spoken import BATCH_MARKS, PARTS, PROGRESS_MARKS, lines_with
from timeline.facts.stated import IDLE_NS, NOT_ITEMS, StatedBatch
from timeline.facts.work import END_LINE

if TYPE_CHECKING:
    from timeline.incident import Incident

PATIENCE_FOLD = 5
"""It stands still after this multiple of the longest time between two of its steps."""
SURE_REPORTS = 2
"""Earlier reports in which both numbers were equal before a difference is out of the ordinary."""
MOST_CLASS_JOBS = 1_000
"""The latest jobs of one class whose arguments are compared."""
LEAST_JOBS = 4
"""Jobs of one class before their arguments are compared."""


def climbing(incident: Incident) -> Iterator[StatedBatch]:
    """Every piece of work of that kind that came short, by lines, by jobs, by curves."""
    yield from _by_lines(incident)
    yield from _by_jobs(incident)
    yield from short_curves(incident)


def _by_lines(incident: Incident) -> Iterator[StatedBatch]:
    some = pl.col("body").str.contains_any(
        [*BATCH_MARKS, *PROGRESS_MARKS], ascii_case_insensitive=True
    )
    lines = incident.spoken.filter(
        (some | PARTS)
        & (pl.col("timestamp") >= incident.window.start)
        & pl.col("body").str.contains(r"\d\D+\d")
    )
    lines = lines.filter(~pl.col("body").str.contains(NOT_ITEMS))
    texts = lines.select(group=pl.concat_str("source", pl.lit("\t"), "actor"), text="body")
    numbers = numbers_of(texts)
    told: set[tuple[str, int]] = set()
    for one in climbs_among(numbers):
        found = _followed(incident, lines, one)
        if found is not None:
            told.add((found.actor, found.total))
            yield found
    for short in shortfalls_among(numbers):
        line = lines.row(short.place, named=True)
        if (line["actor"], short.whole) in told:
            continue
        doubt = ""
        if short.before < SURE_REPORTS:
            doubt = "only one earlier report shows that both numbers are equal otherwise"
        elif short.told:
            doubt = "the report itself accounts for the rest: it may have been left out on purpose"
        yield StatedBatch(
            actor=line["actor"],
            source=line["source"],
            things="items",
            total=short.whole,
            done=short.so_far,
            failed=0,
            how=f"by its own report; both numbers were equal in the {short.before} before",
            began=line["timestamp"],
            last=line["timestamp"],
            closed=True,
            rows=(line["row"],),
            doubt=doubt,
        )


def _followed(incident: Incident, lines: pl.DataFrame, one: Climb) -> StatedBatch | None:
    """What became of a climb: None while it may go on, or when only its last step is not told."""
    first, last = lines.row(one.first, named=True), lines.row(one.last, named=True)
    taken = last["timestamp"] - first["timestamp"]
    patience = max(IDLE_NS, PATIENCE_FOLD * taken // max(one.texts - 1, 1))
    mine = (pl.col("actor") == last["actor"]) & (pl.col("source") == last["source"])
    stamp = pl.col("timestamp")
    soon = stamp.is_between(last["timestamp"], last["timestamp"] + patience, "right")
    after = lines_with(incident, mine & soon).filter(pl.col("body").str.contains(END_LINE))
    closed = not after.is_empty()
    said = after.get_column("body").str.contains(rf"\b{one.so_far}\b").any()
    if closed and not said and one.whole - one.so_far <= one.step:
        return None
    if not closed and read_until(incident) - last["timestamp"] <= patience:
        return None
    return StatedBatch(
        actor=last["actor"],
        source=last["source"],
        things="items",
        total=one.whole,
        done=one.so_far,
        failed=0,
        how="by its own progress lines",
        began=first["timestamp"],
        last=last["timestamp"],
        closed=closed,
        rows=tuple(dict.fromkeys((first["row"], last["row"]))),
    )


def _by_jobs(incident: Incident) -> Iterator[StatedBatch]:
    """Children that say which of how many they are, where no parent or batch is on record."""
    jobs = incident.jobs.summary.drop_nulls(["args", "job_class", "enqueued"])
    jobs = jobs.filter(
        (pl.col("enqueued") >= incident.window.start)
        & pl.col("args").str.contains(r"\d\D+\d")
        & (pl.len().over("job_class") >= LEAST_JOBS)
    ).sort("enqueued", "job")
    if jobs.is_empty():
        return
    jobs = jobs.group_by("job_class", maintain_order=True).tail(MOST_CLASS_JOBS)
    firsts = incident.jobs.transitions.unique("job", keep="first", maintain_order=True)
    jobs = jobs.join(firsts.select("job", "row", "source"), on="job", maintain_order="left")
    texts = jobs.select(group="job_class", text="args")
    for one in climbs(texts):
        first, last = jobs.row(one.first, named=True), jobs.row(one.last, named=True)
        taken = last["enqueued"] - first["enqueued"]
        patience = max(IDLE_NS, PATIENCE_FOLD * taken // max(one.texts - 1, 1))
        if not one.regular or read_until(incident) - last["enqueued"] <= patience:
            continue
        yield StatedBatch(
            actor=str(one.group).rpartition(".")[2],
            source=last["source"],
            things="jobs",
            total=one.whole,
            done=one.so_far,
            failed=0,
            how="by the numbers among their arguments",
            began=first["enqueued"],
            last=last["enqueued"],
            closed=False,
            rows=tuple(dict.fromkeys((first["row"], last["row"]))),
        )
