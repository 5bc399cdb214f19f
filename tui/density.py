"""How much happened when, per source: counted once by Polars, re-binned for any width.

`Density` is computed in the collector's thread when a snapshot arrives, at a resolution finer
than any screen; the screen then folds a few thousand counts instead of a million rows.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, NamedTuple

from timeline.event import SEVERITY_ERROR, SEVERITY_WARN, Lane
from timeline.words import FAILED_KINDS
from tui.depth import Depths, Due, depths_of, dues_of

if TYPE_CHECKING:
    from collections.abc import Iterable

    import polars as pl

    from timeline.event import Event
    from timeline.store import Snapshot
    from timeline.window import Window
    from tui.running import Running

FINE_BUCKETS = 1200
"""Stretches a window is counted in: several per cell on the widest terminal."""

MOST_CHANGES = 64
"""Changes marked through the lanes; with more of them the lanes would be nothing else."""

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

    def stretch(self, cell: int) -> tuple[int, int]:
        """First instant (ns) of a screen cell and the one after its last; cells beyond the ends
        count as the last ones, and T's own as the column that T begins."""
        column = min(max(cell if cell <= self.before else cell - 1, 0), self.cells - 2)
        start = self.pin + (column - self.before) * self.width
        return start, start + self.width

    def cell(self, timestamp: int) -> int | None:
        """Screen cell of an instant, None when it lies outside the lane."""
        column = self.column(timestamp)
        if not 0 <= column < self.before + self.after:
            return None
        return column if column < self.before else column + 1

    def nearest_cell(self, timestamp: int) -> int:
        """Screen cell of an instant; the first or last one when it lies outside the lane."""
        column = min(max(self.column(timestamp), 0), self.before + self.after - 1)
        return column if column < self.before else column + 1


class Change(NamedTuple):
    """Something that was changed: when (ns UTC) and in its source's words."""

    at: int
    name: str


class Density:
    """Fine counts: a small frame (source, at ns, level, n), folded once for each width.

    `depths` are the samples of what waited, by queue source; `errors` the stamps (ns, sorted) of
    every row that is an error; `changes` those of the window, in time order; `is_counted` whether
    an engine counted part of it. `dues` is what comes due next, by queue source; `running` the jobs
    that ran at once, once somebody counted them.
    """

    def __init__(
        self,
        fine: pl.DataFrame,
        depths: Depths,
        errors: pl.Series,
        changes: tuple[Change, ...],
        *,
        is_counted: bool,
        dues: Mapping[str, Due],
    ) -> None:
        self.fine = fine
        self.depths = depths
        self.errors = errors
        self.changes = changes
        self.is_counted = is_counted
        self.dues = dues
        self.running: Mapping[str, Running] | None = None
        self._columns: Columns | None = None
        self._bands: Mapping[str, Band] = {}

    def bands(self, columns: Columns) -> Mapping[str, Band]:
        """Counts by source for these columns."""
        if columns != self._columns:
            self._columns = columns
            self._bands = _folded(self.fine.iter_rows(), columns)
        return self._bands

    def errors_between(self, start: int, end: int) -> int:
        """Errors among the rows held of `[start, end)` ns."""
        first = self.errors.search_sorted(start, side="left")
        return int(self.errors.search_sorted(end, side="left")) - int(first)

    def counted_between(self, start: int, end: int) -> tuple[int, int]:
        """Rows and errors of `[start, end)` ns as the lanes count them, to a fine bucket."""
        import polars as pl  # loaded by whoever counted

        inside = self.fine.filter((pl.col("at") >= start) & (pl.col("at") < end))
        errors = inside.filter(pl.col("level") == ERROR).get_column("n").sum()
        return int(inside.get_column("n").sum()), int(errors)


def density_of(snapshot: Snapshot, window: Window) -> Density:
    """Count the snapshot's events inside the window by source, time and severity class.

    Where the engine that holds a source counted it, its counts stand instead of the rows that
    travelled.
    """
    import polars as pl  # never before the first frame

    step = max((window.end - window.start) // FINE_BUCKETS, 1)
    failed = [kind.value for kind in FAILED_KINDS]
    is_failure = pl.col("kind").cast(pl.String).is_in(failed)
    time = pl.col("timestamp")
    held = (
        snapshot.events.lazy()
        .filter((time >= window.start) & (time < window.end))
        .select(
            pl.col("source").cast(pl.String),
            time,
            _fine(time, window, step).alias("at"),
            _level(is_failure).alias("level"),
        )
    )
    told = snapshot.counts.filter(
        (pl.col("start") < window.end) & (pl.col("start") + pl.col("width") > window.start)
    )
    if told.height:
        bars = told.with_columns(pl.col("source").cast(pl.String))
        inside = (
            held.collect()
            .sort("timestamp")
            .join_asof(
                bars.select("source", "start", "width").unique().sort("start"),
                left_on="timestamp",
                right_on="start",
                by="source",
                coalesce=False,
                check_sortedness=False,
            )
        )
        barred = (time < pl.col("start") + pl.col("width")).fill_null(value=False)
        marks = inside.filter(barred).group_by("source", "start", "level").agg(n=pl.len())
        parts = [inside.filter(~barred).lazy().group_by("source", "at", "level").agg(n=pl.len())]
        parts.append(_counted(bars, marks).lazy())
    else:
        parts = [held.group_by("source", "at", "level").agg(n=pl.len())]
    fine = pl.concat(parts, how="vertical_relaxed").sort("source", "at", "level").collect()
    wrong = snapshot.events.lazy().filter(_level(is_failure) == ERROR).select(time).collect()
    errors = wrong.get_column("timestamp").sort()
    changes = _changes(snapshot, window, step)
    return Density(
        fine,
        depths_of(snapshot),
        errors,
        changes,
        is_counted=told.height > 0,
        dues=dues_of(snapshot),
    )


def _fine(time: pl.Expr, window: Window, step: int) -> pl.Expr:
    """The middle of the fine bucket, `step` ns long, that an instant falls in."""
    return (time - window.pin) // step * step + window.pin + step // 2


def _changes(snapshot: Snapshot, window: Window, step: int) -> tuple[Change, ...]:
    """What the sources of the change lane tell; when there is more than fits, the newest.

    Each stands in its fine bucket, where the lane's own mark of it is drawn.
    """
    import polars as pl

    told = (
        snapshot.events.lazy()
        .filter(pl.col("lane") == Lane.CHANGE.value)
        .filter((pl.col("timestamp") >= window.start) & (pl.col("timestamp") < window.end))
        .sort("timestamp")
        .tail(MOST_CHANGES)
        .select(_fine(pl.col("timestamp"), window, step), "body")
        .collect()
    )
    return tuple(Change(at, name) for at, name in told.iter_rows())


def _level(is_failure: pl.Expr) -> pl.Expr:
    import polars as pl

    severity = pl.col("severity_number")
    return (
        pl.when((severity >= SEVERITY_ERROR) | is_failure)
        .then(ERROR)
        .when(severity >= SEVERITY_WARN)
        .then(WARNING)
        .otherwise(CALM)
    )


def _counted(bars: pl.DataFrame, marks: pl.DataFrame) -> pl.DataFrame:
    """(source, at, level, n) of counted bars.

    Errors that travelled (`marks`: source, start, level, n) although the engine could not count
    them as such, because their level stands in the text alone, are shown as the errors they are.
    A bar of which more travelled since it was counted shows all of that.
    """
    import polars as pl

    at = (pl.col("start") + pl.col("width") // 2).alias("at")
    level = _level(pl.lit(value=False)).alias("level")
    counted = bars.group_by("source", "start", at, level).agg(n=pl.col("count").sum())
    wide = counted.group_by("source", "start", "at").agg(
        total=pl.col("n").sum(),
        **{str(c): pl.col("n").filter(pl.col("level") == c).sum() for c in (WARNING, ERROR)},
    )
    seen = marks.group_by("source", "start").agg(
        held=pl.col("n").sum(),
        **{f"held{c}": pl.col("n").filter(pl.col("level") == c).sum() for c in (WARNING, ERROR)},
    )
    both = wide.join(seen, on=["source", "start"], how="left").with_columns(
        **{
            str(c): pl.max_horizontal(str(c), pl.col(f"held{c}").fill_null(0))
            for c in (WARNING, ERROR)
        }
    )
    rest = (
        pl.max_horizontal("total", pl.col("held").fill_null(0))
        - pl.col(str(WARNING))
        - pl.col(str(ERROR))
    )
    return (
        both.with_columns(rest.clip(lower_bound=0).alias(str(CALM)))
        .unpivot([str(c) for c in (CALM, WARNING, ERROR)], index=["source", "at"])
        .select("source", "at", pl.col("variable").cast(pl.Int32).alias("level"), n="value")
        .filter(pl.col("n") > 0)
    )


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
