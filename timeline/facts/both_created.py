"""Rows that two runs on one thing each left in one table, where a run alone leaves one.

What a job makes seldom is the thing itself: it books, sends, prints, and leaves a row that refers
to the thing. Two runs at one thing at once leave two of them. That a run leaves one row of a table
is learnt from the things on which no two runs met. Never says which of the two was right.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import polars as pl

from timeline.event import SEVERITY_WARN, Lane
from timeline.facts.lines import keyed_lines
from timeline.facts.overlaps import Written

if TYPE_CHECKING:
    from timeline.incident import Incident

ALONE = 5
"""Such things with rows about them, before their number is a rule."""
ONE_EACH = 0.9
"""Share of these with one row in the table: a table of parts has more."""


def created_by_both(incident: Incident, pairs: pl.DataFrame) -> Mapping[int, tuple[Written, ...]]:
    """By pair (`timeline.facts.overlaps`): two rows of one table about its thing, in order, one
    written while the first run went on and one, after the second had begun, while that did.
    Two jobs of one class are left to `duplicate-enqueue`."""
    records = incident.records
    one_kind = (pl.col("class_one") == pl.col("class_two")) & (pl.col("class_one") != "")
    pairs = pairs.filter(~one_kind)
    if pairs.is_empty() or records.references.is_empty():
        return {}
    told = records.references.join(
        records.summary.select("record", "table", "created", "created_row"), on="record"
    ).drop_nulls(["created", "created_row"])
    told = told.join(_single(told, pairs), on="table", how="semi")
    spans = pairs.select("pair", "key", "start_one", "end_one", "start_two", "end_two")
    near = told.join(spans, on="key")
    made = pl.col("created")
    one = near.filter(made.is_between("start_one", "end_one"))
    two = near.filter(made.is_between("start_two", "end_two"))
    both = one.join(two, on=["pair", "table"], suffix="_2").filter(
        (pl.col("record") != pl.col("record_2")) & (pl.col("created") != pl.col("created_2"))
    )
    first = both.sort("pair", "created", "created_2", "record", "record_2").unique(
        "pair", keep="first", maintain_order=True
    )
    found: dict[int, tuple[Written, ...]] = {}
    for case in first.iter_rows(named=True):
        rows = [
            Written(case[f"created_row{end}"], case[f"created{end}"], _name(case[f"record{end}"]))
            for end in ("", "_2")
        ]
        found[case["pair"]] = tuple(sorted(rows, key=lambda row: (row.at, row.row)))
    return found


def _single(told: pl.DataFrame, pairs: pl.DataFrame) -> pl.DataFrame:
    """Tables in which things on which no two runs met have one row."""
    alone = told.join(pairs.select("key").unique(), on="key", how="anti")
    each = alone.group_by("table", "key").len()
    share = each.group_by("table").agg(n=pl.len(), one=(pl.col("len") == 1).mean())
    return share.filter((pl.col("n") >= ALONE) & (pl.col("one") >= ONE_EACH)).select("table")


def _name(record: str) -> str:
    return record.removeprefix("row:")


def warned(incident: Incident, pairs: pl.DataFrame) -> Mapping[int, int]:
    """By pair: the first line at warning or worse under either job's key, from the second run's
    start to the end of both, whatever its words."""
    jobs = pl.concat([pairs.get_column("one"), pairs.get_column("two")]).unique()
    lines = keyed_lines(incident, jobs)
    loud = (pl.col("lane") == Lane.LOG.value) & (pl.col("severity_number") >= SEVERITY_WARN)
    lines = lines.filter(loud).rename({"key": "job"}).select("row", "timestamp", "job")
    spans = pl.concat(
        [
            pairs.select(
                "pair", "start_two", until=pl.max_horizontal("end_one", "end_two"), job=pl.col(end)
            )
            for end in ("one", "two")
        ]
    )
    inside = lines.join(spans, on="job").filter(
        pl.col("timestamp").is_between("start_two", "until")
    )
    first = inside.sort("timestamp", "row").unique("pair", keep="first", maintain_order=True)
    return dict(first.select("pair", "row").iter_rows())
