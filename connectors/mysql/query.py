"""Answers one configured query, after its text and the server's plan of it have been looked at.

READ ONLY stops writes to tables, not every effect, and these servers do not say which functions
have one. So the few of their own that do are known here by name, and stored functions are refused
whatever they do. Not seen: a function that a view calls, and one loaded from a library (UDF).
"""

from __future__ import annotations

import re
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from connectors.contract import QueryAnswer
from connectors.mysql.problems import number_of
from connectors.sql.query import answered, called_names, reads_whole, refused
from connectors.sql.tables import LARGE_ROWS

if TYPE_CHECKING:
    import pymysql

EFFECTS = frozenset(
    [
        *("get_lock", "release_lock", "release_all_locks", "sleep", "benchmark", "load_file"),
        *("nextval", "setval", "last_insert_id", "sys_exec", "sys_eval", "sys_set"),
        *("master_pos_wait", "source_pos_wait", "master_gtid_wait", "wait_for_executed_gtid_set"),
        "wait_until_sql_thread_after_gtids",
    ]
)
"""Functions that lock, wait, read files, run programs or move a counter (MySQL 8 and MariaDB 10.11
manuals, "Locking Functions", "Miscellaneous Functions", "SEQUENCE Functions")."""
CLAUSES = re.compile(
    r"\bINTO\b|\bFOR\s+(?:UPDATE|SHARE)\b|\bLOCK\s+IN\s+SHARE\b|:=|\b(?:NEXT|PREVIOUS)\s+VALUE\b"
    r"|\bPROCEDURE\b|/\*!|/\*M!",
    re.IGNORECASE,
)
"""Parts of a SELECT that write a file or a variable, lock rows, or hide code in a comment."""
QUERY_ERRORS = frozenset({1054, 1064, 1146, 1235, 1305, 1630, 1792})
"""Unknown column, syntax, table or function, not supported, and: not in a READ ONLY transaction."""
STORED = "SELECT ROUTINE_NAME FROM information_schema.ROUTINES WHERE ROUTINE_TYPE = 'FUNCTION'"
MAX_STORED = 10_000
PASSED_OVER = ("ALL", "index")
"""EXPLAIN's words for reading a table, or an index, from end to end."""


@dataclass(frozen=True, slots=True)
class Query:
    """One query; called with a connection inside a READ ONLY transaction it gives the answer."""

    statement: str
    limit: int
    bounds: str
    """Statement that bounds the time and the rows of our session, just before the query runs."""
    unbound: str
    """Statement that takes this back."""

    def __call__(self, connection: pymysql.Connection) -> QueryAnswer:
        """Raises `Misconfigured` where it must not be run, and the driver's errors."""
        import pymysql

        problem = None
        self._no_effects()
        try:
            self._nothing_stored(connection)
            self._no_whole_scan(connection)
            return self._answer(connection)
        except pymysql.Error as error:
            if number_of(error) not in QUERY_ERRORS:
                raise
            problem = refused(f"The server does not run it: {error.args[-1]}", self.statement)
        raise problem

    def _no_effects(self) -> None:
        names = called_names(self.statement) & EFFECTS
        clause = CLAUSES.search(self.statement)
        if names or clause:
            what = min(names) if names else " ".join(clause[0].upper().split()) if clause else ""
            raise refused(
                f"Not run: {what} may change, lock or wait for something, and a read-only "
                "transaction does not stop that",
                self.statement,
                "Leave it out, also in texts and comments.",
            )

    def _nothing_stored(self, connection: pymysql.Connection) -> None:
        called = {name.lower() for name in called_names(self.statement)}
        with connection.cursor() as cursor:
            cursor.execute(f"{STORED} LIMIT {MAX_STORED}")
            stored = {str(row[0]).lower() for row in cursor.fetchall()}
        if names := called & stored:
            raise refused(
                f"Not run: {min(names)} is a stored function, which may do anything",
                self.statement,
                "Write out what it computes.",
            )

    def _no_whole_scan(self, connection: pymysql.Connection) -> None:
        with connection.cursor() as cursor:
            cursor.execute(f"EXPLAIN {self.statement}")
            names = [column[0] for column in cursor.description or ()]
            steps = [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]
        for step in steps:
            if step.get("type") in PASSED_OVER and _estimate(step) > LARGE_ROWS:
                raise reads_whole(str(step.get("table")), self.statement)

    def _answer(self, connection: pymysql.Connection) -> QueryAnswer:
        from pymysql.cursors import SSCursor

        with connection.cursor() as settings:
            settings.execute(self.bounds)
            try:
                asked_at = time.time_ns()
                with connection.cursor(SSCursor) as cursor:  # keeps no more rows than are asked for
                    cursor.execute(self.statement)
                    columns = [str(column[0]) for column in cursor.description or ()]
                    rows = list(cursor.fetchmany(self.limit + 1))
            finally:
                if connection.open:
                    settings.execute(self.unbound)
        return answered(columns, rows, self.limit, asked_at)


def _estimate(step: Mapping[str, object]) -> int:
    """Rows that a step looks at; MariaDB sends the number as text."""
    return int(str(step.get("rows") or 0))
