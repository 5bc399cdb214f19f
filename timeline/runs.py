"""Runs of one source's rows in `seq` order: how batches become one sequence without repeats.

A run is strictly ascending in `IDENTITY`. Runs that
do not overlap are laid end to end untouched; overlapping ones are merged. The result depends
only on the set of records, never on how they were split into batches or in which order those
came. Used by `timeline.store` alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import polars as pl

from timeline.columns import EVENT_SCHEMA, KEY_SCHEMA

IDENTITY = ("seq", "ref", "timestamp", "kind", "file", "offset")
"""What makes two rows of one source the same record, in the order runs are sorted by."""

_FULLEST: tuple[pl.Expr, ...] = (
    pl.col("attributes").str.len_bytes(),
    pl.col("attributes"),
    pl.col("length"),
    pl.col("body"),
    pl.col("severity_number"),
    *(
        pl.col(name).cast(pl.String)
        for name in ("lane", "actor", "clock", "meaning", "precision", "source")
    ),
)
"""Of two tellings of one record the fuller is kept (a state read again says more, a last line
read again is complete); the rest of the list makes the choice independent of arrival."""


@dataclass(frozen=True, slots=True)
class Run:
    """Rows of one source; keys count rows of this run and are sorted by row."""

    events: pl.DataFrame
    keys: pl.DataFrame
    first_seq: int
    last_seq: int


def run_of(events: pl.DataFrame, keys: pl.DataFrame) -> Run:
    """A run of one batch (at least one row)."""
    if not keys.get_column("row").is_sorted():
        keys = keys.sort("row", maintain_order=True)
    seq = events.get_column("seq")
    if (seq <= seq.shift(1)).any():
        events, keys = _merged(events, keys)
        seq = events.get_column("seq")
    return Run(events, keys, int(seq[0]), int(seq[-1]))


def settled(runs: Sequence[Run]) -> list[Run]:
    """The runs in `seq` order, those that overlap merged into one."""
    groups: list[list[Run]] = []
    reached = -1
    for run in sorted(runs, key=lambda item: (item.first_seq, item.last_seq)):
        if groups and run.first_seq <= reached:
            groups[-1].append(run)
        else:
            groups.append([run])
        reached = max(reached, run.last_seq)
    return [group[0] if len(group) == 1 else _one(group) for group in groups]


def joined(runs: Sequence[Run]) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Events and keys of runs laid end to end; key rows count the joined events."""
    if not runs:
        return pl.DataFrame(schema=EVENT_SCHEMA), pl.DataFrame(schema=KEY_SCHEMA)
    parts, offset = [], 0
    for run in runs:
        row = run.keys.get_column("row")
        moved = (row + offset).cast(pl.UInt32) if offset else row
        parts.append(pl.DataFrame([moved, run.keys.get_column("key")]))
        offset += run.events.height
    return pl.concat([run.events for run in runs], rechunk=False), pl.concat(parts)


def _one(runs: Sequence[Run]) -> Run:
    events, keys = _merged(*joined(runs))
    seq = events.get_column("seq")
    return Run(events, keys, int(seq[0]), int(seq[-1]))


def _merged(events: pl.DataFrame, keys: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Bring rows into identity order, each record once, keys in step."""
    ranked = events.with_row_index("old").sort(IDENTITY, maintain_order=True)
    another = pl.any_horizontal(pl.col(name).ne_missing(pl.col(name).shift(1)) for name in IDENTITY)
    ranked = ranked.with_columns((another.cast(pl.UInt32).cum_sum() - 1).alias("new"))
    places = ranked.select(pl.col("old").alias("row"), "new")
    moved = keys.join(places, on="row", maintain_order="left").select(
        pl.col("new").cast(pl.UInt32).alias("row"), "key"
    )
    return _without_repeats(ranked.drop("old"), moved.sort("row", maintain_order=True))


def _without_repeats(ranked: pl.DataFrame, keys: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Keep the fullest telling of each record, and the keys of all its tellings, sorted."""
    number = ranked.get_column("new")
    twice = number.filter(number == number.shift(1)).unique()
    if twice.is_empty():
        return ranked.drop("new"), keys
    told_twice = number.is_in(twice.implode())
    best = ranked.filter(told_twice).sort(
        "new", *_FULLEST, descending=[False, *[True] * len(_FULLEST)], nulls_last=True
    )
    best = best.unique("new", keep="first", maintain_order=True)
    events = pl.concat([ranked.filter(~told_twice), best]).sort("new").drop("new")
    of_twice = keys.get_column("row").is_in(twice.cast(pl.UInt32).implode())
    shared = keys.filter(of_twice).unique().sort("row", "key")
    merged = pl.concat([keys.filter(~of_twice), shared]).sort("row", maintain_order=True)
    return events, merged
