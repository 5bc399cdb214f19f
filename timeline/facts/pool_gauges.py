"""Pools of connections as their own gauges tell them: in use, how many there may be, who waits.

A pool that nobody writes a line about is still scraped. Two curves of one pool are those of one
source with the same labels; what each counts is read from its name, as the exporters of HikariCP,
Go, ActiveRecord, SQLAlchemy, pgbouncer and OpenTelemetry call it. Decides no cause.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

import polars as pl

from timeline.facts.series import points_of

if TYPE_CHECKING:
    from timeline.incident import Incident

POOLS = r"(?i)conn(?:ection)?s?(?:_|\b|$|[A-Z])|pool"
NOT_POOLS = (
    r"(?i)_total\b|_count\b|second|millis|duration|timeout|created|creation|acquire_|bucket|thread"
    r"|memory|byte|buffer|quantile|age\b"
)
"""Counters and times of a pool, and pools of something else."""
IN_USE = r"(?i)active|in_?use|used|busy|borrowed|checked_?out|acquired"
AT_MOST = r"(?i)max|limit|pool_size\b|_size$|capacity"
WAITING = r"(?i)pending|wait|queued"
STATE = ("state", "status", "db.client.connections.state", "db_client_connections_state")
"""Labels by which one curve a state is told: `used`, `idle`, `pending`."""
OWN = frozenset(("__name__", *STATE))
MIN_SAMPLES = 3
"""Looks in a row at which somebody waited: one or two are a blip."""
USUAL_SHARE = 0.6
"""A pool for which somebody waits at more of the looks is used so as a rule."""
BLIPS = 0.1
"""So is one for which somebody waits for a moment at more of the looks."""
MOST_STRETCHES = 2
"""And one for which somebody waits time and again for longer."""


@dataclass(frozen=True, slots=True)
class FullPool:
    """One stretch in which calls waited for a connection of `pool`. Instants in ns UTC; rows are
    those of the first look at which somebody waited, and of what was in use then (or None).

    `most` is how many connections there may be, where a curve tells it; `waiting` the highest
    number of calls that waited. `until` is the last such look, `looks` how many they were.
    """

    source: str
    pool: str
    began: int
    until: int
    looks: int
    waiting: float
    most: float | None
    in_use: float | None
    row: int
    in_use_row: int | None

    @property
    def full(self) -> bool:
        """Whether every connection was in use, as far as is told."""
        return self.in_use is not None and self.most is not None and self.in_use >= self.most


def full_pools(incident: Incident) -> list[FullPool]:
    """By the beginning: stretches of `MIN_SAMPLES` looks and more with calls that waited, in pools
    for which nobody waits as a rule."""
    points = points_of(incident, POOLS, NOT_POOLS)
    if points.is_empty():
        return []
    told = _told_of(points)
    found = []
    for _, pool in told.group_by("source", "pool", maintain_order=True):
        waiting = pool.filter(pl.col("counts") == "waiting").sort("timestamp", "row")
        if waiting.height > MIN_SAMPLES:
            found += _stretches(pool, waiting)
    return sorted(found, key=lambda one: (one.began, one.pool))


def _told_of(points: pl.DataFrame) -> pl.DataFrame:
    """Points with `pool` (their labels without those that name the curve) and what they count."""
    curves = points.select("measure", "labels").unique()
    rows = []
    for measure, text in curves.iter_rows():
        labels = {str(name): str(value) for name, value in json.loads(text).items()}
        name = " ".join((measure, *(labels[state] for state in STATE if state in labels)))
        pool = " ".join(f"{key}={labels[key]}" for key in sorted(labels.keys() - OWN))
        rows.append({"measure": measure, "labels": text, "pool": pool, "name": name})
    named = pl.DataFrame(rows, schema=dict.fromkeys(rows[0], pl.String))
    told = pl.col("name")
    named = named.with_columns(
        counts=pl.when(told.str.contains(WAITING))
        .then(pl.lit("waiting"))
        .when(told.str.contains(AT_MOST))
        .then(pl.lit("most"))
        .when(told.str.contains(IN_USE))
        .then(pl.lit("in use"))
    ).drop_nulls("counts")
    return points.join(named, on=["measure", "labels"], maintain_order="left")


def _stretches(pool: pl.DataFrame, waiting: pl.DataFrame) -> list[FullPool]:
    some = waiting.with_columns(some=pl.col("value") > 0)
    runs = some.with_columns(run=pl.col("some").rle_id())
    long = runs.filter(pl.col("some")).filter(pl.len().over("run") >= MIN_SAMPLES)
    stretches = long.get_column("run").n_unique()
    waited = int(some.get_column("some").sum())
    usual = waited > USUAL_SHARE * some.height or waited - long.height > BLIPS * some.height
    if long.is_empty() or usual or stretches > MOST_STRETCHES:
        return []
    return [_one(pool, part) for _, part in long.group_by("run", maintain_order=True)]


def _one(pool: pl.DataFrame, part: pl.DataFrame) -> FullPool:
    began, until = part["timestamp"][0], part["timestamp"][-1]
    inside = pool.filter(pl.col("timestamp").is_between(began, until))
    used = inside.filter(pl.col("counts") == "in use").sort("value", "timestamp", "row")
    most = pool.filter(pl.col("counts") == "most").get_column("value").max()
    middle = used.row(used.height // 2, named=True) if used.height else None
    return FullPool(
        source=part["source"][0],
        pool=part["pool"][0],
        began=began,
        until=until,
        looks=part.height,
        waiting=max(part.get_column("value").to_list()),
        most=float(most) if isinstance(most, float) else None,
        in_use=None if middle is None else float(middle["value"]),
        row=part["row"][0],
        in_use_row=None if middle is None else int(middle["row"]),
    )
