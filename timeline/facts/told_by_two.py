"""Two hosts of one service at the same many things for a while: each thing told by both, in turn.

A relay, an importer, a poller that must be alone says one line of each thing. When a second one is
started beside it, both say the same of every thing until one of them goes. What is told by several
hosts all night is so by design, and a thing told twice here and there was tried again.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import polars as pl

from timeline.event import Lane
from timeline.facts.entities import entity_pairs

if TYPE_CHECKING:
    from timeline.incident import Incident

LEAST_BOTH = 5
"""Things in a row that both told."""
LEAST_ALONE = 10
"""Things outside that one host told, before that is the rule."""
ALONE_SHARE = 0.9
BOTH_SHARE = 0.8
"""Of the things in the stretch, how many both must have told."""
MOST_NAMED = 8
"""Events about one thing; what more name is no item of a stream."""
MOST_PAIRS = 150_000
"""Keys that are all looked at; of more,"""
MOST_EVENTS = 100_000
"""those of so many events around T."""

TWO_SCHEMA: dict[str, pl.DataType | type[pl.DataType]] = {
    "row": pl.UInt32,
    "key": pl.String,
    "timestamp": pl.Int64,
    "actor": pl.String,
    "clock": pl.String,
}


def told_by_two(incident: Incident) -> Iterator[pl.DataFrame]:
    """TWO_SCHEMA of the lines of each such stretch, by the two hosts that told most of it."""
    told = _lines(incident)
    if told.is_empty():
        return
    each = told.group_by("actor", "kind", "key", maintain_order=True).agg(
        at=pl.col("timestamp").min(), hosts=pl.col("clock").n_unique()
    )
    each = each.sort("at", "key").with_columns(both=pl.col("hosts") > 1)
    group = ("actor", "kind")
    enough = (pl.col("both").sum().over(group) >= LEAST_BOTH) & (
        (~pl.col("both")).sum().over(group) >= LEAST_ALONE
    )
    for _, part in each.filter(enough).group_by(*group, maintain_order=True):
        stretch = _densest(part)
        if stretch is None:
            continue
        mine = told.join(stretch.select("actor", "kind", "key"), on=["actor", "kind", "key"])
        hosts = (
            mine.group_by("clock")
            .agg(n=pl.col("key").n_unique())
            .sort(["n", "clock"], descending=[True, False])
        )
        two = mine.filter(pl.col("clock").is_in(hosts.get_column("clock").head(2).implode()))
        shared = two.group_by("key").agg(n=pl.col("clock").n_unique()).filter(pl.col("n") == 2)
        if shared.height >= max(LEAST_BOTH, BOTH_SHARE * stretch.filter("both").height):
            shown = two.join(shared.select("key"), on="key", how="semi")
            yield shown.sort("timestamp", "row").select(
                pl.col(name).cast(dtype) for name, dtype in TWO_SCHEMA.items()
            )


def _lines(incident: Incident) -> pl.DataFrame:
    """The log lines that name a thing of which little is said, with its kind."""
    events, keys = incident.snapshot.events, incident.snapshot.keys
    hosts = (
        events.lazy()
        .filter(pl.col("lane") == Lane.LOG.value)
        .group_by("actor")
        .agg(n=pl.col("clock").n_unique())
    )
    several = hosts.filter(pl.col("n") > 1).select("actor").collect().to_series()
    if several.is_empty() or keys.is_empty():
        return pl.DataFrame(schema={**TWO_SCHEMA, "kind": pl.String})
    if keys.height > MOST_PAIRS:
        middle = incident.snapshot.position_at(incident.window.pin)
        first = max(middle - MOST_EVENTS // 2, 0)
        keys = incident.snapshot.keys_of(incident.snapshot.order.slice(first, MOST_EVENTS))
    things = entity_pairs(keys)
    named = things.filter(pl.len().over("key").is_between(1, MOST_NAMED))
    shown = events.select(
        pl.col("lane", "actor", "clock", "timestamp").gather(named.get_column("row"))
    )
    lines = named.hstack(shown).filter(
        (pl.col("lane") == Lane.LOG.value) & pl.col("actor").is_in(several.implode())
    )
    inside = lines.filter(pl.col("timestamp") >= incident.window.start)
    return inside.with_columns(kind=pl.col("key").str.extract(r"^([^:]+):", 1)).sort(
        "timestamp", "row"
    )


def _densest(part: pl.DataFrame) -> pl.DataFrame | None:
    """The stretch of things in which nearly all were told by both, where outside hardly any was."""
    weight = 1 / (1 - BOTH_SHARE) - 1
    total = pl.when("both").then(1.0).otherwise(-weight).cum_sum()
    scored = part.with_columns(total=total)
    before = scored.get_column("total").shift(1, fill_value=0.0)
    gain = scored.get_column("total") - before.cum_min()
    last = gain.arg_max()
    if last is None:
        return None
    first = before.head(last + 1).arg_min() or 0
    inside = part.slice(first, last - first + 1)
    outside = pl.concat([part.head(first), part.tail(part.height - last - 1)])
    alone = outside.filter(~pl.col("both")).height
    if inside.get_column("both").sum() < LEAST_BOTH or alone < LEAST_ALONE:
        return None
    return inside if alone >= ALONE_SHARE * outside.height else None
