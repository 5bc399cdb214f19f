"""Gauges that say when some work last went well: as an instant, or as the time since.

`backup_last_success_timestamp_seconds` jumps with every run, `seconds_since_last_sync` falls to
nothing and climbs a second a second. Either tells of runs that nobody logs, and, as long as it is
scraped, that there was none. No name is read: the shape of the curve is the sign.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import polars as pl

from timeline.facts.paced_lines import MIN_SILENT, even_pace
from timeline.facts.schedules import LATE_SHARE, Planned
from timeline.facts.words import length
from timeline.facts.work import Run
from timeline.window import MINUTE_NS, SECOND_NS

if TYPE_CHECKING:
    from timeline.incident import Incident

LEAST_SAMPLES = 20
MOST_SERIES = 100
MIN_RUNS = 5
"""Runs that a curve shows before their pace is believed."""
MIN_PERIOD_NS = 30 * SECOND_NS
SAME_PACE = 0.1
"""A second a second, but for what scrapes are late."""
CLIMBS = 0.6
"""Of the steps of an age, how many climb so; the others are runs."""
BEHIND_NS = 60 * MINUTE_NS
"""An instant that a gauge tells lies in the window, or no longer before it."""


def stopped_ages(incident: Incident) -> Iterator[Planned]:
    """Work whose gauge told of runs at an even pace and tells of none since, though it is read."""
    points = incident.points
    if points.is_empty():
        return
    inside = points.filter(pl.col("timestamp") >= incident.window.start)
    series = _shaped(incident, inside).partition_by("source", "series", maintain_order=True)
    for part in series[:MOST_SERIES]:
        runs = _by_instants(incident, part) or _by_age(part)
        period = even_pace([run.at for run in runs]) if len(runs) >= MIN_RUNS else None
        if period is None or period < MIN_PERIOD_NS:
            continue
        if int(part["timestamp"][-1]) - runs[-1].at < (MIN_SILENT + LATE_SHARE) * period:
            continue
        name = str(part["measure"][0] or part["metric"][0])
        yield Planned(
            name=f"what {name} tells of",
            basis=f"every {length(period)}, learnt from {len(runs)} runs that the gauge shows",
            runs=runs,
            sources=(str(part["source"][0]),),
            period=period,
            tolerance=round(LATE_SHARE * period),
            learnt=len(runs),
        )


def _shaped(incident: Incident, points: pl.DataFrame) -> pl.DataFrame:
    """The points of the series that may be an age or an instant: most of its steps climb a second
    a second, or all of its values lie near the window."""
    per = ["source", "series"]
    first = (incident.window.start - BEHIND_NS) / SECOND_NS
    last = incident.window.end / SECOND_NS
    later = pl.col("timestamp").diff() / SECOND_NS
    climbs = ((pl.col("value").diff() - later).abs() <= SAME_PACE * later).mean()
    value = pl.col("value")
    shape = points.group_by(per).agg(
        n=pl.len(), climbs=climbs, least=value.min(), most=value.max(), kinds=value.n_unique()
    )
    instants = [
        (pl.col("least") >= first * unit) & (pl.col("most") <= last * unit) for unit in (1, 1_000)
    ]
    fit = (pl.col("climbs") >= CLIMBS) | instants[0] | instants[1]
    enough = (pl.col("n") >= LEAST_SAMPLES) & (pl.col("kinds") >= MIN_RUNS)
    return points.join(shape.filter(enough & fit), on=per, how="semi", maintain_order="left")


def _by_instants(incident: Incident, part: pl.DataFrame) -> tuple[Run, ...]:
    """The gauge's values as instants (s or ms since 1970), where all of them lie near the window
    and never go back."""
    values = part.get_column("value")
    last = incident.window.end // SECOND_NS
    unit = 1_000 if values.max() is not None and float(str(values.max())) > 100 * last else 1
    at = (pl.col("value") * (SECOND_NS // unit)).cast(pl.Int64)
    told = part.with_columns(at=at).select("at", "row", "source", "actor")
    stamps = told.get_column("at")
    first = incident.window.start - BEHIND_NS
    if not stamps.is_between(first, incident.window.end).all() or not stamps.is_sorted():
        return ()
    return _runs(told.unique("at", keep="first", maintain_order=True))


def _by_age(part: pl.DataFrame) -> tuple[Run, ...]:
    """The instants at which an age began anew."""
    stamp, age = pl.col("timestamp"), (pl.col("value") * SECOND_NS).cast(pl.Int64)
    told = part.with_columns(age=age).with_columns(
        later=stamp - stamp.shift(1), grown=pl.col("age") - pl.col("age").shift(1)
    )
    climbs = (pl.col("grown") - pl.col("later")).abs() <= SAME_PACE * pl.col("later")
    fell = (pl.col("age") >= 0) & (pl.col("age") <= pl.col("later") * (1 + SAME_PACE))
    steps = told.slice(1).with_columns(climbs=climbs, fell=fell & (pl.col("grown") < 0))
    anew = steps.filter("fell")
    if (
        steps.filter("climbs").height < CLIMBS * steps.height
        or not steps.filter(~pl.col("climbs") & ~pl.col("fell")).is_empty()
    ):
        return ()
    return _runs(anew.select("row", "source", "actor", at=stamp - pl.col("age")))


def _runs(told: pl.DataFrame) -> tuple[Run, ...]:
    return tuple(
        Run("", None, at, at, "logged", source, source, actor, row, row, row)
        for at, row, source, actor in told.select("at", "row", "source", "actor").iter_rows()
    )
