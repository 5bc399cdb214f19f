"""Which keys name the things people care about, as opposed to the machinery that handled them."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

import polars as pl

from timeline.once import built_once

if TYPE_CHECKING:
    from timeline.incident import Incident
    from timeline.store import Snapshot

MACHINE_TYPES = frozenset({"request", "trace", "span", "job", "txn", "row", "peer", "batch"})
"""Key types that name a piece of work or a place. Everything else (`user`, `order`) is an entity:
something with a life of its own that a fault can harm."""

_MACHINE = pl.any_horizontal(
    pl.col("key").str.starts_with(f"{name}:") for name in sorted(MACHINE_TYPES)
)
"""Several times as fast as one regex of all of them, where keys are many."""
FEW_KEYS = 20_000
_MACHINE_OF_FEW = pl.col("key").str.contains(f"^(?:{'|'.join(sorted(MACHINE_TYPES))}):")
"""The same for few: one regex is sooner set up than nine steps."""


def is_entity(key: str) -> bool:
    return key.partition(":")[0] not in MACHINE_TYPES


def entity_pairs(keys: pl.DataFrame) -> pl.DataFrame:
    """The (row, key) pairs whose key names an entity."""
    if keys.is_empty():
        return keys
    return _where(keys, ~(_MACHINE_OF_FEW if keys.height < FEW_KEYS else _MACHINE))


def job_pairs(incident: Incident) -> pl.DataFrame:
    """The (row, key) pairs of all jobs' keys, for `Incident.shared`."""
    return all_of_type(incident.snapshot, "job")


def all_of_type(snapshot: Snapshot, name: str) -> pl.DataFrame:
    """The (row, key) pairs of one key type among all that was read, looked for once."""
    return built_once(snapshot, ("pairs", name), lambda: pairs_of_type(snapshot.keys, name))


@cache
def _named(name: str) -> pl.Expr:
    return pl.col("key").str.starts_with(f"{name}:")


def pairs_of_type(keys: pl.DataFrame, name: str) -> pl.DataFrame:
    """The (row, key) pairs of one key type."""
    return keys if keys.is_empty() else _where(keys, _named(name))


def _where(keys: pl.DataFrame, held: pl.Expr) -> pl.DataFrame:
    """The rows of `keys` for which `held`; of two columns sooner than by a query."""
    mask = keys.select(held).to_series()
    return pl.DataFrame([column.filter(mask) for column in keys.iter_columns()])
