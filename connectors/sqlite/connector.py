"""The SQLite connector: rows around T and rows by key from one file, and what it can say of it.

Changes nothing: every statement is a SELECT, EXPLAIN QUERY PLAN or a reading PRAGMA on a read-only
connection that lives for one read. A file has no clock of its own and no sessions to look at.
"""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Iterator, Sequence
from pathlib import Path
from typing import ClassVar
from urllib.parse import unquote, urlsplit

from pydantic import BaseModel  # noqa: TC002  # the class attribute names it at run time

from connectors.contract import CheckReport, QueryAnswer
from connectors.discovery import Candidate, Place
from connectors.sql.audit_tables import audit_readers
from connectors.sql.query import one_reading_statement
from connectors.sql.reader import TableReader
from connectors.sql.rows import RowEvents
from connectors.sql.stamps import Zone
from connectors.sql.statements import Statements
from connectors.sql.telling import NO_AUDITS, NOT_KEPT, Reader, Telling, audits_named, named
from connectors.sqlite.catalog import CatalogReader, FileCatalog
from connectors.sqlite.dialect import SQLITE
from connectors.sqlite.opening import MAGIC
from connectors.sqlite.options import SQLiteOptions
from connectors.sqlite.query import Query
from connectors.sqlite.session import FileSession
from timeline.batch import Batch, Remark
from timeline.clock import ClockReading
from timeline.event import Lane
from timeline.keys import KeyRules
from timeline.problems import NothingHere
from timeline.window import Budget, Window

CATALOG_STATEMENTS = 1_000
COMMON_PATHS = (
    "db.sqlite3",
    "db/development.sqlite3",
    "db/production.sqlite3",
    "storage/development.sqlite3",
    "storage/production.sqlite3",
    "storage/production_queue.sqlite3",
    "prisma/dev.db",
    "database/database.sqlite",
)
"""Where Django, Rails (to 7.0, from 7.1, Solid Queue), Prisma and Laravel keep a database."""
URL_VARIABLE = "DATABASE_URL"
ENDPOINT = "file"


class SQLiteConnector:
    """One SQLite file. See `connectors.contract.Connector`."""

    system: ClassVar[str] = "sqlite"
    lane: ClassVar[Lane] = Lane.DATABASE
    Options: ClassVar[type[BaseModel]] = SQLiteOptions

    def __init__(self, source: str, options: BaseModel, key_rules: KeyRules) -> None:
        if not isinstance(options, SQLiteOptions):
            raise TypeError("SQLiteConnector needs SQLiteOptions")
        self.source = source
        self._options = options
        self._key_rules = key_rules
        self._zone = Zone(options.zone)
        self._path = Path(options.path).expanduser()
        self._session = FileSession(self._path, options.statement_timeout_ms, options.copy_bytes)
        self._known: FileCatalog | None = None

    def __repr__(self) -> str:
        return f"SQLiteConnector({self.source!r}, {str(self._path)!r})"

    @staticmethod
    def candidates(place: Place) -> Iterator[Candidate]:
        """Files at their frameworks' usual places, and a DATABASE_URL that names a file."""
        parts = urlsplit(place.variables.get(URL_VARIABLE, ""))
        if parts.scheme in ("sqlite", "sqlite3") and parts.path:
            # sqlite:///relative and sqlite:////absolute, as SQLAlchemy and Rails write it
            path = str(place.folder / unquote(parts.path.removeprefix("/")))
            yield Candidate("sqlite", "sqlite", {"path": path}, f"the variable {URL_VARIABLE}")
        for name in COMMON_PATHS:
            if place.text(place.folder / name).startswith(MAGIC.decode()):
                options = {"path": str(place.folder / name)}
                yield Candidate("sqlite", "sqlite", options, name, local=True)

    async def check(self) -> CheckReport:
        """Version of the library, journal mode, whose tables, rights, blind spots."""
        import sqlite3

        known = await self._learn()
        catalog = known.catalog
        if not catalog.tables and not catalog.unreadable:
            raise NothingHere(
                "The file holds no table with a creation stamp",
                where=str(self._path),
                remedy="Name tables and their time_columns.",
            )
        writable = os.access(self._path, os.W_OK)
        facts = [
            f"{self._path} ({known.bytes:,} bytes)",
            f"rows are read from: {named(catalog.records) or 'none'}",
            *audits_named(catalog),
            _journal(known.journal_mode, self._options.statement_timeout_ms),
        ]
        if known.framework:
            facts.append(f"its tables are those of {known.framework}")
        if self._session.copied:
            facts.append("no program has it open: read from a private copy, to change nothing")
        if writable:
            facts.append("this account could write to the file; halfawake opens it read-only")
        unread = [f"{table.reason} {table.remedy}".strip() for table in catalog.unreadable]
        return CheckReport(
            system=f"SQLite file (library {sqlite3.sqlite_version})",
            facts=tuple(facts),
            cannot_see=(
                NOT_KEPT,
                "open transactions: a file shows none",
                *(() if catalog.audits else (NO_AUDITS,)),
                *unread,
            ),
            writes_refused=not writable,
        )

    async def fetch(self, window: Window, budget: Budget) -> AsyncIterator[Batch]:
        """The rows whose stamps lie in `window`."""
        telling = Telling.begun(self.source, budget)
        known = await self._learn()
        tables = known.catalog.tables
        async for batch in telling.around(self._readers(known), window):
            yield batch
        remarks = telling.zone_remarks(tables, self._zone)
        if self._session.copied:
            sentence = "No program has it open: read from a private copy, to change nothing."
            remarks.append(Remark(self.source, "copy", sentence))
        coverage = telling.zone_coverage(window, self._zone)
        yield telling.closing(window, known.catalog, telling.now_only(window), coverage, remarks)

    async def lookup(
        self, keys: Sequence[str], span: Window, budget: Budget
    ) -> AsyncIterator[Batch]:
        """The rows that `keys` name, and rows of other tables that refer to them, whenever."""
        telling = Telling.begun(self.source, budget)
        known = self._known or await self._learn()
        readers = self._readers(known)
        async for batch in telling.by_keys(readers, keys, self._key_rules, "in the file"):
            yield batch

    async def query(self, statement: str, limit: int, seconds: float) -> QueryAnswer:
        """The answer to one configured query. See `connectors.contract.Queryable`."""
        asked = Query(one_reading_statement(statement), limit)
        return await self._session.within(asked, seconds)

    async def clock(self) -> ClockReading | None:
        """None: the stamps are those of whoever writes the file."""
        return None

    async def close(self) -> None:
        """Remove a private copy, where there is one. Safe to call twice."""
        await self._session.close()

    async def _learn(self) -> FileCatalog:
        reader = CatalogReader(self._path, self._options, self._key_rules)
        self._known = await self._session.together(reader, CATALOG_STATEMENTS)
        return self._known

    def _readers(self, known: FileCatalog) -> list[Reader]:
        session, rules, rows = self._session, self._key_rules, self._options.page_rows
        return [
            *audit_readers(session, SQLITE, self.source, ENDPOINT, known.catalog, rules),
            *(
                TableReader(
                    session,
                    Statements(table, SQLITE),
                    RowEvents(self.source, table, ENDPOINT, rules),
                    rows,
                )
                for table in known.catalog.records
            ),
        ]


def _journal(mode: str, timeout_ms: int) -> str:
    if mode == "wal":
        return "WAL mode: our reads make no writer wait"
    return (
        f"{mode} journal: a write of the application waits while one of our reads runs, at most "
        f"{timeout_ms} ms"
    )
