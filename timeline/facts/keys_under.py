"""Which groups of keys have lines about many things under them, asked for all groups at once.

One question costs a pass over every key of the window; a busy night asks a thousand.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

import polars as pl

from timeline.facts.batches import entity_keys

if TYPE_CHECKING:
    from timeline.incident import Incident

KIND = r"^([^:]+):"
"""What stands before the colon of a typed key."""


def with_many_things(
    incident: Incident, groups: Sequence[Iterable[str]], least: int
) -> frozenset[int]:
    """Places in `groups` (each the machine keys of one story) whose events name at least `least`
    entities of one kind. `timeline.facts.batches.signs_under` finds fewer for all the others."""
    wanted = pl.DataFrame(
        [(place, key) for place, keys in enumerate(groups) for key in keys],
        schema={"group": pl.UInt32, "key": pl.String},
        orient="row",
    )
    held = incident.snapshot.keys.join(wanted, on="key").select("group", "row").unique()
    if held.is_empty():
        return frozenset()
    named = held.join(entity_keys(incident, held.get_column("row").unique()), on="row")
    kinds = named.group_by("group", pl.col("key").str.extract(KIND, 1).alias("kind"))
    many = kinds.agg(things=pl.n_unique("key")).filter(pl.col("things") >= least)
    return frozenset(many.get_column("group").to_list())
