"""Keys as something to pick from: what kind of thing each is, how many rows, over which time.

Looks only at keys that the snapshot holds; a key nobody holds may still be looked up.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

import polars as pl

from timeline.facts.job_names import OTHER_TYPES
from timeline.keys import split_key

if TYPE_CHECKING:
    from timeline.store import Snapshot

MOST_COMPLETED = 40
"""Keys offered for what was typed; more are not read through."""
LOOKED_AT = 50_000
"""Pairs of row and key that are looked at for them."""

GROUPS: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("requests", ("request", "trace", "span")),
    ("jobs", ("job", *OTHER_TYPES)),
    ("things", ()),
    ("database rows", ("row",)),
    ("hosts and peers", ("peer", "host", "pod")),
    ("transactions", ("txn",)),
)
"""What keys of these types name, in the order it is offered; without types: all others."""


class KnownKey(NamedTuple):
    """A key with how many rows carry it, from when to when (ns UTC, None without rows)."""

    key: str
    rows: int
    first: int | None
    last: int | None
    broad: bool
    """Too common to join on."""

    @property
    def group(self) -> str:
        return group_of(self.key)


def group_of(key: str) -> str:
    """`requests`, `jobs`, ...: what kind of thing the key names."""
    kind = split_key(key)[0]
    return next((name for name, kinds in GROUPS if kind in kinds), "things")


def described(snapshot: Snapshot, keys: Sequence[str]) -> list[KnownKey]:
    """Each of `keys` with its rows, by group, the rarest of a group first."""
    wanted = pl.Series(list(keys), dtype=pl.String)
    held = snapshot.keys.filter(pl.col("key").is_in(wanted.implode()))
    stamps = snapshot.events.get_column("timestamp").gather(held.get_column("row"))
    told = held.with_columns(at=stamps).group_by("key").agg(
        pl.col("row").n_unique(), first=pl.col("at").min(), last=pl.col("at").max()
    )  # fmt: skip
    found = {key: (rows, first, last) for key, rows, first, last in told.iter_rows()}
    known = [
        KnownKey(key, *found.get(key, (0, None, None)), key in snapshot.broad_keys)
        for key in dict.fromkeys(keys)
    ]
    order = [name for name, _ in GROUPS]
    return sorted(known, key=lambda one: (order.index(one.group), one.rows, one.key))


def completions(snapshot: Snapshot, typed: str, most: int = MOST_COMPLETED) -> list[KnownKey]:
    """Keys that begin with `typed`; without a type in it, also those whose value does."""
    wanted = typed.strip()
    if not wanted:
        return []
    key = pl.col("key")
    likely = key.str.starts_with(wanted)
    if ":" not in wanted:
        likely = likely | key.str.contains(f":{wanted}", literal=True)
    held = snapshot.keys.lazy().filter(likely).head(LOOKED_AT).select("key").collect()
    known = held.get_column("key").unique(maintain_order=True).to_list()
    begins = [k for k in known if k.startswith(wanted) or split_key(k)[1].startswith(wanted)]
    return described(snapshot, begins[:most])
