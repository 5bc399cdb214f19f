"""Values of rows that lines of logs state: which line gives a column what it no longer held.

A change is known from two versions of a row or from an audit table. A line states a value where it
names the column beside it, or says that the thing still, already or simply *is* so; a line that
tells the new value as well tells of the change itself. Never guesses where the value was read.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

import polars as pl

from timeline.event import Kind, Lane
from timeline.facts.entities import entity_pairs
from timeline.facts.lines import lines_at
from timeline.facts.run_signs import RUN_IDS
from timeline.facts.spoken import CHANGE_MARKS, spoken_with
from timeline.facts.versions import changes_told
from timeline.plain_texts import plain_form

if TYPE_CHECKING:
    from timeline.incident import Incident

FOR_NS = 600_000_000_000
"""A line more than ten minutes after a change is no reading of a moment before it."""
MOST_CHANGES = 5_000
"""Changes that are looked at, the latest; a table that changes more often is no one's business."""
_PAIR = r'"[A-Za-z_][\w]*": ?(?:"(?:[^"\\]|\\.)*"|[\w.+-]+)'
CHANGED_LINE = (
    r"(?:^|[^\w./-])([A-Za-z_]\w{2,})[\"']?(?: ?[=:] ?| (?:changed |updated |set )?(?:from )?)"
    r"[\"']?([\w.+-]+)[\"']?\s?(?:->|\u2192|=>|to)\s?[\"']?([\w.+-]+)"
)
"""A column with its value before and after. How long they may be is asked of what was found: to
read `\\w` forty times over takes thirty milliseconds."""
LONGEST = 40
"""Characters of a column's name or of a value; more is no word that a person would compare."""
NO_COLUMN = r"(?i)^(?:from|moved?|switched|went|get|post|put|patch|delete|status_code|http)$|_id$"
WORD = r"^[A-Za-z_][\w-]{2,40}$"
"""A state in a word. A number, a date or a sentence is only believed beside its column."""
STATING = (
    r"(?:is|still|already|are|status|state|phase|stage|in|as|found|got|saw|read|has|ist|noch|"
    r"bereits|est|encore|déjà|está|todavía|aún|ancora|già|ainda|já|nog|is nog|jest|wciąż|nadal|"
    r"всё ещё|ещё)"
)
"""What stands before a state where a line says that a thing is in it."""

STATED_SCHEMA: dict[str, pl.DataType | type[pl.DataType]] = {
    "row": pl.UInt32,  # event row of the line
    "timestamp": pl.Int64,
    "actor": pl.String,
    "body": pl.String,
    "key": pl.String,  # the thing
    "table": pl.String,
    "column": pl.String,
    "old": pl.String,
    "new": pl.String,
    "changed": pl.UInt32,  # event row of the change
    "committed": pl.Int64,  # its commit, ns; null when only the beginning of the write is known
    "by_name": pl.Boolean,  # whether the line names the column
}

CHANGE_SCHEMA: dict[str, pl.DataType | type[pl.DataType]] = {
    "key": pl.String,
    "table": pl.String,
    "column": pl.String,
    "old": pl.String,
    "new": pl.String,
    "changed": pl.UInt32,  # the event's row
    "since": pl.Int64,  # ns UTC
    "committed": pl.Int64,  # ns UTC
}
AFTER_SCHEMA = {**STATED_SCHEMA, "clock": pl.String, "late": pl.Boolean}


def stated_late(incident: Incident) -> pl.DataFrame:
    """STATED_SCHEMA, time order: lines that give a thing the value it had before a change."""
    told = stated_after(incident).filter("late").drop("clock", "late")
    return told.unique(["row", "key"], keep="first", maintain_order=True)


def stated_after(incident: Incident, changes: pl.DataFrame | None = None) -> pl.DataFrame:
    """STATED_SCHEMA, `clock` and `late`, time order: lines that give a thing a value after one of
    `changes` (those of rows), `late` those that give the former one and no other."""
    changes = incident.shared(changes_of_values) if changes is None else changes
    if changes.is_empty():
        return pl.DataFrame(schema=AFTER_SCHEMA)
    pairs = _lines_after(incident, changes)
    lines = lines_at(incident, pairs.get_column("line")).select("row", "actor", "clock", "body")
    return stating(pairs.join(lines.rename({"row": "line"}), on="line"))


def stating(told: pl.DataFrame) -> pl.DataFrame:
    """Of lines beside changes (`line`, `at`, `body` and the changes' own columns), those that state
    either value, with AFTER_SCHEMA."""
    both = [
        told.filter(pl.col("body").str.contains(pl.col(name), literal=True)).with_columns(
            late=pl.lit(name == "old"), said=name, other="new" if name == "old" else "old"
        )
        for name in ("old", "new")
    ]
    told = pl.concat(both)
    word = pl.concat_str(
        pl.lit(r"(?:^|\W)"), pl.col("other").str.escape_regex(), pl.lit(r"(?:\W|$)")
    )
    told = told.filter(~pl.col("body").str.contains(word))
    if told.is_empty():
        return pl.DataFrame(schema=AFTER_SCHEMA)
    value = pl.concat_str(pl.lit(r"(?:"), pl.col("said").str.escape_regex(), pl.lit(r")(?:\W|$)"))
    beside = pl.concat_str(
        pl.lit(r"(?i)(?:^|[^A-Za-z])"),
        _spelt("column"),
        pl.lit(r"[\"']?(?: ?[=:] ?| (?:is |=> ?)?)[\"']?"),
        value,
    )
    stated = pl.concat_str(pl.lit(rf"(?i)(?:^|\W){STATING}[ =:\"'(]{{1,3}}"), value)
    told = told.with_columns(
        by_name=pl.col("body").str.contains(beside),
        stated=pl.col("said").str.contains(plain_form(told.get_column("said"), WORD))
        & pl.col("body").str.contains(stated),
    ).filter(pl.col("by_name") | pl.col("stated"))
    told = told.rename({"line": "row", "at": "timestamp"}).sort("timestamp", "row")
    return told.select(pl.col(name).cast(dtype) for name, dtype in AFTER_SCHEMA.items())


def _spelt(column: str) -> pl.Expr:
    """A column's name as programs spell it: `paid_at`, `paidAt`, `paid at`."""
    return pl.col(column).str.escape_regex().str.replace_all("_", "[_ -]?")


def _lines_after(incident: Incident, changes: pl.DataFrame) -> pl.DataFrame:
    """`changes` with each `line` (row) and its stamp `at` about the thing while the change was the
    latest of that column."""
    snapshot = incident.snapshot
    wanted = changes.get_column("key").unique()
    wanted = wanted.filter(~wanted.is_in(list(snapshot.broad_keys)))
    pairs = snapshot.keys.filter(pl.col("key").is_in(wanted.implode())).rename({"row": "line"})
    shown = snapshot.events.select(pl.col("timestamp", "lane").gather(pairs.get_column("line")))
    pairs = pairs.hstack(shown).filter(pl.col("lane") == Lane.LOG.value)
    pairs = pairs.select("line", "key", at="timestamp")
    since = pl.col("at") - pl.col("since")
    joined = pairs.join(changes, on="key").filter((since > 0) & (since <= FOR_NS))
    return joined.sort("since", "changed").unique(["line", "key", "column"], keep="last")


def changes_of_values(incident: Incident) -> pl.DataFrame:
    """CHANGE_SCHEMA of changes of told values."""
    both = pl.concat([_between_versions(incident), _audited(incident)])
    if both.is_empty():
        return both
    text = pl.col("old", "new").str.strip_chars('"')
    both = both.with_columns(text).filter(
        (pl.col("old") != pl.col("new"))
        & (pl.col("old").str.len_chars() > 0)
        & ~pl.col("old").is_in(["null", "true", "false"])
        & ~pl.col("new").str.contains(pl.col("old"), literal=True)
    )
    latest = both.sort("since", "changed").tail(MOST_CHANGES)
    return latest.unique(["key", "column", "since"], keep="last", maintain_order=True)


def all_changes(incident: Incident) -> pl.DataFrame:
    """Changes that rows tell, and where they tell none of a thing, those of writers' lines."""
    rows, lines = incident.shared(changes_of_values), changes_by_lines(incident)
    if lines.is_empty():
        return rows
    own = lines.join(rows.select("key", "column").unique(), on=["key", "column"], how="anti")
    same = [pl.col(name).cast(dtype) for name, dtype in rows.schema.items()]
    return pl.concat([rows, own.select(same)])


def changes_by_lines(incident: Incident) -> pl.DataFrame:
    """The same columns for changes that a writer's own line tells: `cents 900 -> 1100`, of the one
    thing that the line names. There is no commit; the line is written when it is done."""
    told = incident.shared(changed_lines)
    if told.is_empty():
        return pl.DataFrame(schema=CHANGE_SCHEMA)
    told = told.with_columns(pl.col("new").str.head(LONGEST)).filter(
        (pl.col("column").str.len_chars() <= LONGEST)
        & (pl.col("old").str.len_chars() <= LONGEST)
        & (pl.col("old") != pl.col("new"))
        & ~pl.col("new").str.contains(pl.col("old"), literal=True)
        & ~pl.col("column").str.contains(NO_COLUMN)
    )
    keys = entity_pairs(incident.snapshot.keys_of(told.get_column("row"))).unique()
    keys = keys.filter(
        ~pl.col("key").str.contains(RUN_IDS)
        & ~pl.col("key").is_in(list(incident.snapshot.broad_keys))
    )
    alone = keys.filter(pl.len().over("row") == 1)
    joined = told.tail(MOST_CHANGES).join(alone, on="row")
    return joined.select(
        "key",
        pl.col("key").str.extract("^([^:]*)").alias("table"),
        "column",
        "old",
        "new",
        changed="row",
        since="timestamp",
        committed="timestamp",
    )


def changed_lines(incident: Incident) -> pl.DataFrame:
    """SPOKEN_COLUMNS, `column`, `old` and `new` of the lines that tell a value before and after,
    time order; for `Incident.shared`."""
    lines = spoken_with(incident, CHANGE_MARKS)
    if lines.is_empty():
        return lines
    return lines.with_columns(changed_line().struct.unnest()).drop_nulls("new")


@cache
def changed_line() -> pl.Expr:
    """Column, old and new value of a line; kept, since its regex is read when it is made, too."""
    found = pl.col("body").str.extract_groups(CHANGED_LINE)
    return found.struct.rename_fields(["column", "old", "new"])


def _between_versions(incident: Incident) -> pl.DataFrame:
    """Columns in which one version of a row differs from the one before."""
    versions = incident.records.versions.filter(
        pl.col("columns").is_not_null() & (pl.col("kind") != Kind.ROW_VERSION.value)
    )
    differing = pl.col("columns").n_unique().over("record") > 1
    versions = versions.filter(differing)
    if versions.is_empty():
        return pl.DataFrame(schema=CHANGE_SCHEMA)
    versions = versions.sort("timestamp", "row").tail(2 * MOST_CHANGES)
    told = versions.with_columns(part=pl.col("columns").str.extract_all(_PAIR)).explode("part")
    told = told.drop_nulls("part").with_columns(
        column=pl.col("part").str.extract(r'^"([^"]*)"', 1),
        new=pl.col("part").str.extract(r'": ?(.*)$', 1),
    )
    told = told.sort("record", "column", "timestamp", "row").with_columns(
        old=pl.col("new").shift(1).over("record", "column")
    )
    told = told.drop_nulls("old").filter(pl.col("old") != pl.col("new"))
    owners = incident.records.owners.select("record", "key")
    named = told.join(owners, on="record").select(
        "key",
        "table",
        "column",
        "old",
        "new",
        changed="row",
        since=pl.coalesce("commit", "timestamp"),
        committed="commit",
    )
    return named.cast({"committed": pl.Int64, "since": pl.Int64})


def _audited(incident: Incident) -> pl.DataFrame:
    """Columns that an audit table says were changed."""
    told = changes_told(incident, MOST_CHANGES)
    if told.is_empty():
        return pl.DataFrame(schema=CHANGE_SCHEMA)
    keys = incident.snapshot.keys_of(told.get_column("row").unique())
    things = keys.filter(~pl.col("key").str.contains(r"^(?:row|txn|request|trace):"))
    # The first name of a version is the thing itself; others are its owners.
    own = things.unique("row", keep="first", maintain_order=True)
    table = incident.records.versions.select("row", "table")
    joined = told.join(own, on="row").join(table, on="row", how="left")
    return joined.select(
        "key",
        pl.col("table").fill_null(pl.col("key").str.extract("^([^:]*)", 1)),
        "column",
        "old",
        "new",
        changed="row",
        since="timestamp",
        committed="timestamp",
    )
