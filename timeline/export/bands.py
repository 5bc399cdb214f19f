"""What the picture of an incident draws, source by source: counted by Polars, nothing chosen.

Rows are counted in equal buckets that begin at T. Where an engine counted a stretch, its own bars
stand there instead of the few rows that travelled. Never draws.
"""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

import polars as pl

from timeline.columns import event_from
from timeline.coverage import Sight
from timeline.event import SEVERITY_ERROR, SEVERITY_WARN, Kind, Lane
from timeline.export.document import Band, Bar, Mark, Moment, Stretch
from timeline.words import FAILED_KINDS

if TYPE_CHECKING:
    from collections.abc import Mapping

    from timeline.incident import Incident
    from timeline.store import Snapshot
    from timeline.window import Window

BUCKETS = 240
"""Bars over the window: three or four printed points wide each, so that single ones are seen."""
MOST_SAMPLES = 20_000
"""Samples of depth that are looked at, the newest kept: an hour of a broker's hundred queues."""
MOST_MARKS = 64
"""Changes and notes of one source; of more the newest, for with them all nothing else is seen."""
COUNTED = 255
"""A stretch that was counted by severity was seen, whatever severity is asked for."""

_CALM, _WARNING, _ERROR = 0, 1, 2
_LEVELS = ("calm", "warnings", "errors")
_MARKED = (Lane.CHANGE, Lane.NOTE)


def bands_of(incident: Incident) -> tuple[Band, ...]:
    """Every source that was configured or spoke, in the order of lanes, then by name."""
    snapshot, window = incident.snapshot, incident.window
    step = max(-(-(window.end - window.start) // BUCKETS), 1)
    bars, waiting = _bars(snapshot, window, step), _waiting(snapshot, window, step)
    marks = _marks(snapshot, window)
    bands = [
        Band(
            source=name,
            lane=lane,
            bars=bars.get(name, ()),
            waiting=waiting.get(name, ()),
            marks=marks.get(name, ()),
            unseen=_unseen(incident, name),
        )
        for name, lane in _lanes(incident).items()
    ]
    order = list(Lane)
    return tuple(sorted(bands, key=lambda band: (order.index(band.lane), band.source)))


def _lanes(incident: Incident) -> dict[str, Lane]:
    """The lane of every source: as configured, else the one that it speaks most in."""
    spoken = (
        incident.snapshot.events.lazy()
        .group_by(pl.col("source").cast(pl.String), pl.col("lane").cast(pl.String))
        .agg(n=pl.len())
        .sort("n", "lane")
        .collect()
    )
    lanes = {source: Lane(lane) for source, lane, _ in spoken.iter_rows()}
    lanes.update((info.name, info.lane) for info in incident.sources)
    return lanes


def _bars(snapshot: Snapshot, window: Window, step: int) -> Mapping[str, tuple[Bar, ...]]:
    time = pl.col("timestamp")
    is_sample = (pl.col("lane") == Lane.QUEUE.value) & (pl.col("kind") == Kind.METRIC.value)
    failed = pl.col("kind").cast(pl.String).is_in([kind.value for kind in FAILED_KINDS])
    held = (
        snapshot.events.lazy()
        .filter((time >= window.start) & (time < window.end))
        .filter(~is_sample & (pl.col("kind") != Kind.GAP.value))
        .select(
            pl.col("source").cast(pl.String),
            time,
            _bucket(time, window.pin, step).alias("at"),
            pl.lit(step, pl.Int64).alias("width"),
            _level(failed).alias("level"),
        )
        .collect()
    )
    told = snapshot.counts.filter(
        (pl.col("start") < window.end) & (pl.col("start") + pl.col("width") > window.start)
    ).with_columns(pl.col("source").cast(pl.String))
    if told.height:
        held, counted = _joined(held, told)
        parts = [_by_level(held), _widened(counted, window.pin, step)]
    else:
        parts = [_by_level(held)]
    summed = (
        pl.concat(parts)
        .group_by("source", "at", "width")
        .agg(pl.col(level).sum() for level in _LEVELS)
        .filter(pl.sum_horizontal(_LEVELS) > 0)
        .sort("source", "at", "width")
    )
    bars: dict[str, list[Bar]] = defaultdict(list)
    for source, *bar in summed.iter_rows():
        bars[source].append(Bar(*bar))
    return {source: tuple(own) for source, own in bars.items()}


def _bucket(time: pl.Expr, pin: int, step: int) -> pl.Expr:
    return (time - pin) // step * step + pin


def _level(failed: pl.Expr) -> pl.Expr:
    severity = pl.col("severity_number")
    return (
        pl.when((severity >= SEVERITY_ERROR) | failed)
        .then(_ERROR)
        .when(severity >= SEVERITY_WARN)
        .then(_WARNING)
        .otherwise(_CALM)
    )


def _by_level(rows: pl.DataFrame) -> pl.DataFrame:
    return rows.group_by("source", "at", "width").agg(
        (pl.col("level") == number).sum().cast(pl.Int64).alias(level)
        for number, level in enumerate(_LEVELS)
    )


def _joined(held: pl.DataFrame, told: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Rows outside of counted bars, and the bars: (source, at, width, calm, warnings, errors).

    An error that travelled is an error although the engine could not count it as one, and a bar
    of which more travelled since it was counted holds all of that.
    """
    level = _level(pl.lit(value=False))
    bars = told.group_by("source", at="start", width="width").agg(
        pl.col("count").filter(level == number).sum().alias(name)
        for number, name in enumerate(_LEVELS)
    )
    inside = held.sort("timestamp").join_asof(
        bars.select("source", bar="at", bar_width="width").sort("bar"),
        left_on="timestamp",
        right_on="bar",
        by="source",
        coalesce=False,
        check_sortedness=False,
    )
    barred = (pl.col("timestamp") < pl.col("bar") + pl.col("bar_width")).fill_null(value=False)
    rows = inside.filter(barred).select("source", "level", at="bar", width="bar_width")
    both = bars.join(_by_level(rows), on=["source", "at", "width"], how="left", suffix="_held")
    worse = [
        pl.max_horizontal(name, pl.col(f"{name}_held").fill_null(0)).alias(name)
        for name in ("warnings", "errors")
    ]
    total = pl.max_horizontal(
        pl.sum_horizontal(_LEVELS),
        pl.sum_horizontal(pl.col(f"{name}_held").fill_null(0) for name in _LEVELS),
    )
    counted = both.with_columns(*worse, total.alias("total")).with_columns(
        (pl.col("total") - pl.col("warnings") - pl.col("errors")).clip(0).alias("calm")
    )
    return inside.filter(~barred).select(held.columns), counted.select(
        "source", "at", "width", *_LEVELS
    )


def _widened(bars: pl.DataFrame, pin: int, step: int) -> pl.DataFrame:
    """Bars narrower than a bucket counted into it, by their middle; wider ones as they are."""
    narrow = pl.col("width") < step
    middle = pl.col("at") + pl.col("width") // 2
    return bars.select(
        "source",
        pl.when(narrow).then(_bucket(middle, pin, step)).otherwise("at").alias("at"),
        pl.when(narrow).then(step).otherwise("width").cast(pl.Int64).alias("width"),
        *_LEVELS,
    )


def _waiting(
    snapshot: Snapshot, window: Window, step: int
) -> Mapping[str, tuple[tuple[int, int], ...]]:
    """The most that waited in each bucket, all queues of a source together."""
    attributes, over = pl.col("attributes"), ["source", "queue"]
    samples = (
        snapshot.events.lazy()
        .filter((pl.col("lane") == Lane.QUEUE.value) & (pl.col("kind") == Kind.METRIC.value))
        .filter(attributes.is_not_null())
        .sort("timestamp", "seq")
        .tail(MOST_SAMPLES)
        .select(
            pl.col("source").cast(pl.String),
            pl.col("timestamp"),
            attributes.str.json_path_match("$.queue").fill_null("").alias("queue"),
            attributes.str.json_path_match("$.depth").cast(pl.Int64, strict=False).alias("depth"),
        )
        .drop_nulls("depth")
        .with_columns(more=pl.col("depth") - pl.col("depth").shift().over(over).fill_null(0))
        .with_columns(total=pl.col("more").cum_sum().over("source"))
        .collect()
    )
    once = pl.col("timestamp").n_unique().over("source") == 1
    bucket = _bucket(pl.col("timestamp"), window.pin, step)
    folded = (
        samples.with_columns(at=pl.when(once).then("timestamp").otherwise(bucket))
        .group_by("source", "at")
        .agg(pl.col("total").max())
        .sort("source", "at")
    )
    curves: dict[str, list[tuple[int, int]]] = defaultdict(list)
    for source, at, total in folded.iter_rows():
        curves[source].append((at, total))
    return {source: tuple(points) for source, points in curves.items()}


def _marks(snapshot: Snapshot, window: Window) -> Mapping[str, tuple[Mark, ...]]:
    time = pl.col("timestamp")
    frame = snapshot.events.filter(
        pl.col("lane").cast(pl.String).is_in([lane.value for lane in _MARKED])
        & (time >= window.start)
        & (time < window.end)
        & (pl.col("kind") != Kind.GAP.value)
    )
    marks: dict[str, list[Mark]] = defaultdict(list)
    for record in frame.sort("timestamp", "seq").tail(MOST_MARKS).to_dicts():
        event = event_from(record)
        marks[event.source].append(Mark(Moment(event.timestamp, event.precision), event.body))
    return {source: tuple(own) for source, own in marks.items()}


def _unseen(incident: Incident, source: str) -> tuple[Stretch, ...]:
    """What the source did not see in full; a stretch that it says nothing of is one too."""
    window = incident.window
    limits = incident.snapshot.coverage.limits((source,), window.start, window.end, COUNTED)
    seen = {
        Stretch(max(one.start, window.start), min(one.end, window.end), one.sight,
                one.reason, one.remedy): None
        for one in limits
        if one.sight is not Sight.FULL
    }  # fmt: skip
    return tuple(sorted(seen, key=lambda one: (one.start, one.end, one.sight.value, one.reason)))
