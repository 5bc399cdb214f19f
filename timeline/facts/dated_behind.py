"""Rows dated before the rows that they refer to: whoever dated them is behind.

A row with a foreign key is written by somebody who has the row that it names, so it comes after
it, whatever the clocks say. Where an application dates its rows itself, rows of one writer dated
before their parents, always by about as much, show its clock to be behind that of whoever dated
the parents. A row that the server dates may bear the beginning of its transaction, which can lie
before a parent that was committed meanwhile; one that was written again may have got its parent
then. Such rows are not read. Only what sets the writer apart makes it a clock: rows of one value in
some column are early, and all others meanwhile are not. Decides nothing about which of the two
clocks is wrong.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from timeline.event import Kind
from timeline.facts.dated_ahead import (
    CONVENTION,
    LEAST_ROWS,
    LONGEST_NS,
    DatedAhead,
    allowed_apart,
    judged,
)
from timeline.facts.delays import MIN_SKEW_NS

if TYPE_CHECKING:
    from timeline.incident import Incident


def dated_behind(incident: Incident) -> list[DatedAhead]:
    """By table, where enough rows of one writer are so and no others are: `least` to `most` are
    ns by which rows are dated before their parents, `began` and `ended` stamps of parents."""
    records = incident.records
    if records.references.is_empty() or records.owners.is_empty():
        return []
    made = records.versions.filter(
        (pl.col("kind") == Kind.ROW_INSERTED.value) & (pl.col("timestamp") >= incident.window.start)
    )
    made = made.select("row", "timestamp", "source", "table", "record", "columns")
    parents = made.join(records.owners, on="record").select("key", parent="timestamp", by="row")
    parents = parents.filter(pl.len().over("key") == 1)
    again = records.versions.filter(pl.col("kind") == Kind.ROW_UPDATED.value).select("record")
    children = _dated_by_application(incident, made).join(again, on="record", how="anti")
    pairs = children.join(records.references, on="record").join(parents, on="key")
    if pairs.height < LEAST_ROWS:
        return []
    # Of several parents the latest one: the row comes after all of them.
    last = pairs.filter(pl.col("by") != pl.col("row")).sort("parent", "by")
    last = last.unique("row", keep="last", maintain_order=True)
    ahead = pl.col("parent") - pl.col("timestamp")
    told = last.select(
        "row", "source", "table", "columns", timestamp="parent", commit="parent", ahead=ahead
    ).with_columns(
        early=(pl.col("ahead") > MIN_SKEW_NS + allowed_apart(incident))
        & (pl.col("ahead") < LONGEST_NS)
    )
    found = []
    tables = told.filter("early").group_by("table", "source").len().sort("table", "source")
    for table, source, count in tables.iter_rows():
        mine = told.filter((pl.col("table") == table) & (pl.col("source") == source))
        if LEAST_ROWS <= count < CONVENTION * mine.height:
            one = judged(mine, str(table), str(source))
            found += [one] if one is not None and one.writer else []
    return found


def _dated_by_application(incident: Incident, made: pl.DataFrame) -> pl.DataFrame:
    """Those rows whose date is a reading of another clock than their own source's."""
    clock = incident.snapshot.events.get_column("clock").gather(made.get_column("row"))
    named = made.with_columns(clock.cast(pl.String).fill_null("").alias("clock"))
    return named.filter((pl.col("clock") != "") & (pl.col("clock") != pl.col("source")))
