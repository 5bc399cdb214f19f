"""Readings of a state that was already overwritten, by readers that usually have the newest one.

Writers say which revision of a thing they made, or a row's versions tell how a column changed;
readers say which revision or which value they worked on. A reader that states a lower number than
another said before, or the value from before a change, has read something old. Who works through
all changes in turn is behind by nature; so only readers count that usually state the newest one.
Never says what the reader should have done.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import polars as pl

from timeline.facts.entities import entity_pairs
from timeline.facts.run_signs import RUN_IDS
from timeline.facts.spoken import VERSION_MARKS, marked

if TYPE_CHECKING:
    from timeline.incident import Incident

COUNTER = (
    r"(?i)(?:^|[^\w.@-])(?:lock_?version|row_?version|version|revision|rev|sequence|seq_?no|generation)"
    r"[\"']?(?: ?[=:] ?| (?:nr\.? |no\.? |# ?)?)[\"']?(\d{1,12})(?:[^.\w]|$)"
)
"""A counter of a record; never `2.4.1`."""
PARTED_NS = 1_000_000_000
"""The two lines are of different clocks and may be written in either order within a second."""
LONGEST_NS = 600_000_000_000
USUALLY = 5
"""Readings of the newest revision outside the stretch that show what the reader usually states."""
LEAST_SHARE = 0.3
"""Share of the readings in the stretch that must be behind: a late message now and then is none."""


@dataclass(frozen=True, slots=True)
class BehindRead:
    """`reader` stated `stated` of `key` at `at` (ns) although `known` had been stated or written
    before, at event `known_row`."""

    reader: str
    key: str
    stated: str
    known: str
    known_at: int
    at: int
    row: int
    known_row: int


@dataclass(frozen=True, slots=True)
class BehindReader:
    """One reader with its readings behind, in time order, of `what`: a counter, or a column of
    `table`; `newest` counts those of the newest state outside the stretch, `inside` all in it."""

    reader: str
    what: str
    table: str
    reads: tuple[BehindRead, ...]
    newest: int
    inside: int

    @property
    def unusual(self) -> bool:
        return self.newest >= USUALLY and len(self.reads) >= LEAST_SHARE * self.inside


def behind_readers(incident: Incident) -> list[BehindReader]:
    """By the first reading that was behind."""
    lines = _stated(incident)
    if lines.is_empty():
        return []
    known = lines.with_columns(
        known=pl.col("version").cum_max().shift(1).over("key"),
    )
    first = lines.select("key", known="version", known_at="at", known_row="row", by="actor")
    first = first.unique(["key", "known"], keep="first", maintain_order=True)
    told = known.drop_nulls("known").join(first, on=["key", "known"], maintain_order="left")
    told = told.filter(
        (pl.col("at") - pl.col("known_at")).is_between(PARTED_NS, LONGEST_NS)
        & (pl.col("by") != pl.col("actor"))
    ).with_columns(behind=pl.col("version") < pl.col("known"))
    told = told.with_columns(stated=pl.col("version"), what=pl.lit("revision"), table=pl.lit(""))
    return _readers(told)


def behind_values(incident: Incident) -> list[BehindReader]:
    """The same of columns whose changes are on record, by readers that name them."""
    changes = incident.changes_told
    told = incident.stated_after.filter("by_name")
    if told.is_empty():
        return []
    changes = changes.select("key", "column", "changed", "since").unique()
    told = told.join(changes, on=["key", "column", "changed"], how="left", maintain_order="left")
    told = told.filter((pl.col("timestamp") - pl.col("since")) >= PARTED_NS)
    first = told.unique(["actor", "key", "column", "changed"], keep="first", maintain_order=True)
    return _readers(
        first.select(
            "actor",
            "key",
            "row",
            "table",
            at="timestamp",
            what="column",
            behind="late",
            stated="old",
            known="new",
            known_at="since",
            known_row="changed",
        )
    )


def _readers(told: pl.DataFrame) -> list[BehindReader]:
    """Readers of two things and more in an old state, by the first such reading."""
    found = []
    by = ["actor", "table", "what"]
    for (actor, table, what), part in told.group_by(by, maintain_order=True):
        behind = part.filter("behind").unique("key", keep="first", maintain_order=True)
        if behind.height < 2:
            continue
        low, high = behind["at"][0], behind["at"][-1]
        inside = part.filter(pl.col("at").is_between(low, high))
        reads = tuple(
            BehindRead(
                reader=str(actor),
                key=row["key"],
                stated=str(row["stated"]),
                known=str(row["known"]),
                known_at=row["known_at"],
                at=row["at"],
                row=row["row"],
                known_row=row["known_row"],
            )
            for row in behind.iter_rows(named=True)
        )
        newest = part.height - inside.height
        found.append(
            BehindReader(str(actor), str(what), str(table or ""), reads, newest, inside.height)
        )
    return sorted(found, key=lambda one: (one.reads[0].at, one.reader))


def _stated(incident: Incident) -> pl.DataFrame:
    """(row, at, actor, key, version) of lines that state a record's counter, in time order; only
    of things of which two writers speak and two numbers are told."""
    lines = marked(incident.spoken, VERSION_MARKS).with_columns(
        version=pl.col("body").str.extract(COUNTER, 1).cast(pl.Int64, strict=False)
    )
    lines = lines.drop_nulls("version").filter(pl.col("timestamp") >= incident.window.start)
    keys = entity_pairs(incident.snapshot.keys_of(lines.get_column("row")))
    keys = keys.filter(
        ~pl.col("key").str.contains(RUN_IDS)
        & ~pl.col("key").is_in(list(incident.snapshot.broad_keys))
    )
    told = lines.join(keys, on="row").select("row", "actor", "key", "version", at="timestamp")
    several = (pl.col("actor").n_unique().over("key") > 1) & (
        pl.col("version").n_unique().over("key") > 1
    )
    return told.filter(several).sort("at", "row")
