"""Readers whose copy stands still: up to some instant they took up every change, then none.

A summary, a materialised view, a search index is behind by nature, by as long as it takes to be
made anew. It stands still where no change after an instant is ever given as new, while things that
were changed since are given as before for clearly longer than was usual. Says nothing of why.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from timeline.facts.behind_reads import USUALLY, BehindRead, BehindReader

if TYPE_CHECKING:
    from timeline.incident import Incident

THINGS = 3
"""Things of which the reader gives the former value after the instant."""
LEAST_NS = 60_000_000_000
"""A copy that is a minute behind may be one that is made every minute."""
LONGER = 1.2
"""Times what was usual: then it is not the ordinary lag of the same copy."""
LONG_THINGS = 2
"""Things whose former value is given for longer than was usual."""


def frozen_readers(incident: Incident) -> list[BehindReader]:
    """By the first reading of a change that was not taken up any more."""
    told = incident.stated_after.filter("by_name")
    if told.is_empty():
        return []
    changes = incident.changes_told.select("key", "column", "changed", "since").unique()
    told = told.join(changes, on=["key", "column", "changed"], maintain_order="left")
    told = told.with_columns(gap=pl.col("timestamp") - pl.col("since"))
    found = []
    for _, part in told.group_by("actor", "table", "column", maintain_order=True):
        one = _frozen(part)
        if one is not None:
            found.append(one)
    return sorted(found, key=lambda one: (one.reads[0].at, one.reader))


def _frozen(part: pl.DataFrame) -> BehindReader | None:
    taken = part.filter(~pl.col("late"))
    if taken.height < USUALLY:
        return None
    until = taken.get_column("since").max()
    behind = part.filter(pl.col("late") & (pl.col("since") > until)).sort("timestamp", "row")
    before = part.filter(pl.col("late") & (pl.col("since") <= until)).get_column("gap").max()
    usual = int(before) if isinstance(before, int) else 0
    long = behind.filter(pl.col("gap") > max(LEAST_NS, int(LONGER * usual)))
    if long.get_column("key").n_unique() < LONG_THINGS:
        return None
    things = behind.sort("gap", "row").unique("key", keep="last").sort("timestamp", "row")
    if things.height < THINGS:
        return None
    first = part.row(0, named=True)
    reads = tuple(
        BehindRead(
            reader=first["actor"],
            key=row["key"],
            stated=row["old"],
            known=row["new"],
            known_at=row["since"],
            at=row["timestamp"],
            row=row["row"],
            known_row=row["changed"],
        )
        for row in things.iter_rows(named=True)
    )
    return BehindReader(
        reader=first["actor"],
        what=first["column"],
        table=first["table"] or "",
        reads=reads,
        newest=taken.height,
        inside=behind.height,
        returned=0,
        alone=False,
        frozen=True,
    )
