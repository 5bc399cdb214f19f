"""Which rows of a chunk are kept: those that carry a key, those nearest T."""

from __future__ import annotations

import polars as pl

from connectors.logs.load import only


def carrying(
    events: pl.DataFrame, keys: pl.DataFrame, wanted: frozenset[str]
) -> tuple[pl.DataFrame, pl.DataFrame, set[str]]:
    """The rows that carry a wanted key, all of their keys, and which of the wanted were met."""
    hits = keys.filter(pl.col("key").is_in(sorted(wanted)))
    rows = hits.get_column("row").unique().sort()
    kept, their_keys = only(events, keys, rows)
    return kept, their_keys, set(hits.get_column("key").to_list())


def nearest(
    events: pl.DataFrame, keys: pl.DataFrame, pin: int, most: int
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """At most `most` rows, those nearest the pinned instant."""
    distances = (events.get_column("timestamp") - pin).abs()
    return only(events, keys, distances.arg_sort().head(most).sort())
