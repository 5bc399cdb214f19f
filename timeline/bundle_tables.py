"""The tables of a bundle: Parquet that any tool reads as plain strings, and back to a snapshot.

Reading checks the schema, cleans every text and lets the `Store` bring rows into order, so a
table that another tool rewrote is as good as ours. What a table claims to be is looked at before
it is unpacked. Used by `timeline.bundle` alone.
"""

from __future__ import annotations

import io
from collections.abc import Iterator, Mapping, Sequence

import polars as pl

from timeline.batch import Batch, Remark
from timeline.bundle_archive import COUNTS, EVENTS, KEYS, LESSER, UNDATED
from timeline.clean import clean_column
from timeline.columns import COUNT_SCHEMA, EVENT_SCHEMA, KEY_SCHEMA, UNDATED_SCHEMA
from timeline.coverage import CoverageMap
from timeline.parquet_claims import Unreadable, claims_of
from timeline.plain_json import Mismatch
from timeline.store import Snapshot, Store

MOST_ROWS = 50_000_000
"""Parquet packs repeated values to almost nothing; more rows than this are not unpacked."""
ROWS_A_BYTE = 4
"""More rows than this in one byte are no records. The densest that was measured, keys of a calm
night, takes three bytes a row."""
UNPACKED_A_BYTE = 256
"""More than this from one byte is no log. A million equal lines unpack to some thirty."""
ALWAYS_UNPACKED = 16 * 2**20
"""Bytes that a table may unpack to, however small it is."""
ALWAYS_ROWS = 100_000

LEVEL = 1
"""Of zstd. Level 3 takes a third more processor time for texts and packs them no better."""
GROUP_ROWS = 65_536
"""Rows of a Parquet row group. Keys repeat nearby: a dictionary for each stretch packs them a
tenth smaller than one for four times as many rows."""

_MAY_BE_NULL = frozenset({"attributes", "ref", "file", "offset", "length", "clock", "actor"})

Schema = dict[str, pl.DataType | type[pl.DataType]]


def table_bytes(frame: pl.DataFrame) -> bytes:
    """One Parquet file; enumerations and categories become plain strings."""
    packed = io.BytesIO()
    frame.select(_as_string(name, kind) for name, kind in frame.schema.items()).write_parquet(
        packed, compression="zstd", compression_level=LEVEL, row_group_size=GROUP_ROWS
    )
    return packed.getvalue()


def snapshot_from(
    packed: Mapping[str, bytes],
    coverage: CoverageMap,
    remarks: Sequence[Remark],
    missing: list[str],
) -> Snapshot:
    """The snapshot that was saved. Raises `Mismatch` for tables that cannot be it.

    `packed` holds the tables by name. One of `timeline.bundle.LESSER` that is no such table is
    left out, and a sentence added to `missing`.
    """
    held = _table(packed[KEYS], KEY_SCHEMA, KEYS)
    rows = _table(packed[EVENTS], EVENT_SCHEMA, EVENTS)
    if (held.get_column("row") >= rows.height).any():
        raise Mismatch(f"{KEYS} speaks of rows that {EVENTS} does not have")
    loose = _lesser(packed, UNDATED_SCHEMA, UNDATED, missing)
    counted = _lesser(packed, COUNT_SCHEMA, COUNTS, missing)
    return refilled(rows, held, loose, coverage, remarks, counted).snapshot()


def _lesser(
    packed: Mapping[str, bytes], schema: Schema, name: str, missing: list[str]
) -> pl.DataFrame:
    try:
        return _table(packed[name], schema, name) if name in packed else pl.DataFrame(schema=schema)
    except Mismatch as problem:
        missing.append(f"{problem}: {LESSER[name]}")
        return pl.DataFrame(schema=schema)


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
    """The rows of each source with their keys, counted anew."""
    stretches = events.get_column("source").cast(pl.String).rle().struct.unnest()
    together = stretches.get_column("value").n_unique() == stretches.height
    if together and keys.get_column("row").is_sorted():
        yield from _slices(events, keys, stretches)
        return
    for part in events.with_row_index("all").partition_by("source", maintain_order=True):
        places = part.select(pl.col("all").alias("row")).with_row_index("own")
        own = keys.join(places, on="row", maintain_order="left").select(
            pl.col("own").cast(pl.UInt32).alias("row"), "key"
        )
        yield str(part.get_column("source")[0]), part.drop("all"), own


def _slices(
    events: pl.DataFrame, keys: pl.DataFrame, stretches: pl.DataFrame
) -> Iterator[tuple[str, pl.DataFrame, pl.DataFrame]]:
    """As `_by_source` for rows that stand together, as every bundle of ours has them."""
    rows = keys.get_column("row")
    first = 0
    for length, source in stretches.iter_rows():
        low, high = (int(rows.search_sorted(row, side="left")) for row in (first, first + length))
        own = keys.slice(low, high - low).with_columns((pl.col("row") - first).cast(pl.UInt32))
        yield str(source), events.slice(first, length), own
        first += length


def _table(packed: bytes, schema: Schema, name: str) -> pl.DataFrame:
    """The columns of `schema`, cleaned. Raises `Mismatch` before more is unpacked than may be."""
    try:
        claims = claims_of(packed)
        found = pl.read_parquet_schema(io.BytesIO(packed))
        if missing := [column for column in schema if column not in found]:
            raise Mismatch(f"{name} lacks the column {missing[0]}")
        _refuse_too_much(name, "rows", claims.rows, min(MOST_ROWS, _most_rows(packed)))
        _refuse_too_much(name, "bytes", claims.unpacked, _most_bytes(packed))
        frame = pl.read_parquet(io.BytesIO(packed), columns=list(schema)).select(list(schema))
        for held in frame.get_columns():
            if held.dtype == pl.String:
                size = int(held.str.len_bytes().cast(pl.UInt64).sum())
                _refuse_too_much(name, f"bytes in {held.name}", size, _most_bytes(packed))
        frame = frame.select(_typed(frame.get_column(told), kind) for told, kind in schema.items())
    except Mismatch:
        raise
    except Unreadable as error:
        raise Mismatch(f"{name} cannot be read ({error})") from None
    except (pl.exceptions.PolarsError, pl.exceptions.PanicException, OSError) as error:
        raise Mismatch(f"{name} cannot be read ({str(error).splitlines()[0]})") from None
    for column in schema:
        if column not in _MAY_BE_NULL and frame.get_column(column).has_nulls():
            raise Mismatch(f"{name} has empty places in the column {column}")
    return frame


def _refuse_too_much(name: str, what: str, claimed: int, most: int) -> None:
    if claimed > most:
        raise Mismatch(f"{name} claims {claimed:,} {what}; at most {most:,} are read")


def _most_rows(packed: bytes) -> int:
    return max(ALWAYS_ROWS, ROWS_A_BYTE * len(packed))


def _most_bytes(packed: bytes) -> int:
    return ALWAYS_UNPACKED + UNPACKED_A_BYTE * len(packed)


def _typed(column: pl.Series, kind: pl.DataType | type[pl.DataType]) -> pl.Series:
    """One column as the schema has it; of what recurs each text is cleaned once."""
    if column.dtype != pl.String:
        return column.cast(kind)
    if isinstance(kind, pl.Enum):
        return column.cast(kind)  # a text that is none of its values is refused
    if kind == pl.Categorical:
        texts = column.unique()
        cleaned = clean_column(texts)
        if not texts.equals(cleaned, null_equal=True):
            column = column.replace(texts, cleaned)
        return column.cast(kind)
    return clean_column(column).cast(kind)


def _as_string(name: str, kind: pl.DataType) -> pl.Expr:
    column = pl.col(name)
    return column.cast(pl.String) if isinstance(kind, pl.Enum | pl.Categorical) else column
