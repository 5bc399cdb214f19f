"""The tables of a bundle: Parquet that any tool reads as plain strings, and back to a snapshot.

Reading checks the schema, cleans every text and lets the `Store` bring rows into order, so a
table that another tool rewrote is as good as ours. Used by `timeline.bundle` alone.
"""

from __future__ import annotations

import io
from collections.abc import Iterator, Sequence

import polars as pl

from timeline.batch import Batch, Remark
from timeline.clean import clean_column
from timeline.columns import COUNT_SCHEMA, EVENT_SCHEMA, KEY_SCHEMA, UNDATED_SCHEMA
from timeline.coverage import CoverageMap
from timeline.plain_json import Mismatch
from timeline.store import Snapshot, Store

MOST_ROWS = 50_000_000
"""Parquet packs repeated values to almost nothing; more rows than this are not unpacked."""

_MAY_BE_NULL = frozenset({"attributes", "ref", "file", "offset", "length", "clock", "actor"})

Schema = dict[str, pl.DataType | type[pl.DataType]]


def table_bytes(frame: pl.DataFrame) -> bytes:
    """One Parquet file; enumerations and categories become plain strings."""
    packed = io.BytesIO()
    frame.select(_as_string(name, kind) for name, kind in frame.schema.items()).write_parquet(
        packed, compression="zstd", compression_level=3
    )
    return packed.getvalue()


def snapshot_from(
    events: bytes,
    keys: bytes,
    undated: bytes,
    coverage: CoverageMap,
    remarks: Sequence[Remark],
    counts: bytes | None = None,
) -> Snapshot:
    """The snapshot that was saved. Raises `Mismatch` for tables that cannot be it."""
    held = _table(keys, KEY_SCHEMA, "keys.parquet")
    rows = _table(events, EVENT_SCHEMA, "events.parquet")
    if (held.get_column("row") >= rows.height).any():
        raise Mismatch("keys.parquet speaks of rows that events.parquet does not have")
    loose = _table(undated, UNDATED_SCHEMA, "undated.parquet")
    counted = None if counts is None else _table(counts, COUNT_SCHEMA, "counts.parquet")
    return refilled(rows, held, loose, coverage, remarks, counted).snapshot()


def refilled(
    events: pl.DataFrame,
    keys: pl.DataFrame,
    undated: pl.DataFrame,
    coverage: CoverageMap,
    remarks: Sequence[Remark],
    counts: pl.DataFrame | None = None,
) -> Store:
    """A store that holds these tables and claims, to which more can be added."""
    store = Store()
    nothing = pl.DataFrame(schema=EVENT_SCHEMA), pl.DataFrame(schema=KEY_SCHEMA)
    claims = Batch(
        "", *nothing, coverage.entries, tuple(remarks), undated=undated, asked=coverage.asked
    )
    store.add(claims)
    for source, part, own in _by_source(events, keys):
        store.add(Batch(source, part, own))
    if counts is not None:
        for part in counts.partition_by("source", maintain_order=True):
            store.add(Batch(str(part.get_column("source")[0]), *nothing, counts=part))
    return store


def _by_source(
    events: pl.DataFrame, keys: pl.DataFrame
) -> Iterator[tuple[str, pl.DataFrame, pl.DataFrame]]:
    for part in events.with_row_index("all").partition_by("source", maintain_order=True):
        places = part.select(pl.col("all").alias("row")).with_row_index("own")
        own = keys.join(places, on="row", maintain_order="left").select(
            pl.col("own").cast(pl.UInt32).alias("row"), "key"
        )
        yield str(part.get_column("source")[0]), part.drop("all"), own


def _table(packed: bytes, schema: Schema, name: str) -> pl.DataFrame:
    try:
        found = pl.read_parquet_schema(io.BytesIO(packed))
        rows = pl.scan_parquet(io.BytesIO(packed)).select(pl.len()).collect().item()
        if missing := [column for column in schema if column not in found]:
            raise Mismatch(f"{name} lacks the column {missing[0]}")
        if rows > MOST_ROWS:
            raise Mismatch(f"{name} claims {rows:,} rows; at most {MOST_ROWS:,} are read")
        frame = pl.read_parquet(io.BytesIO(packed), columns=list(schema)).select(list(schema))
        texts = [frame.get_column(column) for column, kind in found.items() if kind == pl.String]
        cleaned = [clean_column(text) for text in texts if text.name in schema]
        casts = [pl.col(column).cast(kind) for column, kind in schema.items()]
        frame = frame.with_columns(cleaned).select(casts)
    except Mismatch:
        raise
    except (pl.exceptions.PolarsError, pl.exceptions.PanicException, OSError) as error:
        raise Mismatch(f"{name} cannot be read ({str(error).splitlines()[0]})") from None
    for column in schema:
        if column not in _MAY_BE_NULL and frame.get_column(column).has_nulls():
            raise Mismatch(f"{name} has empty places in the column {column}")
    return frame


def _as_string(name: str, kind: pl.DataType) -> pl.Expr:
    column = pl.col(name)
    return column.cast(pl.String) if isinstance(kind, pl.Enum | pl.Categorical) else column
