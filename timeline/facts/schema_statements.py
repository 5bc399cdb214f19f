"""What a database's own log tells of its schema being changed, and of statements that are slow.

PostgreSQL writes both by `log_statement = ddl` and `log_min_duration_statement`, MySQL in its
general and slow logs. Whoever drops an index by hand leaves no other record. Only logs whose writer
has the name of a database are searched: everybody else prints SQL as well.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from timeline.event import Lane
from timeline.facts.changes_seen import Change, What
from timeline.facts.wordings import holding

if TYPE_CHECKING:
    from timeline.incident import Incident

DATABASES = (
    r"(?i)postgres|pgsql|mysql|maria|percona|(?:^|[-_.@])(?:pg|db|sql|rds|aurora)\d*(?:[-_.@]|$)"
)
"""Names under which databases write."""
SCHEMA = (
    r"(?i)(?:create (?:unique )?index|drop index|reindex|alter (?:table|index|system|type|view)"
    r"|drop (?:table|view|column|type|function|trigger)|create (?:or replace )?(?:function|trigger"
    r"|view)|rename table)\b[^;␊]{0,160}"
)
TEMPORARY = r"(?i)\b(?:pg_temp|temp(?:orary)?|tmp)\b"
MOST = 20
"""Statements that change the schema within one window; a service that makes more does so as a
routine (partitions, scratch tables)."""
SLOW = r"(?i)^.{0,80}\bduration: [\d.,]+ ms +(?:\w+ ?[^:]{0,60}: +)?(.{8,})"
"""PostgreSQL's words (src/backend/tcop/postgres.c); German, French and Spanish have their own."""
MOST_SLOW = 5_000


STATEMENT_SCHEMA: dict[str, pl.DataType | type[pl.DataType]] = {
    "row": pl.UInt32,
    "timestamp": pl.Int64,
    "actor": pl.String,
    "body": pl.String,
}
MARKS = ("duration: ", "index", "INDEX", "alter", "ALTER", "drop", "DROP", "CREATE", "RENAME")


def schema_changes(incident: Incident) -> list[Change]:
    """Statements that changed the schema, oldest first; none where that is a routine."""
    told = holding(incident.statements, SCHEMA)
    if told.is_empty():
        return []
    told = told.with_columns(statement=pl.col("body").str.extract(f"({SCHEMA})", 1))
    failed = pl.col("body").str.contains(r"(?i)\b(?:error|still waiting|canceling|duration)\b")
    told = told.drop_nulls("statement").filter(
        ~failed & ~pl.col("statement").str.contains(TEMPORARY)
    )
    if told.height > MOST:
        return []
    return [
        Change(What.MIGRATION, at, row, "", "", "", False, statement.strip())
        for row, at, statement in told.select("row", "timestamp", "statement").iter_rows()
    ]


def slow_statements(incident: Incident) -> pl.DataFrame:
    """(row, timestamp, actor, statement) of statements that a database noted for their duration."""
    told = holding(incident.statements, SLOW).head(MOST_SLOW)
    if told.is_empty():
        return told.rename({"body": "statement"})
    told = told.with_columns(statement=pl.col("body").str.extract(SLOW, 1))
    return told.select("row", "timestamp", "actor", "statement")


def statements_in(incident: Incident) -> pl.DataFrame:
    """STATEMENT_SCHEMA of databases' own lines inside the window with any of `MARKS`, time
    order."""
    actors = incident.snapshot.events.get_column("actor").unique().cast(pl.String).drop_nulls()
    actors = actors.filter(actors.str.contains(DATABASES))
    sources = pl.Series([one.name for one in incident.sources], dtype=pl.String)
    sources = sources.filter(sources.str.contains(DATABASES))
    if actors.is_empty() and sources.is_empty():
        return pl.DataFrame(schema=STATEMENT_SCHEMA)
    window = incident.window
    inside = pl.col("timestamp").is_between(window.start, window.end, "left")
    mine = pl.col("actor").is_in(actors.to_list()) | pl.col("source").is_in(sources.to_list())
    told = incident.snapshot.told(
        (pl.col("lane") == Lane.LOG.value) & inside & mine, "actor", "body"
    )
    told = told.filter(pl.col("body").str.contains_any(list(MARKS)))
    return told.select(pl.col(name).cast(dtype) for name, dtype in STATEMENT_SCHEMA.items())
