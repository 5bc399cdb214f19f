"""What engines counted and nobody read: who spoke there, so that it is never taken for silence.

A count says that records are there and, where the source tells them apart, whose they are. It says
nothing of what they say.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

import polars as pl

from timeline.event import Lane

if TYPE_CHECKING:
    from timeline.incident import Incident

_BAR = ("source", "actor", "first", "last")


def counted_only(incident: Incident, sources: Iterable[str], start: int, end: int) -> bool:
    """Whether any of `sources` only counted the milder records of a part of `[start, end]` (ns)."""
    coverage = incident.snapshot.coverage
    return any(
        entry.complete_from and entry.start <= end and entry.end > start
        for source in sources
        for entry in coverage.of(source)
    )


BAR_SCHEMA: dict[str, pl.DataType | type[pl.DataType]] = {
    "source": pl.String,
    "actor": pl.String,
    "first": pl.Int64,
    "last": pl.Int64,
}


def counted_bars(incident: Incident) -> pl.DataFrame:
    """(source, actor, first, last) of log bars that hold a record, ns; `actor` "" for anybody."""
    counts = incident.snapshot.counts
    if counts.is_empty():
        return pl.DataFrame(schema=BAR_SCHEMA)
    spoken = counts.filter((pl.col("lane") == Lane.LOG.value) & (pl.col("count") > 0))
    bars = spoken.select(
        pl.col("source", "actor").cast(pl.String).fill_null(""),
        first="start",
        last=pl.col("start") + pl.col("width") - 1,
    )
    return bars.unique().sort(_BAR)


def counted_actors(incident: Incident) -> frozenset[str]:
    """Everybody of whom a log record was counted; "" stands for records of nobody by name."""
    return frozenset(counted_bars(incident).get_column("actor").to_list())
