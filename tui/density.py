"""How much happened when, per source: counted once by Polars, re-binned for any width.

`Density` is computed in the collector's thread when a snapshot arrives, at a resolution finer
than any screen; the screen then folds a few thousand counts instead of a million rows.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, NamedTuple

from timeline.event import SEVERITY_ERROR, SEVERITY_WARN
from timeline.words import FAILED_KINDS

if TYPE_CHECKING:
    from collections.abc import Iterable

    import polars as pl

    from timeline.event import Event
    from timeline.store import Snapshot
    from timeline.window import Window

FINE_BUCKETS = 1200
"""Stretches a window is counted in: several per cell on the widest terminal."""

CALM, WARNING, ERROR = 0, 1, 2
"""Classes of an event by severity, worst last."""


class Band(NamedTuple):
    """One source's counts for every column of the screen, and its totals inside the window."""

    counts: list[int]
    errors: list[int]
    warnings: list[int]
    rows: int
    error_rows: int

    @property
    def peak(self) -> int:
        return max(self.counts, default=0)


class Columns(NamedTuple):
    """Cells of a lane: `before` to the left of T and `after` to the right, each `width` ns long.

    T itself has a cell of its own between them, so that it hides nothing.
    """

    pin: int
    before: int
    after: int
    width: int

    @classmethod
    def over(cls, window: Window, cells: int) -> Columns:
        """Columns of one length that cover the window in at most `cells` cells with T's own."""
        room = max(cells - 1, 2)
        early, late = window.pin - window.start, window.end - window.pin
        before = max(min(room * early // (early + late), room - 1), 1) if early > 0 else 0
        width = max(-(-early // before) if before else -(-late // room), 1)
        after = min(-(-late // width), room - before)
        return cls(window.pin, before, after, width)

    @property
    def cells(self) -> int:
        return self.before + 1 + self.after

    def column(self, timestamp: int) -> int:
        """Data column (T's cell not counted) of an instant; may lie outside the lane."""
        return (timestamp - self.pin) // self.width + self.before

    def cell(self, timestamp: int) -> int | None:
        """Screen cell of an instant, None when it lies outside the lane."""
        column = self.column(timestamp)
        if not 0 <= column < self.before + self.after:
            return None
        return column if column < self.before else column + 1


class Density:
    """Fine counts: a small frame (source, at ns, level, n), folded once for each width."""

    def __init__(self, fine: pl.DataFrame) -> None:
        self.fine = fine
        self._columns: Columns | None = None
        self._bands: Mapping[str, Band] = {}

    def bands(self, columns: Columns) -> Mapping[str, Band]:
        """Counts by source for these columns."""
        if columns != self._columns:
            self._columns = columns
            self._bands = _folded(self.fine.iter_rows(), columns)
        return self._bands


def density_of(snapshot: Snapshot, window: Window) -> Density:
    """Count the snapshot's events inside the window by source, time and severity class."""
    import polars as pl  # never before the first frame

    step = max((window.end - window.start) // FINE_BUCKETS, 1)
    failed = [kind.value for kind in FAILED_KINDS]
    severity = pl.col("severity_number")
    level = (
        pl.when((severity >= SEVERITY_ERROR) | pl.col("kind").cast(pl.String).is_in(failed))
        .then(ERROR)
        .when(severity >= SEVERITY_WARN)
        .then(WARNING)
        .otherwise(CALM)
    )
    time = pl.col("timestamp")
    fine = (
        snapshot.events.lazy()
        .filter((time >= window.start) & (time < window.end))
        .select(
            pl.col("source").cast(pl.String),
            ((time - window.pin) // step * step + window.pin + step // 2).alias("at"),
            level.alias("level"),
        )
        .group_by("source", "at", "level")
        .agg(pl.len().alias("n"))
        .sort("source", "at", "level")
        .collect()
    )
    return Density(fine)


def bands_of(events: Iterable[Event], columns: Columns) -> Mapping[str, Band]:
    """The same counts from plain events, before a snapshot exists."""
    return _folded(((e.source, e.timestamp, level_of(e), 1) for e in events), columns)


def level_of(event: Event) -> int:
    """`ERROR`, `WARNING` or `CALM`: by severity, and by kinds that are failures."""
    if event.severity_number >= SEVERITY_ERROR or event.kind in FAILED_KINDS:
        return ERROR
    return WARNING if event.severity_number >= SEVERITY_WARN else CALM


def _folded(cells: Iterable[tuple[str, int, int, int]], columns: Columns) -> Mapping[str, Band]:
    width = columns.before + columns.after
    counted: dict[str, list[list[int]]] = {}
    for source, at, level, count in cells:
        levels = counted.setdefault(source, [[0] * width for _ in range(3)])
        levels[level][min(max(columns.column(at), 0), width - 1)] += count
    bands = {}
    for source, (calm, warnings, errors) in counted.items():
        totals = [sum(parts) for parts in zip(calm, warnings, errors, strict=True)]
        bands[source] = Band(totals, errors, warnings, sum(totals), sum(errors))
    return bands
