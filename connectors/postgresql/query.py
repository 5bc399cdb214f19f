"""Answers one configured query, after the server's own plan of it has been looked at.

READ ONLY stops writes, not every effect: nextval, pg_notify, advisory locks, dblink and the like
are functions. PostgreSQL calls every function that may have an effect VOLATILE (manual, "Function
Volatility Categories"), so a statement that names one, or whose plan does, is not run. What a
function does that its author wrongly declared STABLE or IMMUTABLE cannot be seen.
"""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, LiteralString

from connectors.contract import QueryAnswer
from connectors.postgresql.plans import whole_scans
from connectors.sql.query import answered, called_names, reads_whole, refused

if TYPE_CHECKING:
    import psycopg

LOOKS = (
    *("clock_timestamp", "timeofday", "random", "gen_random_uuid"),
    *("pg_lock_status", "pg_blocking_pids", "pg_prepared_xact", "pg_is_in_recovery"),
    *("pg_relation_size", "pg_table_size", "pg_indexes_size", "pg_total_relation_size"),
    *("pg_database_size", "pg_current_wal_lsn", "pg_last_wal_receive_lsn"),
    *("pg_last_wal_replay_lsn", "pg_last_xact_replay_timestamp", "pg_is_wal_replay_paused"),
)
"""PostgreSQL's own functions that are VOLATILE because their answer moves, and change nothing."""
EFFECTS = ("txid_current", "pg_current_xact_id")
"""STABLE, and yet they hand out a transaction id."""
QUERY_STATES = re.compile(r"42(?!501)|25006|0A000")
"""SQLSTATEs that say the statement itself is no query that can be run (manual, appendix A)."""

VOLATILE: LiteralString = """
SELECT p.proname::text, '' FROM pg_proc AS p
  LEFT JOIN pg_aggregate AS g ON g.aggfnoid = p.oid
  LEFT JOIN pg_proc AS step ON step.oid IN (g.aggtransfn, g.aggfinalfn)
 WHERE p.proname = ANY(%s)
   AND (p.provolatile = 'v' OR step.provolatile = 'v' OR p.proname = ANY(%s))
   AND NOT (p.pronamespace = 'pg_catalog'::regnamespace AND p.proname = ANY(%s))
UNION
SELECT '', o.oprname::text FROM pg_operator AS o JOIN pg_proc AS p ON p.oid = o.oprcode
 WHERE p.provolatile = 'v'
UNION
SELECT '', '::' || format_type(c.casttarget, NULL) FROM pg_cast AS c
  JOIN pg_proc AS p ON p.oid = c.castfunc WHERE p.provolatile = 'v'
 ORDER BY 1, 2 LIMIT 1000
"""
"""Functions of the given names, and signs of operators and casts, that may have an effect."""
CURSOR = b"halfawake_query"


@dataclass(frozen=True, slots=True)
class Query:
    """One query; called with a connection inside a READ ONLY transaction it gives the answer."""

    statement: str
    limit: int

    async def __call__(self, connection: psycopg.AsyncConnection, _ping: float) -> QueryAnswer:
        """Raises `Misconfigured` where it must not be run, and the driver's errors."""
        import psycopg

        problem = None
        try:
            return await self._answer(connection)
        except psycopg.Error as error:
            if not QUERY_STATES.match(error.sqlstate or ""):
                raise
            said = error.diag.message_primary or "refused"
            problem = refused(f"PostgreSQL does not run it: {said}", self.statement)
        raise problem

    async def _answer(self, connection: psycopg.AsyncConnection) -> QueryAnswer:
        text = self.statement.encode()
        await self._no_effects(connection, self.statement)
        # Asking for binary results makes the driver send one Parse message, in which the server
        # takes one statement only; a simple query could hold a COMMIT and what comes after it.
        explained = await connection.execute(b"EXPLAIN (VERBOSE, FORMAT JSON) " + text, binary=True)
        plan = await explained.fetchall()
        await self._no_effects(connection, "\n".join(_texts(plan)))
        for table in whole_scans(plan):
            raise reads_whole(table, self.statement)
        asked_at = time.time_ns()
        await connection.execute(
            b"DECLARE " + CURSOR + b" NO SCROLL CURSOR FOR " + text, binary=True
        )
        fetched = await connection.execute(f"FETCH {self.limit + 1:d} FROM ".encode() + CURSOR)
        result = fetched.pgresult
        if result is None:
            raise refused("PostgreSQL answered without rows", self.statement)
        columns = [(result.fname(place) or b"").decode() for place in range(result.nfields)]
        cells = [
            [result.get_value(row, place) for place in range(result.nfields)]
            for row in range(result.ntuples)
        ]
        return answered(columns, cells, self.limit, asked_at)

    async def _no_effects(self, connection: psycopg.AsyncConnection, text: str) -> None:
        """Raises `Misconfigured` where `text` names what may have an effect."""
        names = sorted(called_names(text))
        found = await connection.execute(VOLATILE, (names, list(EFFECTS), list(LOOKS)))
        for function, sign in await found.fetchall():
            if function or sign in text:
                raise refused(
                    f"Not run: {function or sign} may change something (it is VOLATILE), and a "
                    "read-only transaction does not stop that",
                    self.statement,
                    "Leave it out.",
                )


def _texts(part: object) -> Iterator[str]:
    """Every text in a plan."""
    if isinstance(part, str):
        yield part
    elif isinstance(part, dict):
        for inner in part.values():
            yield from _texts(inner)
    elif isinstance(part, list | tuple):
        for inner in part:
            yield from _texts(inner)
