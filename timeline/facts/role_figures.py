"""Curves of a role that change hands: one instance takes over what another gives up.

Exporters of databases say of every instance whether it leads or only reads. For rented databases
that is often the only record of a change of leader. Owns no opinion on who suffered from it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from timeline.facts.series import points_of

if TYPE_CHECKING:
    from timeline.incident import Incident

ROLES = (
    r"(?i)replica\b|is_replica|_role\b|in_recovery|is_(?:primary|master|leader|writer)"
    r"|read_only|readonly|(?:primary|master|leader)_status|is_standby"
)
NO_ROLE = r"(?i)lag|delay|bytes|seconds|count|total|slots|connected"
TOGETHER_NS = 60_000_000_000
"""Both change between two looks of the same exporter, or of two that look in turn."""
LEAST_POINTS = 4
_LABELS = ("instance", "host", "server", "node", "pod", "dbinstance_identifier")

ROLE_SCHEMA: dict[str, pl.DataType | type[pl.DataType]] = {
    "row": pl.UInt32,
    "timestamp": pl.Int64,
    "actor": pl.String,
    "body": pl.String,
}


def role_swaps(incident: Incident) -> pl.DataFrame:
    """(row, timestamp, actor, body) of figures in which an instance takes a role over that another
    of the same curve gives up within `TOGETHER_NS`; time order. `actor` is the instance."""
    points = points_of(incident, ROLES, NO_ROLE)
    points = points.filter(pl.col("value").is_in([0.0, 1.0]))
    empty = pl.DataFrame(schema=ROLE_SCHEMA)
    if points.is_empty():
        return empty
    labels = [pl.col("labels").str.json_path_match(f"$.{name}") for name in _LABELS]
    named = points.with_columns(instance=pl.coalesce(*labels, pl.col("series")))
    per = ("source", "measure", "series")
    moved = pl.col("value") - pl.col("value").shift(1).over(per)
    turns = (
        named.sort(*per, "timestamp", "row")
        .filter(pl.len().over(per) >= LEAST_POINTS)
        .with_columns(moved=moved)
        .filter(pl.col("moved") != 0)
        .filter(pl.len().over(per) == 1)  # one that goes to and fro is no role
    )
    gained, lost = turns.filter(pl.col("moved") > 0), turns.filter(pl.col("moved") < 0)
    both = gained.join(lost, on=["source", "measure"], suffix="_other").filter(
        (pl.col("timestamp") - pl.col("timestamp_other")).abs() <= TOGETHER_NS
    )
    if both.is_empty():
        return empty
    body = pl.format("{} of {} and of {} changed places", "measure", "instance", "instance_other")
    told = both.select("row", "timestamp", pl.col("instance").alias("actor"), body.alias("body"))
    typed = told.select(pl.col(name).cast(kind) for name, kind in ROLE_SCHEMA.items())
    return typed.unique("row", keep="first").sort("timestamp", "row")
