"""Answers one configured query from a file, under an authorizer that lets it only read.

SQLite asks the authorizer about every table, function and PRAGMA while it compiles a statement
(manual, "Compile-Time Authorization Callbacks"), so nothing else is ever run.
"""

from __future__ import annotations

import re
import sqlite3
import time
from dataclasses import dataclass, field

from connectors.contract import QueryAnswer
from connectors.sql.query import answered, reads_whole, refused
from connectors.sql.tables import LARGE_ROWS
from connectors.sqlite.dialect import quoted

ALLOWED = frozenset(
    {sqlite3.SQLITE_SELECT, sqlite3.SQLITE_READ, sqlite3.SQLITE_FUNCTION, sqlite3.SQLITE_RECURSIVE}
)
EFFECTS = frozenset({"load_extension", "fts3_tokenizer", "zeroblob", "randomblob"})
"""Functions that load code, and two that fill the memory with one call."""
SCAN = re.compile(r"SCAN (?!CONSTANT|\d+ CONSTANT|\()(?:TABLE )?(\S+)")
"""A step of EXPLAIN QUERY PLAN that reads a table or an index from end to end."""


@dataclass
class Query:
    """One query; called with a connection inside a transaction it gives the answer."""

    statement: str
    limit: int
    _tables: set[str] = field(default_factory=set)

    def __call__(self, connection: sqlite3.Connection) -> QueryAnswer:
        """Raises `Misconfigured` where it must not be run, and the driver's errors."""
        self._tables.clear()
        problem = None
        connection.set_authorizer(self._authorize)
        try:
            plan = connection.execute(f"EXPLAIN QUERY PLAN {self.statement}").fetchall()
            connection.set_authorizer(None)
            self._no_whole_scan(connection, [str(row[3]) for row in plan])
            connection.set_authorizer(self._authorize)
            asked_at = time.time_ns()
            cursor = connection.execute(self.statement)
            columns = [str(column[0]) for column in cursor.description or ()]
            return answered(columns, cursor.fetchmany(self.limit + 1), self.limit, asked_at)
        except (sqlite3.DatabaseError, sqlite3.ProgrammingError, sqlite3.Warning) as error:
            code = getattr(error, "sqlite_errorname", "")
            if code not in ("SQLITE_ERROR", "SQLITE_AUTH", "SQLITE_READONLY", "", None):
                raise  # busy, damaged, interrupted
            problem = refused(f"SQLite does not run it: {error}", self.statement)
        finally:
            connection.set_authorizer(None)
        raise problem

    def _authorize(
        self, action: int, first: str | None, second: str | None, *_of: str | None
    ) -> int:
        if action not in ALLOWED or (
            action == sqlite3.SQLITE_FUNCTION and str(second).lower() in EFFECTS
        ):
            return sqlite3.SQLITE_DENY
        if action == sqlite3.SQLITE_READ and first:
            self._tables.add(first)
        return sqlite3.SQLITE_OK

    def _no_whole_scan(self, connection: sqlite3.Connection, plan: list[str]) -> None:
        scanned = [match[1] for step in plan if (match := SCAN.match(step))]
        if not scanned:
            return
        sizes = {name: _rows(connection, name) for name in self._tables}
        large = sorted(name for name, rows in sizes.items() if rows > LARGE_ROWS)
        for name in scanned:
            # a plan names a table by its alias: which one that is, it does not say
            if name in large or (large and name not in sizes):
                raise reads_whole(name if name in large else large[0], self.statement)


def _rows(connection: sqlite3.Connection, table: str) -> int:
    """An upper bound that costs nothing; of what has no row numbers (a view, for one) zero."""
    try:
        (row,) = connection.execute(
            f"SELECT max(rowid) - min(rowid) + 1 FROM {quoted(table)}"  # noqa: S608
        ).fetchall()
    except sqlite3.DatabaseError:
        return 0
    return int(row[0] or 0)
