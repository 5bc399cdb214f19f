"""A few events of many as a small table, and the lines that concern given keys.

Gathering from a text column that lies in pieces would copy all of it, so the few are filtered out.
It never reads a body to decide what to take.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

import polars as pl

if TYPE_CHECKING:
    from timeline.incident import Incident

LINE_SCHEMA: dict[str, pl.DataType | type[pl.DataType]] = {
    "row": pl.UInt32,
    "timestamp": pl.Int64,
    "source": pl.String,
    "actor": pl.String,
    "clock": pl.String,  # never empty
    "lane": pl.String,
    "kind": pl.String,
    "severity_number": pl.UInt8,
    "body": pl.String,
}
_COLUMNS = tuple(name for name in LINE_SCHEMA if name not in ("row", "timestamp"))


def lines_at(incident: Incident, rows: pl.Series) -> pl.DataFrame:
    """LINE_SCHEMA of the given event rows, each once, in time order."""
    wanted = rows.cast(pl.UInt32).unique().sort()
    if wanted.is_empty():
        return pl.DataFrame(schema=LINE_SCHEMA)
    return _shaped(incident.snapshot.told(pl.col("row").is_in(wanted.implode()), *_COLUMNS))


def lines_where(incident: Incident, predicate: pl.Expr) -> pl.DataFrame:
    """LINE_SCHEMA of the events for which `predicate` holds, in time order."""
    return _shaped(incident.snapshot.told(predicate, *_COLUMNS))


def keyed_lines(incident: Incident, keys: Iterable[str]) -> pl.DataFrame:
    """LINE_SCHEMA and `key` of every event that carries any of `keys`, time order."""
    wanted = pl.Series(sorted(set(keys)), dtype=pl.String)
    pairs = incident.snapshot.keys.filter(pl.col("key").is_in(wanted.implode())).unique()
    if pairs.is_empty():
        return pl.DataFrame(schema=LINE_SCHEMA | {"key": pl.String})
    lines = lines_at(incident, pairs.get_column("row"))
    return lines.join(pairs, on="row").sort("timestamp", "row", "key")


def _shaped(told: pl.DataFrame) -> pl.DataFrame:
    if told.is_empty():
        return pl.DataFrame(schema=LINE_SCHEMA)
    texts = {column.name: column for column in named_texts(told)}
    columns = (texts.get(name, told.get_column(name)) for name in LINE_SCHEMA)
    kinds = LINE_SCHEMA.values()
    return pl.DataFrame([one.cast(kind) for one, kind in zip(columns, kinds, strict=True)])


def named_texts(told: pl.DataFrame) -> list[pl.Series]:
    """`source`, `clock`, `actor` and `body` of `told` as texts, never null; where no clock is told
    it is the source's. Column by column, which costs a few lines less than to set up a query."""
    source, clock, actor, body = (
        _text(told.get_column(name)) for name in ("source", "clock", "actor", "body")
    )
    unnamed = clock == ""
    if unnamed.any():
        clock = source.zip_with(unnamed, clock).alias("clock")
    return [source, clock, actor, body]


def _text(names: pl.Series) -> pl.Series:
    texts = names.cast(pl.String)
    return texts.fill_null("") if texts.null_count() else texts
