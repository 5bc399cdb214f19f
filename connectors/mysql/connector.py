"""The MySQL and MariaDB connector: what is open now, rows around T, rows by key, clock, rights.

Read-only by construction: every statement comes from this package's constants and builders and
runs inside a READ ONLY transaction. The binary log is not read: it needs more than SELECT.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Iterator, Sequence
from dataclasses import dataclass
from typing import ClassVar

from pydantic import BaseModel  # noqa: TC002  # the class attribute names it at run time

from connectors.clock_sampling import SAMPLES, ClockSample, reading_from
from connectors.contract import CheckReport, QueryAnswer
from connectors.discovery import Candidate, Place
from connectors.mysql.activity import ActivityReader
from connectors.mysql.catalog import CatalogReader, Server, read_server
from connectors.mysql.dialect import MYSQL
from connectors.mysql.finding import candidates
from connectors.mysql.options import MySQLOptions
from connectors.mysql.replication import Replica, replica_from, status_statement
from connectors.mysql.rights import GRANTS, Rights, rights_from
from connectors.mysql.session import Session
from connectors.mysql.versions import version_reader
from connectors.sql.audit_tables import audit_readers
from connectors.sql.query import one_reading_statement
from connectors.sql.reader import TableReader
from connectors.sql.rows import RowEvents
from connectors.sql.stamps import Zone
from connectors.sql.statements import Statements
from connectors.sql.tables import Catalog
from connectors.sql.telling import NO_AUDITS, NOT_KEPT, Reader, Telling, audits_named, named
from connectors.sql.values import Select
from timeline.batch import Batch, Remark
from timeline.clock import ClockReading
from timeline.coverage import Coverage
from timeline.event import Event, Kind, Lane, Precision, intrinsic_seq
from timeline.keys import KeyRules
from timeline.problems import AccessRefused, NothingHere
from timeline.window import Budget, Window

CATALOG_STATEMENTS = 100
"""Three for each of the discovered tables, and some."""
CLOCK = "SELECT CAST(UNIX_TIMESTAMP(SYSDATE(6)) * 1000000 AS SIGNED)"
"""SYSDATE reads the clock itself; NOW would give the statement's start, here nearly the same."""


@dataclass(frozen=True, slots=True)
class _Known:
    """What was learnt on the first read of this source."""

    server: Server
    rights: Rights
    replica: Replica | None
    catalog: Catalog

    @property
    def endpoint(self) -> str:
        return "replica" if self.replica else "primary"


class MySQLConnector:
    """One MySQL or MariaDB database. See `connectors.contract.Connector`."""

    system: ClassVar[str] = "mysql"
    lane: ClassVar[Lane] = Lane.DATABASE
    Options: ClassVar[type[BaseModel]] = MySQLOptions

    def __init__(self, source: str, options: BaseModel, key_rules: KeyRules) -> None:
        if not isinstance(options, MySQLOptions):
            raise TypeError("MySQLConnector needs MySQLOptions")
        self.source = source
        self._options = options
        self._key_rules = key_rules
        self._zone = Zone(options.zone)
        self._session = Session(options)
        self._known: _Known | None = None

    def __repr__(self) -> str:
        return f"MySQLConnector({self.source!r}, {self._session!r})"

    @staticmethod
    def candidates(place: Place) -> Iterator[Candidate]:
        """Databases named by variables. See `connectors.discovery`."""
        return candidates(place)

    async def check(self) -> CheckReport:
        """Version, primary or replica, rights (could the account write?), clock, blind spots."""
        known = await self._learn()
        server, rights, tables = known.server, known.rights, known.catalog.tables
        if not tables and not known.catalog.unreadable:
            raise NothingHere(
                "The database holds no table with a creation stamp that the account may read",
                where=self._session.where,
                remedy="GRANT SELECT on its tables, or name tables and their time_columns.",
            )
        facts = [
            f"connected as {server.account} to {self._session.where}",
            f"rows are read from: {named(known.catalog.records) or 'none'}",
            _writing(rights),
        ]
        if known.replica:
            facts.append(known.replica.words)
        if versioned := [table for table in tables if table.period]:
            facts.append(f"every version is kept of: {named(versioned)}")
        facts += audits_named(known.catalog)
        return CheckReport(
            system=f"{server.flavour.name} ({known.endpoint})",
            facts=tuple(facts),
            cannot_see=tuple(_cannot_see(known)),
            clock=await self.clock(),
            writes_refused=rights.refuses_writes,
        )

    async def fetch(self, window: Window, budget: Budget) -> AsyncIterator[Batch]:
        """Open transactions and lock waits now, then the rows whose stamps lie in `window`."""
        try:
            telling = Telling.begun(self.source, budget)
            yield await self._perishable(telling, window)
            known = await self._learn()
            async for batch in telling.around(self._readers(known), window):
                yield batch
            yield self._closing(telling, known, window)
        except (asyncio.CancelledError, GeneratorExit):
            self._session.drop()
            raise

    async def lookup(
        self, keys: Sequence[str], span: Window, budget: Budget
    ) -> AsyncIterator[Batch]:
        """The rows that `keys` name, and rows of other tables that refer to them, whenever."""
        try:
            telling = Telling.begun(self.source, budget)
            known = self._known or await self._learn()
            readers = self._readers(known)
            where = f"on the {known.endpoint}"
            async for batch in telling.by_keys(readers, keys, self._key_rules, where):
                yield batch
        except (asyncio.CancelledError, GeneratorExit):
            self._session.drop()
            raise

    async def query(self, statement: str, limit: int, seconds: float) -> QueryAnswer:
        """The answer to one configured query. See `connectors.contract.Queryable`."""
        return await self._session.query(one_reading_statement(statement), limit, seconds)

    async def clock(self) -> ClockReading | None:
        """The server's clock against ours: the best of nine readings on a warm connection."""
        return reading_from(self.source, await self._session.together(_timed, SAMPLES))

    async def close(self) -> None:
        """End the connection. Safe to call twice."""
        await self._session.close()

    async def _learn(self) -> _Known:
        session = self._session
        grants = await session.read(GRANTS)
        flavour = session.flavour
        rights = rights_from((str(row[0]) for row in grants), lists_roles=flavour.mariadb)
        server = await session.together(lambda select: read_server(select, flavour), 1)
        reader = CatalogReader(self._options, self._key_rules, flavour)
        catalog = await session.together(reader, CATALOG_STATEMENTS)
        self._known = _Known(server, rights, await self._replica(), catalog)
        return self._known

    async def _replica(self) -> Replica | None:
        """None on a primary, and where the account may not ask (which is said)."""
        try:
            rows = await self._session.named(status_statement(self._session.flavour))
        except AccessRefused:
            return None
        return replica_from(rows[0]) if rows else None

    async def _perishable(self, telling: Telling, window: Window) -> Batch:
        server = await self._session.together(self._read_server, 1)
        events = [event for event in self._marks(server) if window.contains(event.timestamp)]
        remarks = []
        reader = ActivityReader(self.source, server.flavour, self._key_rules)
        try:
            events = await self._session.together(reader, 3) + events
        except AccessRefused:
            sentence = (
                "The account may not look at open transactions and lock waits. "
                f"GRANT PROCESS ON *.* TO {server.account}."
            )
            remarks.append(Remark(self.source, "rights", sentence))
        return telling.first(events, remarks)

    def _read_server(self, select: Select) -> Server:
        return read_server(select, self._session.flavour)

    def _marks(self, server: Server) -> list[Event]:
        """The server's start: a cheap mark on the timeline, to the second."""
        if server.started_at is None:
            return []
        started = server.started_at
        ref = f"uptime@{started}"
        return [
            Event(
                timestamp=started,
                source=self.source,
                lane=Lane.DATABASE,
                kind=Kind.CHANGE,
                body=f"{server.flavour.name} started",
                ref=ref,
                seq=intrinsic_seq(ref),
                actor=self.source,
                precision=Precision.SECOND,
            )
        ]

    def _readers(self, known: _Known) -> list[Reader]:
        session, rules, rows = self._session, self._key_rules, self._options.page_rows
        readers: list[Reader] = [
            *audit_readers(session, MYSQL, self.source, known.endpoint, known.catalog, rules)
        ]
        for table in known.catalog.records:
            events = RowEvents(self.source, table, known.endpoint, rules)
            readers.append(TableReader(session, Statements(table, MYSQL), events, rows))
            versions = version_reader(session, self.source, table, known.endpoint, rules, rows)
            readers += [versions] if versions else []
        return readers

    def _closing(self, telling: Telling, known: _Known, window: Window) -> Batch:
        tables = known.catalog.tables
        coverage: list[Coverage] = telling.zone_coverage(window, self._zone)
        remarks = telling.zone_remarks(tables, self._zone)
        if known.replica:
            coverage += known.replica.coverage(self.source, window, known.server.now)
            words = f"Read from a {known.replica.words}."
            remarks.append(Remark(self.source, "replica", words))
        elif not known.rights.sees_replication:
            sentence = "The account may not ask whether this is a replica, which may lag."
            remarks.append(Remark(self.source, "rights", sentence))
        return telling.closing(window, known.catalog, telling.now_only(window), coverage, remarks)


def _timed(select: Select) -> list[ClockSample]:
    samples = []
    for _ in range(SAMPLES):
        before, started = time.time_ns(), time.monotonic_ns()
        (row,) = select(CLOCK, ())
        after = before + time.monotonic_ns() - started
        samples.append(ClockSample(before, int(row[0] or 0) * 1_000, after))
    return samples


def _writing(rights: Rights) -> str:
    if rights.writing:
        named = ", ".join(rights.writing[:5])
        return f"the account could change something ({named}); halfawake never does"
    if rights.refuses_writes is None:
        return "the account itself cannot write; what its roles may do was not seen"
    return "the account cannot write"


def _cannot_see(known: _Known) -> list[str]:
    words = [NOT_KEPT, "when a row became visible: no commit time is stored with it"]
    if not known.catalog.audits:
        words.append(NO_AUDITS)
    if not known.rights.sees_transactions:
        words.append(f"open transactions (GRANT PROCESS ON *.* TO {known.server.account})")
    if known.replica:
        words.append("what the source server has not yet sent")
    elif not known.rights.sees_replication:
        words.append("whether this is a replica, and how far it lags")
    words += [f"{table.reason} ({table.remedy})" for table in known.catalog.unreadable]
    return words
