"""Counts of log lines by who wrote them, how grave they are and what they say, and which changed.

The focus is the minute around T and, where the errors show an onset, the minutes around that;
everything between them is trouble and serves as no comparison. Nobody may have erred at all, and an
alert comes late: so every minute of the quarter of an hour before T is tried as well, each against
all minutes outside its own stretch. What a source did not read in full is no comparison.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import polars as pl

from timeline.event import SEVERITY_ERROR, SEVERITY_WARN, Lane
from timeline.facts.placebo import (
    BIN_NS,
    BLOCK_NS,
    MIN_CONTROLS,
    MIN_COUNT,
    MIN_TOLD,
    WIDTH,
    Outlier,
    outliers,
)
from timeline.facts.sight import read_until
from timeline.facts.stretches import MIN_LASTING, MIN_OUTSIDE, stretches
from timeline.templates import (
    ERROR,
    OTHER,
    WARNING,
    Templates,
    level_of,
    template_of,
)

if TYPE_CHECKING:
    from timeline.incident import Incident

LEVEL_FLOOR = {ERROR: SEVERITY_ERROR, WARNING: SEVERITY_WARN}
"""The least severity of a level: where an engine counted the rest, these may be complete."""
LEAD_BLOCKS = 15
"""Minutes before T that are tried: an alert is five to fifteen minutes late."""
MOST_SERIES = 2_000
"""Series of templates that are compared, the loudest first: each makes the others harder to see."""
MOST_COUNTED = 1_000
"""Lines of a peak that are read to tell what they say; of more, evenly chosen ones."""

_PER = ["source", "actor", "level", "template"]


class Series(NamedTuple):
    """Lines of one actor in one source, of one level; `template` is empty for all of them."""

    source: str
    actor: str
    level: str
    template: str


class Moved(NamedTuple):
    """A series whose count stands out."""

    series: Series
    outlier: Outlier


FEWEST = min(MIN_COUNT, MIN_TOLD)
"""Lines of a series below which none of its blocks can stand out. Where every line has a speaker of
its own there are as many series as lines."""


class Counted(NamedTuple):
    """The event rows of the counted lines (time order), and their commonest template."""

    rows: tuple[int, ...]
    mostly: str


@dataclass(frozen=True, slots=True)
class Blocks:
    """Which minutes are looked at and which serve as comparison; `origin` begins block 0 (T).

    `whole` are all that were read, without a gap; the `lead` is tried one by one.
    """

    origin: int
    focus: tuple[int, ...]
    controls: tuple[int, ...]
    whole: tuple[int, ...] = ()

    @property
    def lead(self) -> tuple[int, ...]:
        return tuple(block for block in self.whole if -LEAD_BLOCKS <= block <= 0)


def blocks_of(incident: Incident, onset: int | None) -> Blocks:
    """The focus blocks around T and `onset`, and every whole block of what was read outside.

    Those before the focus serve alone where they are enough: trouble may go on after T.
    """
    window = incident.window
    origin = window.pin - BLOCK_NS // 2
    until = read_until(incident)
    first = -((origin - window.start) // BLOCK_NS)
    last = (until - origin) // BLOCK_NS - 1
    focus = {0} if last >= 0 else set()
    if onset is not None:
        begun = (onset - origin) // BLOCK_NS
        focus |= {number for number in (begun, begun + 1) if first <= number <= last}
    trouble = range(min(focus), max(focus) + 1) if focus else range(0)
    outside = [number for number in range(first, last + 1) if number not in trouble]
    before = [number for number in outside if number < min(focus, default=0)]
    controls = before if len(before) >= MIN_CONTROLS else outside
    return Blocks(origin, tuple(sorted(focus)), tuple(controls), tuple(range(first, last + 1)))


def enough(blocks: Blocks) -> bool:
    """Whether anything can be compared at all."""
    return bool(blocks.focus) and len(blocks.controls) >= MIN_CONTROLS


def moved_series(incident: Incident, blocks: Blocks) -> list[Moved]:
    """Series whose count stands out, strongest first; a template in the place of its level."""
    grouped = incident.templates
    counts = pl.concat([_by_level(incident, blocks), _by_template(grouped, blocks)])
    known = counts.select(_PER).unique().sort(_PER).with_row_index("series")
    enough_lines = counts.group_by(_PER).agg(pl.col("n").sum()).filter(pl.col("n") >= FEWEST)
    counts = counts.join(enough_lines, on=_PER, how="semi")
    numbered = counts.join(known, on=_PER).select(
        pl.col("series").cast(pl.Int64), "bin", pl.col("n").cast(pl.Int64)
    )
    found = outliers(numbered, blocks.origin, blocks.focus, blocks.controls)
    told = {(one.series, one.drop) for one in found}
    wider = stretches(numbered, blocks.origin, blocks.lead, blocks.whole)
    found += [one for one in wider if (one.series, one.drop) not in told]
    if not found:
        return []
    chosen = [one.series for one in found]
    named = {
        int(number): Series(*names)
        for number, *names in known.filter(pl.col("series").is_in(chosen)).iter_rows()
    }
    believed = [one for one in found if _seen_in_full(incident, named[one.series], one, blocks)]
    kept = [one for one in believed if not _said_by_template(one, believed, named)]
    return [Moved(named[one.series], one) for one in kept]


def _by_level(incident: Incident, blocks: Blocks) -> pl.DataFrame:
    """(series columns, bin, n) of all log lines in the window, the template empty."""
    start, until = incident.window.start, read_until(incident)
    inside = pl.col("timestamp").is_between(start, until, "left")
    per = ["source", "actor", "severity_number"]
    binned = (
        incident.snapshot.events.lazy()
        .filter((pl.col("lane") == Lane.LOG.value) & inside)
        .group_by(*per, bin=(pl.col("timestamp") - blocks.origin).floordiv(BIN_NS))
        .agg(n=pl.len())
        .collect()
    )
    named = binned.select(
        pl.col("source", "actor").cast(pl.String).fill_null(""),
        level=level_of(pl.col("severity_number")),
        template=pl.lit(""),
        bin="bin",
        n="n",
    )
    return named.group_by(*_PER, "bin").agg(pl.col("n").sum().cast(pl.Int64))


def _by_template(grouped: Templates, blocks: Blocks) -> pl.DataFrame:
    """The same by template, of those actors and levels of which no line was left out."""
    lines = grouped.lines.filter(pl.col("template") != OTHER)
    lines = lines.join(grouped.cut, on=["source", "actor", "level"], how="anti")
    loud = lines.group_by(_PER).agg(n=pl.len()).sort(["n", *_PER], descending=[True] + [False] * 4)
    kept = lines.join(loud.head(MOST_SERIES), on=_PER, how="semi")
    binned = kept.group_by(*_PER, bin=(pl.col("timestamp") - blocks.origin).floordiv(BIN_NS)).agg(
        n=pl.len().cast(pl.Int64)
    )
    return binned.select(*_PER, "bin", "n")


def _seen_in_full(incident: Incident, series: Series, one: Outlier, blocks: Blocks) -> bool:
    """Whether enough comparisons were read in full, and of a drop the block itself as well.

    A silence is no drop: it has a finding of its own.
    """
    floor = LEVEL_FLOOR.get(series.level, 0)
    coverage = incident.snapshot.coverage

    def full(block: int) -> bool:
        start = blocks.origin + block * BLOCK_NS
        return not coverage.limits((series.source,), start, start + BLOCK_NS, floor)

    if one.drop and (not full(one.block) or _silent(incident, series, one, blocks)):
        return False
    if one.stretch is None:
        return sum(full(block) for block in blocks.controls) >= MIN_CONTROLS
    first, last = one.stretch
    if one.drop and not all(full(block) for block in range(first, last + 1)):
        return False
    outside = [block for block in blocks.whole if not first - 1 <= block <= last + 1]
    return sum(full(block) for block in outside) >= MIN_OUTSIDE


def _silent(incident: Incident, series: Series, one: Outlier, blocks: Blocks) -> bool:
    """Whether its writer said nothing at all: of a stretch, from its first minute to its last."""
    start, end = one.at, one.at + BLOCK_NS
    if one.stretch is None:
        return any(
            silence.actor == series.actor and silence.start < end and silence.end > start
            for silence in incident.silences
        )
    if not written_since(incident, Moved(series._replace(template=""), one)):
        return True  # it ended, or was ended: nothing is left of it to have a rate
    first, last = (blocks.origin + block * BLOCK_NS for block in one.stretch)
    return any(
        silence.actor == series.actor
        and silence.start <= first + BLOCK_NS
        and silence.end >= min(last + BLOCK_NS // 2, read_until(incident))
        for silence in incident.silences
    )


def _said_by_template(one: Outlier, found: Sequence[Outlier], named: dict[int, Series]) -> bool:
    """Whether one of its templates says the same: at least half of it, in the same direction."""
    series = named[one.series]
    if series.template:
        return False
    return any(
        named[other.series]._replace(template="") == series
        and named[other.series].template
        and other.drop == one.drop
        and 2 * other.count >= one.count
        for other in found
    )


def lasting(moved: Moved) -> bool:
    """Whether somebody's lines as a whole nearly ceased, for minutes, and had not resumed at T."""
    stretch = moved.outlier.stretch
    if not moved.outlier.drop or moved.series.template or stretch is None:
        return False
    first, last = stretch
    return last - first + 1 >= MIN_LASTING and last >= 0


def written_since(incident: Incident, moved: Moved) -> int:
    """How many lines of the series were written from `began` to the end of what was read."""
    series = moved.series
    mine = (
        (pl.col("lane") == Lane.LOG.value)
        & (pl.col("source") == series.source)
        & (pl.col("actor") == series.actor)
        & pl.col("timestamp").is_between(moved.outlier.began, read_until(incident), "left")
        & (level_of(pl.col("severity_number")) == series.level)
    )
    return int(incident.snapshot.events.lazy().filter(mine).select(pl.len()).collect().item())


def counted_lines(incident: Incident, moved: Moved) -> Counted:
    """The lines of the count that stands out, at most `MOST_COUNTED`, and what they mostly say."""
    series, at = moved.series, moved.outlier.at
    snapshot = incident.snapshot
    first, last = snapshot.position_at(at), snapshot.position_at(at + WIDTH * BIN_NS)
    rows = snapshot.order.slice(first, last - first)
    shown = pl.col("lane", "source", "actor", "severity_number").gather(rows)
    mine = (
        snapshot.events.select(shown)
        .with_columns(row=rows)
        .filter(
            (pl.col("lane") == Lane.LOG.value)
            & (pl.col("source") == series.source)
            & (pl.col("actor").fill_null("") == series.actor)
            & (level_of(pl.col("severity_number")) == series.level)
        )
        .get_column("row")
    )
    mine = mine.gather_every(max(1, -(-mine.len() // MOST_COUNTED)))
    if mine.is_empty():
        return Counted((), series.template)
    bodies = snapshot.told(pl.col("row").is_in(mine.implode()), "body")
    signed = bodies.with_columns(template=template_of(pl.col("body").fill_null("")))
    if series.template:
        own = signed.filter(pl.col("template") == series.template).get_column("row")
        return Counted(tuple(own.to_list()), series.template)
    mostly = signed.get_column("template").mode().sort()[0]
    return Counted(tuple(signed.get_column("row").to_list()), str(mostly))
