"""Rows into which somebody copied a value of another row, and copied one that was already replaced.

A job that is to pass on what was just changed (an amount, an address, a state) writes what it read
into a row of its own, in a column of the same name. Where that is the value of before the change,
though the work began after it, the read came from something that was behind. A table that keeps
the former values on purpose holds them all night; so only those count that usually hold the newest.
A value that most rows of a table begin with is their own first state, and no copy of anything.
Never says what answered the read.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from timeline.event import Kind
from timeline.facts.behind_reads import BehindRead, BehindReader
from timeline.facts.told_values import FOR_NS, changes_of_values
from timeline.plain_texts import plain_form

if TYPE_CHECKING:
    from timeline.incident import Incident

NAME = r"^[A-Za-z_]\w{2,40}$"
MOST_COLUMNS = 40
"""Columns that are looked for in other tables, those that changed most often first."""
LEAST = 2
"""Things of which an old value was copied; one alone may be a late message."""
COMMONEST = 0.5
"""Share of the new rows from which on their commonest value says nothing of another row."""


def behind_copies(incident: Incident) -> list[BehindReader]:
    """By the first copy that was behind."""
    changes = incident.shared(changes_of_values)
    if changes.is_empty():
        return []
    copies = _copies(incident, changes)
    if copies.is_empty():
        return []
    apart = copies.filter(~pl.col("row").is_in(_begun_before(incident, copies).implode()))
    found = []
    for (table, column), part in apart.group_by(["table", "column"], maintain_order=True):
        behind = part.filter("late").unique("key", keep="first", maintain_order=True)
        if behind.height < LEAST or _own_state(part):
            continue
        low, high = behind["at"][0], behind["at"][-1]
        inside = part.filter(pl.col("at").is_between(low, high))
        reader = f"the writer of {table}"
        reads = tuple(
            BehindRead(
                reader=reader,
                key=one["key"],
                stated=one["old"],
                known=one["new"],
                known_at=one["since"],
                at=one["at"],
                row=one["row"],
                known_row=one["changed"],
            )
            for one in behind.iter_rows(named=True)
        )
        found.append(
            BehindReader(
                reader=reader,
                what=str(column),
                table=str(behind["owner"][0]),
                reads=reads,
                newest=part.filter(~pl.col("late")).height - inside.filter(~pl.col("late")).height,
                inside=inside.height,
                returned=0,
                alone=False,
                copied=True,
            )
        )
    return sorted(found, key=lambda one: (one.reads[0].at, one.reader))


def _own_state(part: pl.DataFrame) -> bool:
    most = part.get_column("value").value_counts().get_column("count").max()
    return isinstance(most, int) and most >= COMMONEST * part.height


def _copies(incident: Incident, changes: pl.DataFrame) -> pl.DataFrame:
    """(row, at, table, column, key, owner, old, new, since, changed, late), time order: new rows
    that refer to a thing and hold, in a column of the same name, either value of its latest change
    before them."""
    records = incident.records
    rows = records.versions.filter(pl.col("kind") == Kind.ROW_INSERTED.value)
    rows = rows.select("row", "table", "record", "columns", at="timestamp").drop_nulls("columns")
    rows = rows.join(records.references, on="record").unique(["row", "key"])
    changes = changes.rename({"table": "owner"}).select(
        "key", "owner", "column", "old", "new", "since", "changed"
    )
    rows = rows.join(changes.select("key").unique(), on="key", how="semi")
    columns = changes.get_column("column")
    names = columns.filter(columns.str.contains(plain_form(columns, NAME)))
    common = names.value_counts(sort=True).sort(["count", "column"], descending=[True, False])
    held = [
        rows.with_columns(
            column=pl.lit(str(name)), value=pl.col("columns").str.json_path_match(f"$.{name}")
        )
        .drop_nulls("value")
        .select("row", "at", "table", "key", "column", "value")
        for name in common.get_column("column").head(MOST_COLUMNS)
    ]
    if not held or rows.is_empty():
        return pl.DataFrame()
    pairs = pl.concat(held).join(changes, on=["key", "column"])
    after = pl.col("at") - pl.col("since")
    pairs = pairs.filter((after > 0) & (after <= FOR_NS) & (pl.col("table") != pl.col("owner")))
    latest = pairs.sort("since", "changed").unique(["row", "key", "column"], keep="last")
    late, newest = pl.col("value") == pl.col("old"), pl.col("value") == pl.col("new")
    return latest.filter(late | newest).with_columns(late=late).sort("at", "row")


def _begun_before(incident: Incident, copies: pl.DataFrame) -> pl.Series:
    """Rows of those of `copies` that were written by a run about the thing which had begun before
    the change: it may have read in time and written late."""
    queue = incident.jobs.runs.select("job", "start", "end")
    spoken = incident.handled.select("job", "start", "end")
    runs = pl.concat([queue, spoken]).drop_nulls("start")
    about = incident.jobs.entities.join(runs, on="job").select("key", "start", "end").unique()
    during = copies.select("row", "key", "at", "since").join(about, on="key")
    held = during.filter(
        (pl.col("start") <= pl.col("since"))
        & (pl.col("at") >= pl.col("start"))
        & (pl.col("end").is_null() | (pl.col("end") >= pl.col("at")))
    )
    return held.get_column("row").unique()
