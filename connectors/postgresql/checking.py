"""The report of `check`: rights, what reading would cost, and what this server cannot show.

Reads the catalogue, settings and plans; no row of any table is touched.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import LiteralString

from connectors.contract import Cost
from connectors.postgresql.rights import Rights
from connectors.postgresql.routes import LOOKED_UP, How, Route, by_ids, route_to
from connectors.postgresql.session import Session
from connectors.postgresql.statements import Statements
from connectors.postgresql.tables import Catalog, Server
from connectors.sql.telling import NOT_KEPT
from timeline.problems import NothingHere, SourceProblem, Unreachable
from timeline.window import Window

MAX_ESTIMATES = 20
"""Time columns whose cost is estimated; each is one EXPLAIN."""

SETTINGS: LiteralString = """
SELECT name::text, setting FROM pg_settings
 WHERE name IN ('log_lock_waits', 'log_min_duration_statement', 'log_checkpoints',
                'deadlock_timeout', 'max_prepared_transactions')
"""


def require_tables(rights: Rights, where: str) -> None:
    """Raises `NothingHere` when the database holds no table of anybody's."""
    if rights.tables == 0:
        raise NothingHere(
            "PostgreSQL answers, and this database has no tables",
            where=where,
            remedy="Check dbname: each database is a source of its own.",
        )


async def costs(session: Session, tables: Sequence[Statements], page_rows: int) -> tuple[Cost, ...]:
    """How each time column would be read for the default window, at what estimate; the first ones
    of a database that has very many."""
    window = Window.around(time.time_ns())
    columns = [(statements, column) for statements in tables for column in statements.table.times]
    told = []
    for statements, column in columns[:MAX_ESTIMATES]:
        name = f"{statements.table.label}.{column.name}"
        try:
            route = await route_to(session, statements, column, window, page_rows, planned=True)
            told.append(_cost(name, route))
        except Unreachable:
            raise
        except SourceProblem as problem:
            told.append(Cost(name, refused=problem.what))
    return tuple(told)


def _cost(name: str, route: Route) -> Cost:
    if route.how is How.REFUSED:
        return Cost(name, refused=f"{route.why}. {LOOKED_UP}")
    if route.how is How.IDS:
        return Cost(name, by_ids(route).removeprefix("by "), route.rows)
    return Cost(name, route.index or "a whole read, it is small", route.rows)


async def not_logged(session: Session) -> list[str]:
    """What the server's settings keep out of its own log, so that no log can show it."""
    settings = {str(name): str(value) for name, value in await session.read(SETTINGS)}
    said = []
    if settings.get("log_lock_waits") == "off":
        said.append(
            "lock waits of the past: log_lock_waits is off, so silence in its log is not health"
        )
    if settings.get("log_min_duration_statement") == "-1":
        said.append("slow statements of the past: log_min_duration_statement is off")
    return said


def cannot_see(server: Server, catalog: Catalog) -> list[str]:
    """What no statement can bring back from this server, in words."""
    words = [NOT_KEPT]
    if not server.tracks_commits:
        words.append("when a row became visible: only the start of its transaction is stored")
    if not catalog.audits:
        words.append("who changed what: no audit table was found")
    if not server.sees_all_activity:
        words.append(f"other users' statements (GRANT pg_read_all_stats TO {server.role})")
    if server.replica:
        words.append("what the primary has not yet sent")
    words += [f"{table.reason} ({table.remedy})" for table in catalog.unreadable]
    return words
