"""Curves of a system's own figures, and whether one truly rises.

Owns how points of metric sources become series and the two rank statistics used on them. Decides
nothing about what a rise means.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

import polars as pl

from timeline.event import Kind, Lane
from timeline.facts.wordings import holding

if TYPE_CHECKING:
    from timeline.incident import Incident

MAX_POINTS = 150
"""Points of one series that are compared pair by pair (11 000 pairs); more are thinned evenly."""
SIGNIFICANT = 0.01
"""One series in a hundred without any trend passes this by chance (detector catalogue, D20)."""

POINT_SCHEMA: dict[str, pl.DataType | type[pl.DataType]] = {
    "row": pl.UInt32,
    "timestamp": pl.Int64,
    "source": pl.String,
    "actor": pl.String,
    "series": pl.String,  # the curve's name with its labels, as the metric source words it
    "metric": pl.String,  # the curve's configured name
    "measure": pl.String,  # the name of what was measured (`__name__`), or the configured name
    "labels": pl.String,  # JSON object
    "value": pl.Float64,
}


class Trend(NamedTuple):
    """`slope` per ns (the median of all pairs' slopes), `p` of no upward trend, first and last."""

    slope: float
    p: float

    @property
    def rises(self) -> bool:
        return self.slope > 0 and self.p < SIGNIFICANT


def points_of(incident: Incident, measures: str, never: str) -> pl.DataFrame:
    """Points (POINT_SCHEMA, by series and time) of curves whose name fits `measures` only.

    Both are regexes, tried on the configured name and on the measured one; a curve that fits
    `never` under either name is left out.
    """
    points = incident.points
    if points.is_empty():
        return points
    curves = incident.shared(curves_in)
    name = pl.col("name")
    wanted = holding(curves, measures, "name")
    if wanted.is_empty():
        return points.clear()
    wanted = wanted.filter(~name.str.contains(never))
    return points.join(wanted, on=["metric", "measure"], how="semi", maintain_order="left")


def curves_in(incident: Incident) -> pl.DataFrame:
    """(metric, measure, name) of every curve; `name` is both, one after the other."""
    curves = incident.points.select("metric", "measure").unique()
    return curves.with_columns(name=pl.concat_str("metric", "measure", separator=" "))


_VALUE = r" = \S+( \(|$)"
"""What differs from point to point: the value, before or (older recordings) behind the labels."""


def points_in(incident: Incident) -> pl.DataFrame:
    """Every point with a value (POINT_SCHEMA), by series and time; read once for all detectors."""
    told = incident.snapshot.told(
        (pl.col("lane") == Lane.METRIC.value) & (pl.col("kind") == Kind.METRIC.value),
        "source",
        "actor",
        "body",
        "attributes",
    )
    if told.is_empty():
        return pl.DataFrame(schema=POINT_SCHEMA)

    def member(path: str) -> pl.Expr:
        return pl.col("attributes").str.json_path_match(path)

    points = told.with_columns(
        metric=member("$.metric").fill_null(""),
        labels=member("$.labels").fill_null("{}"),
        value=member("$.value").cast(pl.Float64, strict=False),
        series=pl.col("body").str.replace(_VALUE, "${1}"),
    ).with_columns(
        measure=pl.coalesce(pl.col("labels").str.json_path_match("$.__name__"), pl.col("metric"))
    )
    kept = points.drop_nulls("value").select(
        pl.col(name).cast(dtype) for name, dtype in POINT_SCHEMA.items()
    )
    return kept.sort("source", "series", "timestamp", "row")


def trend_of(timestamps: pl.Series, values: pl.Series) -> Trend:
    """Theil-Sen slope and one-sided Mann-Kendall p of a series in time order.

    References: Sen (1968); Mann (1945), Kendall (1975), with the correction for equal values.
    """
    frame = thinned(pl.DataFrame({"at": timestamps, "value": values.cast(pl.Float64)}))
    count = frame.height
    if count < 3:
        return Trend(0.0, 1.0)
    numbered = frame.with_row_index("n")
    pairs = numbered.join_where(
        numbered.select(later="n", at_later="at", value_later="value"),
        pl.col("n") < pl.col("later"),
    )
    rise, run = pl.col("value_later") - pl.col("value"), pl.col("at_later") - pl.col("at")
    slope, score = pairs.select(
        (rise / run).filter(run > 0).median().alias("slope"), rise.sign().sum().alias("score")
    ).row(0)
    ties = frame.group_by("value").len().get_column("len").cast(pl.Float64)
    tied = float((ties * (ties - 1) * (2 * ties + 5)).sum())
    variance = (count * (count - 1) * (2 * count + 5) - tied) / 18
    if variance <= 0 or slope is None:
        return Trend(0.0, 1.0)
    z = (score - math.copysign(1, score)) / math.sqrt(variance) if score else 0.0
    return Trend(float(slope), 0.5 * math.erfc(z / math.sqrt(2)))


def thinned(frame: pl.DataFrame) -> pl.DataFrame:
    """At most `MAX_POINTS` rows, evenly spread."""
    step = -(-frame.height // MAX_POINTS)
    return frame if step <= 1 else frame.gather_every(step)
