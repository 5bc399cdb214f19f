"""Work that only its rows tell of, at an even pace all night: schedules that nobody configured.

A table that gets a row every minute or two has somebody who writes it, and nobody need log that. A
hole of several turns, or an end, is a habit broken; what is written for people or for the items of
a batch is not even, or does not go on all night. A learnt pace is a habit, never a promise.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from typing import TYPE_CHECKING

import polars as pl

from timeline.facts.paced_lines import doubled_from, even_pace
from timeline.facts.schedules import LATE_SHARE, MIN_RUNS, Planned, period_of, turns_of
from timeline.facts.sight import read_until
from timeline.facts.words import length
from timeline.facts.work import Run
from timeline.window import SECOND_NS

if TYPE_CHECKING:
    from timeline.incident import Incident

MOST_ROWS = 300
"""Rows of a table, before it is traffic rather than a schedule."""
MIN_PACE_NS = 20 * SECOND_NS
"""What is written more often is a batch under way or a counter."""
MIN_SILENT = 3
"""Turns in a row without a row before the habit is broken."""
FROM_THE_START = 2.5
"""Periods from the window's start within which the first row must lie: all night, not a batch."""


def stopped_rows(incident: Incident) -> Iterator[Planned]:
    """Tables that got rows at an even pace, and then none for some turns or any more."""
    until = read_until(incident)
    for table, runs in _tables(incident):
        period = period_of(turns_of(runs))
        if period is None or period < MIN_PACE_NS:
            continue
        if runs[0].at - incident.window.start > FROM_THE_START * period:
            continue
        ends = [run.at for run in runs] + [until]
        if max(two - one for one, two in pairwise(ends)) >= (MIN_SILENT + LATE_SHARE) * period:
            yield _planned(table, runs, period)


def doubled_rows(incident: Incident) -> Iterator[Planned]:
    """Tables that got one row each turn, and from some turn on two."""
    for table, runs in _tables(incident):
        turns = turns_of(runs)
        period = even_pace([turn[0].at for turn in turns])
        if period is None or period < MIN_PACE_NS or doubled_from(turns) is None:
            continue
        if runs[0].at - incident.window.start <= FROM_THE_START * period:
            yield _planned(table, runs, period)


def _tables(incident: Incident) -> Iterator[tuple[str, tuple[Run, ...]]]:
    """Every table with few rows that no schedule knows, and its rows as runs, in time order."""
    known = {run.row for planned in incident.planned for run in planned.runs}
    made = incident.records.summary.filter(
        pl.col("created").is_between(incident.window.start, read_until(incident))
    ).drop_nulls("created_row")
    made = made.filter(pl.len().over("source", "table").is_between(MIN_RUNS, MOST_ROWS))
    per = ["source", "table"]
    for (source, table), part in made.sort("created", "record").group_by(per, maintain_order=True):
        rows = part.select("created", "created_row").iter_rows()
        runs = tuple(_run(at, row, str(source), str(table)) for at, row in rows)
        if known.isdisjoint(run.row for run in runs):
            yield str(table).rpartition(".")[2], runs


def _planned(table: str, runs: tuple[Run, ...], period: int) -> Planned:
    return Planned(
        name=f"the writing of {table}",
        basis=f"a row every {length(period)}, learnt from {len(runs)} rows",
        runs=runs,
        sources=(runs[0].source,),
        period=period,
        tolerance=round(LATE_SHARE * period),
        learnt=len(runs),
    )


def _run(at: int, row: int, source: str, table: str) -> Run:
    return Run("", None, at, at, "logged", source, source, table, row, row, row)
