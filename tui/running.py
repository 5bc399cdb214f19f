"""How many jobs ran at once, per queue source: one line of bars below the queue's own.

Counted in the collector's thread; drawing folds a few hundred counts. A run whose end nobody told
is drawn as a stroke without a height: it may run still, or its end was forgotten.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, NamedTuple

from timeline.words import grouped
from tui.bars import bar_row
from tui.pieces import right

if TYPE_CHECKING:
    from timeline.incident import Incident
    from tui.density import Columns
    from tui.glyphs import Glyphs
    from tui.pieces import Piece
    from tui.theme import Role

BUCKETS = 600
"""Stretches of the window that are counted: several per cell on the widest terminal."""


class Running(NamedTuple):
    """Jobs of one source running at once: the most in each stretch of `width` ns from `start`.

    `ended` counts runs with a known end, `unended` those without, `unended_runs` them in all.
    """

    start: int
    width: int
    ended: list[int]
    unended: list[int]
    unended_runs: int


def running_of(incident: Incident) -> Mapping[str, Running] | None:
    """Every queue source that told the start of a job; never counted while drawing.

    None until detectors have put the jobs together: two seconds of work over a million rows, which
    no line on the screen is worth.
    """
    if "jobs" not in vars(incident):
        return None
    import polars as pl  # never before the first frame

    from timeline.facts.job_spans import job_spans, most_at_once

    window = incident.window
    width = max(-(-(window.end - window.start) // BUCKETS), 1)
    told = job_spans(incident).filter(
        (pl.col("start") < window.end) & (pl.col("end").is_null() | (pl.col("end") > window.start))
    )
    found = {}
    for (source,), spans in told.partition_by("source", as_dict=True).items():
        is_open = pl.col("end").is_null()
        ended, unended = spans.filter(~is_open), spans.filter(is_open)
        known, lost = (
            most_at_once(part, window.start, width, BUCKETS) for part in (ended, unended)
        )
        found[str(source)] = Running(window.start, width, known, lost, unended.height)
    return found


def running_cells(
    running: Running, columns: Columns, room: int, glyphs: Glyphs
) -> tuple[list[Piece], Piece]:
    """Cells without T, and the words to their right in `room` cells."""
    ended, unended = (_folded(counts, running, columns) for counts in running[2:4])
    roles: list[Role] = ["text" for _ in ended]
    bars = bar_row(ended, roles, glyphs)
    stroke: Piece = (glyphs.unended, "warning")
    cells = [
        stroke if lost and not known else bar
        for bar, known, lost in zip(bars, ended, unended, strict=True)
    ]
    words = f"max {grouped(max(ended, default=0))}"
    if running.unended_runs:
        words += f", {grouped(running.unended_runs)} no end"
    return cells, (right(words, room), "dim")


def _folded(counts: list[int], running: Running, columns: Columns) -> list[int]:
    """The most of every column."""
    most = [0] * (columns.before + columns.after)
    for bucket, count in enumerate(counts):
        middle = running.start + bucket * running.width + running.width // 2
        column = columns.column(middle)
        if 0 <= column < len(most):
            most[column] = max(most[column], count)
    return most
