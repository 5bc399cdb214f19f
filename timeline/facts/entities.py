"""Which keys name the things people care about, as opposed to the machinery that handled them."""

from __future__ import annotations

import polars as pl

MACHINE_TYPES = frozenset({"request", "trace", "span", "job", "txn", "row", "peer", "batch"})
"""Key types that name a piece of work or a place. Everything else (`user`, `order`) is an entity:
something with a life of its own that a fault can harm."""

_MACHINE = rf"^(?:{'|'.join(sorted(MACHINE_TYPES))}):"


def is_entity(key: str) -> bool:
    return key.partition(":")[0] not in MACHINE_TYPES


def entity_pairs(keys: pl.DataFrame) -> pl.DataFrame:
    """The (row, key) pairs whose key names an entity."""
    return keys if keys.is_empty() else keys.filter(~pl.col("key").str.contains(_MACHINE))


def pairs_of_type(keys: pl.DataFrame, name: str) -> pl.DataFrame:
    """The (row, key) pairs of one key type."""
    return keys if keys.is_empty() else keys.filter(pl.col("key").str.starts_with(f"{name}:"))
