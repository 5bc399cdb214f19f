"""Curves of a space that reach their end: nothing free any more, or all of it in use.

For nights in which nobody who ran out has a log here. Read are curves whose name says that they
measure a disk, its inodes or file handles; whether something failed for it is not asked.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import polars as pl

from timeline.facts.series import points_of

if TYPE_CHECKING:
    from timeline.incident import Incident

SPACES = r"(?i)filesystem|disk|volume|pvc|storage|inode|partition_(?:free|used)|open_fds|filefd"
NO_SPACE = r"(?i)io_|_io\b|read|writ|latency|seconds|queue|busy|iops|ops|limit|size|total|max|error"
FREE = r"(?i)avail|free|left|remaining"
SHARE = r"(?i)used|usage|util|percent|ratio|pct"
PLACES = ("mountpoint", "device", "volume", "persistentvolumeclaim", "path")
HOSTS = ("instance", "host", "hostname", "node", "server", "pod")
NOTHING_FREE = 0.005
"""Part of what was free at first that is nothing: a file system keeps a little for itself."""
ALL_USED = 0.995
"""Share in use that is all of it; where figures go beyond 1.5 they are per cent."""
LEAST_POINTS = 3
"""Figures at the end: one may be a sample that went wrong."""


@dataclass(frozen=True, slots=True)
class UsedUpFigure:
    """`name` of `host` (and `place`) was at its end in `figures` samples of `[began, ended]` ns;
    `row` is the first such sample, `before` the last value that was not."""

    name: str
    host: str
    place: str
    figures: int
    began: int
    ended: int
    row: int
    before: float


def used_up_figures(incident: Incident) -> list[UsedUpFigure]:
    """By the first such sample; curves that were at their end from the beginning are left out."""
    points = points_of(incident, SPACES, NO_SPACE)
    points = points.filter(pl.col("timestamp") >= incident.window.start)
    found = []
    for part in points.partition_by("source", "series", maintain_order=True):
        one = _judged(part)
        if one is not None:
            found.append(one)
    return sorted(found, key=lambda one: (one.began, one.host, one.name))


def _judged(part: pl.DataFrame) -> UsedUpFigure | None:
    values = part.get_column("value")
    name = str(part["measure"][0])
    told = pl.Series([name])
    if told.str.contains(FREE).item():
        at_end = values <= NOTHING_FREE * max(float(values[0]), 0.0)
    elif told.str.contains(SHARE).item():
        highest = float(str(values.max()))
        whole = 100.0 if highest > 1.5 else 1.0
        at_end = (values >= ALL_USED * whole) & (highest <= 1.01 * whole)
    else:
        return None
    if at_end[0] or int(at_end.sum()) < LEAST_POINTS:
        return None
    first = int(at_end.arg_max() or 0)
    last = at_end.len() - 1 - int(at_end.reverse().arg_max() or 0)
    labels = part.head(1).select(
        host=_label(HOSTS).str.replace(r":\d{1,5}$", ""), place=_label(PLACES)
    )
    return UsedUpFigure(
        name=name,
        host=str(labels["host"][0]),
        place=str(labels["place"][0]),
        figures=int(at_end.sum()),
        began=int(part["timestamp"][first]),
        ended=int(part["timestamp"][last]),
        row=int(part["row"][first]),
        before=float(values[first - 1]),
    )


def _label(names: tuple[str, ...]) -> pl.Expr:
    found = [pl.col("labels").str.json_path_match(f"$.{name}") for name in names]
    return pl.coalesce(*found, pl.lit(""))
