"""Work that only its own log lines tell of, at an even pace: schedules that nobody configured.

Lines of one service and template that come every few minutes and then no more. The lines are
sought by how they begin, so that a window is read once and cheaply; what begins like
busy lines is not found. A learnt pace is a habit, never a promise.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise
from statistics import median
from typing import TYPE_CHECKING

import polars as pl

from timeline.event import SEVERITY_WARN, Lane
from timeline.facts.entities import entity_pairs
from timeline.facts.schedules import (
    LATE_SHARE,
    MAX_SPREAD,
    MIN_RUNS,
    Planned,
    period_of,
    turns_of,
)
from timeline.facts.sight import read_until
from timeline.facts.spoken import BATON_MARKS, marked
from timeline.facts.words import length
from timeline.facts.work import Run
from timeline.templates import service_of, template_of
from timeline.window import SECOND_NS

if TYPE_CHECKING:
    from timeline.incident import Incident

BEGINNING = 16
"""Characters by which lines are first told apart: a verb or a thing, before any number."""
MAX_ALIKE = 300
"""Lines that begin alike, before they are traffic rather than a schedule;"""
MAX_LINES = 20_000
"""and lines of all such beginnings that are looked at, the rarest first."""
MAX_SEARCHED = 2_000_000
"""Ordinary lines of a window that are searched at all: telling more of them apart by their
beginnings would cost all other findings their time."""
MIN_PACE_NS = 30 * SECOND_NS
"""What is logged more often is a heartbeat or a statistic."""
MIN_ALONE = 4
"""Turns that one host told alone before a second one is one too many."""
MIN_SILENT = 3
"""Turns in a row, up to the end of what was read, before a habit has ended."""


def stopped_lines(incident: Incident) -> Iterator[Planned]:
    """Lines at an even pace that came no more, each as a schedule that was learnt from them."""
    known = {run.row for planned in incident.planned for run in planned.runs}
    until = read_until(incident)
    least = (MIN_SILENT + LATE_SHARE) * MIN_PACE_NS
    for part in incident.shared(_about_nothing):
        if until - part["timestamp"][-1] < least:
            continue  # no pace is so quick that turns are missing already
        if not known.isdisjoint(part.get_column("row")):
            continue
        runs = tuple(_run(told) for told in part.iter_rows(named=True))
        period = period_of(turns_of(runs))
        if period is None or period < MIN_PACE_NS:
            continue
        if any(_says_the_same(planned, runs, period) for planned in incident.planned):
            continue
        if until - runs[-1].at < (MIN_SILENT + LATE_SHARE) * period:
            continue
        yield Planned(
            name=f"“{_words(part['template'][0])}”",
            basis=f"logged every {length(period)}, learnt from {len(runs)} lines",
            runs=runs,
            sources=tuple(sorted({run.source for run in runs})),
            period=period,
            tolerance=round(LATE_SHARE * period),
            learnt=len(runs),
        )


def doubled_lines(incident: Incident) -> Iterator[Planned]:
    """Lines at an even pace that one host told each time, and from some turn on two told: each as a
    schedule that was learnt from them."""
    known = {run.row for planned in incident.planned for run in planned.runs}
    told: list[int] = []
    for part in incident.shared(_about_nothing):
        if len({*zip(part.get_column("clock"), part.get_column("source"), strict=True)}) < 2:
            continue  # all by one host
        runs = tuple(_run(line) for line in part.iter_rows(named=True))
        turns = turns_of(runs)
        firsts = [turn[0].at for turn in turns]
        period = even_pace(firsts)
        if period is None or period < MIN_PACE_NS or not known.isdisjoint(run.row for run in runs):
            continue
        hosts = [len({run.clock for run in turn}) for turn in turns]
        since = doubled_from(turns)
        if since is None or set(hosts[:since]) != {1} or set(hosts[since:]) != {2}:
            continue
        if any(abs(at - firsts[since]) < LATE_SHARE * period for at in told):
            continue  # another line of the same work
        told.append(firsts[since])
        yield Planned(
            name=f"“{_words(part['template'][0])}”",
            basis=f"logged every {length(period)}, learnt from {len(runs)} lines",
            runs=runs,
            sources=tuple(sorted({run.source for run in runs})),
            period=period,
            tolerance=round(LATE_SHARE * period),
            learnt=len(runs),
        )


def doubled_from(turns: Sequence[Sequence[Run]]) -> int | None:
    """The place from which on every turn has two runs, where enough had one before; else None."""
    sizes = [len(turn) for turn in turns]
    since = sizes.index(2) if 2 in sizes else 0
    return since if since >= MIN_ALONE and set(sizes[since:]) == {2} else None


def even_pace(firsts: Sequence[int]) -> int | None:
    """The median gap (ns) of instants of which all gaps are as long, or some times that; None
    where one is not."""
    gaps = [two - one for one, two in pairwise(firsts)]
    if len(gaps) < MIN_ALONE:
        return None
    middle = int(median(gaps))
    even = (abs(gap - max(1, round(gap / middle)) * middle) < MAX_SPREAD * middle for gap in gaps)
    return middle if middle and all(even) else None


def _about_nothing(incident: Incident) -> tuple[pl.DataFrame, ...]:
    """Those lines alike that tell of no thing and of no message put back: lines about a thing end
    when it is done, and a baton has its own reader (`timeline.facts.chains`)."""
    parts = incident.few_alike
    if not parts:
        return ()
    lines = pl.concat(parts)
    keys = entity_pairs(incident.snapshot.keys_of(lines.get_column("row")))
    told = {*keys.get_column("row"), *marked(lines, BATON_MARKS).get_column("row")}
    return tuple(part for part in parts if told.isdisjoint(part.get_column("row")))


def _says_the_same(planned: Planned, runs: tuple[Run, ...], period: int) -> bool:
    """Whether these are the lines of work whose runs are known: as many beside each other."""
    if not planned.runs or abs(planned.period - period) > LATE_SHARE * period:
        return False
    beside = abs(planned.runs[-1].at - runs[-1].at) < LATE_SHARE * period
    return beside and len(planned.runs) >= LATE_SHARE * len(runs)


def alike_lines(incident: Incident) -> Iterator[pl.DataFrame]:
    """Lines of one service and template, few enough for a schedule, in time order."""
    until = read_until(incident)
    stamp = pl.col("timestamp")
    ordinary = (pl.col("lane") == Lane.LOG.value) & (pl.col("severity_number") < SEVERITY_WARN)
    inside = stamp.is_between(incident.window.start, until, "left")
    begins = pl.col("body").str.head(BEGINNING).hash()
    marked = incident.snapshot.events.lazy().with_row_index("row").filter(ordinary & inside)
    found = marked.select("row", begins=begins).collect()
    if found.height > MAX_SEARCHED:
        return
    counts = found.group_by("begins").len("n").filter(pl.col("n").is_between(MIN_RUNS, MAX_ALIKE))
    few = counts.sort("n", "begins").filter(pl.col("n").cum_sum() <= MAX_LINES)
    rows = found.join(few, on="begins", how="semi", maintain_order="left").get_column("row")
    shown = pl.col("timestamp", "source", "actor", "clock", "body")
    lines = incident.snapshot.events.select(shown.gather(rows)).with_columns(row=rows)
    told = lines.with_columns(
        pl.col("source", "actor", "clock").cast(pl.String).fill_null(""),
        template=template_of(pl.col("body").fill_null("")),
    ).with_columns(service=service_of(pl.col("actor")))
    per = ["service", "template"]
    many = told.filter(pl.len().over(per).is_between(MIN_RUNS, MAX_ALIKE)).sort("timestamp", "row")
    once = many.unique(["timestamp", "body"], keep="first", maintain_order=True)
    yield from (part for _, part in once.group_by(per, maintain_order=True))


def _run(told: dict[str, object]) -> Run:
    row, source, at = int(str(told["row"])), str(told["source"]), int(str(told["timestamp"]))
    clock = str(told["clock"]) or source
    return Run("", None, at, at, "logged", source, clock, str(told["actor"]), row, row, row)


def _words(template: str) -> str:
    """What stands in front of the first number or value of a template."""
    words = template.partition("*")[0].rstrip(" =:({[-")
    told = words.rpartition(" ")[0] if "=" in template[len(words) : len(words) + 1] else words
    return told or words or template
