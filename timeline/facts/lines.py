"""A few events of many as a small table, and the lines that concern given keys.

Gathering from a text column that lies in pieces would copy all of it, so the few are filtered out.
It never reads a body to decide what to take.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache
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
    return told.select(_shape())


@cache
def _shape() -> tuple[pl.Expr, ...]:
    """The columns of LINE_SCHEMA; kept, as to make them costs more than to work them out."""
    texts = {
        name: pl.col(name).cast(pl.String).fill_null("")
        for name in ("source", "actor", "clock", "body")
    }
    clock, source = texts["clock"], texts["source"]
    texts["clock"] = pl.when(clock == "").then(source).otherwise(clock)
    return tuple(
        texts.get(name, pl.col(name)).cast(dtype).alias(name) for name, dtype in LINE_SCHEMA.items()
    )
