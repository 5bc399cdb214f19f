"""References for rows that have no place of their own: the same command prints them again.

A byte offset in a command's output shifts with every run. The n-th row of an instant does not, so
a row is named after its stamp and its number among the rows of that stamp.
"""

from __future__ import annotations

import polars as pl


class Recurring:
    """Names rows over all chunks of one run."""

    def __init__(self) -> None:
        self._seen = pl.DataFrame(schema={"timestamp": pl.Int64, "before": pl.Int64})

    def named(self, events: pl.DataFrame, attributes: pl.Series | None) -> pl.DataFrame:
        """EVENT_SCHEMA rows with `ref` and `seq` of this kind and without a file's place."""
        joined = events.join(self._seen, on="timestamp", how="left", maintain_order="left")
        within = pl.int_range(pl.len()).over("timestamp")
        number = (within + pl.col("before").fill_null(0)).cast(pl.Int64)
        numbered = joined.with_columns(number.alias("number"))
        counts = numbered.group_by("timestamp").agg((pl.col("number").max() + 1).alias("before"))
        self._seen = pl.concat([self._seen, counts]).group_by("timestamp").agg(pl.max("before"))
        held = pl.col("attributes") if attributes is None else attributes.alias("attributes")
        return numbered.with_columns(
            pl.concat_str("timestamp", pl.lit("."), "number").alias("ref"),
            pl.col("number").cast(pl.UInt64).alias("seq"),
            pl.lit(None, dtype=pl.Categorical).alias("file"),
            pl.lit(None, dtype=pl.UInt64).alias("offset"),
            pl.lit(None, dtype=pl.UInt32).alias("length"),
            held,
        ).select(events.columns)
