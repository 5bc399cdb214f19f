"""Numbered rows that a reader with a position has left behind.

Whoever reads a table by "numbers above the last one I had" never comes back. A row whose number was
drawn early and whose transaction ended late is seen only after the position has gone past it. What
the reader took is told by its lines or jobs, which name the rows; needs the commits of the rows.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import polars as pl

from timeline.event import Lane
from timeline.facts.sight import read_until

if TYPE_CHECKING:
    from timeline.incident import Incident

LEAST_NAMED = 50
NAMED_SHARE = 0.85
"""Rows of a table that one speaker names, and their share, before it is taken for its reader."""
BEHIND_NS = 1_000_000_000
"""By so much the commit must come after a higher number was taken: clocks agree better."""
LEAST_ROWS = 2
MOSTLY = 0.75
"""Share of the rows committed behind the position that were never taken: a reader that looks back
takes them later."""
PATIENCE_NS = 20_000_000_000
"""A row that was committed so shortly before the end of what was read may still be taken."""


@dataclass(frozen=True, slots=True)
class PassedOver:
    """Rows of `table` that `reader` never named: (key, record, commit, passed at, row of the event
    about the record, row of the event that names the next higher number); instants in ns UTC.

    `named` is how many rows it did name, `source` where it speaks.
    """

    table: str
    reader: str
    source: str
    rows: tuple[tuple[str, str, int, int, int, int], ...]
    named: int


def passed_over(incident: Incident) -> list[PassedOver]:
    """By table, the reader that names most of its rows."""
    owned = _numbered(incident)
    if owned.height < LEAST_NAMED:
        return []
    named = _named(incident, owned)
    until = read_until(incident) - PATIENCE_NS
    found = []
    for (table, reader, source), part in named.group_by(
        "table", "actor", "source", maintain_order=True
    ):
        rows = owned.filter(pl.col("table") == table)
        if part.height < max(LEAST_NAMED, NAMED_SHARE * rows.height):
            continue
        left = _left(rows.filter(pl.col("commit") < until), part)
        if left:
            found.append(PassedOver(str(table), str(reader), str(source), left, part.height))
    return found


def _numbered(incident: Incident) -> pl.DataFrame:
    """(key, record, table, number, commit, any_row) of rows with a numeric key and a commit."""
    summary = incident.records.summary.drop_nulls(["commit", "created"])
    rows = summary.with_columns(number=pl.col("pk").cast(pl.Int64, strict=False))
    inside = pl.col("created").is_between(incident.window.start, incident.window.end)
    rows = rows.filter(inside).drop_nulls("number")
    rows = rows.filter(pl.len().over("table") >= LEAST_NAMED)
    held = rows.join(incident.records.owners.select("record", "key"), on="record")
    return held.select("key", "record", "table", "number", "commit", "any_row")


def _named(incident: Incident, owned: pl.DataFrame) -> pl.DataFrame:
    """(key, table, number, actor, source, at, row): the first word of each speaker on each row."""
    snapshot = incident.snapshot
    pairs = snapshot.keys.filter(pl.col("key").is_in(owned.get_column("key").implode()))
    shown = snapshot.events.select(
        pl.col("timestamp", "lane", "actor", "source").gather(pairs.get_column("row"))
    )
    told = pairs.hstack(shown).filter(pl.col("lane") == Lane.LOG.value)
    told = told.with_columns(pl.col("actor", "source").cast(pl.String).fill_null(""))
    first = told.sort("timestamp", "row").unique(
        ["key", "actor", "source"], keep="first", maintain_order=True
    )
    numbers = owned.select("key", "table", "number")
    return first.rename({"timestamp": "at"}).join(numbers, on="key", maintain_order="left")


def _left(
    rows: pl.DataFrame, part: pl.DataFrame
) -> tuple[tuple[str, str, int, int, int, int], ...]:
    """Rows committed after a higher number had been taken, and never taken themselves."""
    earliest = part.select(passed="at", by="row").unique("passed", keep="first")
    taken = part.sort("number", descending=True).select(
        "number", higher="number", passed=pl.col("at").cum_min()
    )
    behind = rows.sort("number").join_asof(
        taken.sort("number"), on="number", strategy="forward", allow_exact_matches=False
    )
    behind = behind.join(earliest, on="passed", maintain_order="left")
    behind = behind.filter(pl.col("commit") >= pl.col("passed") + BEHIND_NS)
    never = behind.join(part.select("key"), on="key", how="anti").sort("commit", "number")
    if never.height < LEAST_ROWS or never.height < MOSTLY * behind.height:
        return ()
    return tuple(never.select("key", "record", "commit", "passed", "any_row", "by").rows())
