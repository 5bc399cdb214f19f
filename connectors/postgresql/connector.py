"""The PostgreSQL connector: what is open now, rows around T, rows by key, the clock, the rights.

Read-only by construction: every statement comes from this package's constants and builders and
runs inside `BEGIN READ ONLY`. Owns the order of reading (the perishable first) and the honesty
about it: what the server shows is its present state, so a deleted row cannot be missed, only lost.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import ClassVar

from pydantic import BaseModel  # noqa: TC002  # the class attribute names it at run time

from connectors.clock_sampling import SAMPLES, reading_from
from connectors.contract import CheckReport, QueryAnswer
from connectors.discovery import Candidate, Place, Sampled
from connectors.postgresql.account import closing
from connectors.postgresql.audits import audit_readers
from connectors.postgresql.catalog import read_catalog, read_server
from connectors.postgresql.checking import cannot_see, costs, not_logged, require_tables
from connectors.postgresql.options import PostgreSQLOptions
from connectors.postgresql.places import candidates
from connectors.postgresql.present import read_present
from connectors.postgresql.query import Query
from connectors.postgresql.reader import TableReader
from connectors.postgresql.replication import lagging
from connectors.postgresql.rights import read_rights
from connectors.postgresql.rows import RowEvents
from connectors.postgresql.sampling import sampled
from connectors.postgresql.session import Session
from connectors.postgresql.statements import Statements, iso
from connectors.postgresql.tables import Catalog, Server, Table
from connectors.sql.audit_reader import AuditReader
from connectors.sql.query import one_reading_statement
from connectors.sql.stamps import Zone
from connectors.sql.telling import Reader, Telling
from timeline.batch import Batch, Remark
from timeline.clock import ClockReading
from timeline.event import Lane
from timeline.keys import KeyRules
from timeline.window import Budget, Window


@dataclass(frozen=True, slots=True)
class _Known:
    """What was learnt on the first read of this source."""

    server: Server
    catalog: Catalog


class PostgreSQLConnector:
    """One PostgreSQL database. See `connectors.contract.Connector`."""

    system: ClassVar[str] = "postgresql"
    lane: ClassVar[Lane] = Lane.DATABASE
    Options: ClassVar[type[BaseModel]] = PostgreSQLOptions

    def __init__(self, source: str, options: BaseModel, key_rules: KeyRules) -> None:
        if not isinstance(options, PostgreSQLOptions):
            raise TypeError("PostgreSQLConnector needs PostgreSQLOptions")
        self.source = source
        self._options = options
        self._key_rules = key_rules
        self._session = Session(options)
        self._known: _Known | None = None

    def __repr__(self) -> str:
        return f"PostgreSQLConnector({self.source!r}, {self._session!r})"

    @staticmethod
    def candidates(place: Place) -> Iterator[Candidate]:
        """Databases that variables and libpq's service file name."""
        return candidates(place)

    async def check(self) -> CheckReport:
        """Version, rights (could the role write?), what a read would cost, clock, blind spots.

        Raises `NothingHere` for a database without any table, and `SourceProblem`.
        """
        server = await read_server(self._session)
        rights = await read_rights(self._session)
        require_tables(rights, self._session.where)
        known = await self._learn(server)
        records = [self._statements(known, table) for table in known.catalog.records]
        named = ", ".join(statements.table.label for statements in records) or "none"
        facts = [
            f"connected as {server.role} to {self._session.where}",
            f"running since {iso(server.started_at // 1_000)}",
            f"rows are read from: {named}",
            *(
                f"versions are read from: {table.label} ({table.audit.tool.value})"
                for table in known.catalog.audits
                if table.audit is not None
            ),
            "commit times are recorded (track_commit_timestamp is on)"
            if server.tracks_commits
            else "commit times are not recorded (track_commit_timestamp is off)",
        ]
        if lag := lagging(server):
            facts.append(lag)
        return CheckReport(
            system=f"PostgreSQL {server.version} ({server.endpoint})",
            facts=tuple(facts),
            cannot_see=(*cannot_see(server, known.catalog), *await not_logged(self._session)),
            clock=await self.clock(),
            writes_refused=not rights.can_write,
            rights=tuple(rights.sentences()),
            cost=await costs(self._session, records, self._options.page_rows),
        )

    async def sample(self) -> Sampled:
        """Keys that the catalogue names, for a configuration to start from."""
        return await sampled(self._session)

    async def fetch(self, window: Window, budget: Budget) -> AsyncIterator[Batch]:
        """Open transactions and lock waits now, then the rows whose stamps lie in `window`."""
        try:
            telling = Telling.begun(self.source, budget)
            server = await read_server(self._session)
            yield await self._perishable(telling, server, window)
            known = await self._learn(server)
            readers: list[Reader] = [*self._audits(known), *self._records(known)]
            async for batch in telling.around(readers, window):
                yield batch
            yield closing(telling, Zone(self._options.zone), server, known.catalog, window)
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
            readers: list[Reader] = [*self._records(known), *self._audits(known)]
            where = f"on the {known.server.endpoint}"
            async for batch in telling.by_keys(readers, keys, self._key_rules, where):
                yield batch
        except (asyncio.CancelledError, GeneratorExit):
            self._session.drop()
            raise

    async def query(self, statement: str, limit: int, seconds: float) -> QueryAnswer:
        """The answer to one configured query. See `connectors.contract.Queryable`."""
        asked = Query(one_reading_statement(statement), limit)
        bounds = replace(self._session.limits, statement_timeout_ms=max(1, int(seconds * 1_000)))
        try:
            return await self._session.within(asked, bounds)
        except asyncio.CancelledError:
            self._session.drop()
            raise

    async def clock(self) -> ClockReading | None:
        """The server's clock against ours: the best of nine readings on a warm connection."""
        return reading_from(self.source, await self._session.sample_clock(SAMPLES))

    async def close(self) -> None:
        """End the connection. Safe to call twice."""
        await self._session.close()

    async def _learn(self, server: Server | None = None) -> _Known:
        server = server or await read_server(self._session)
        catalog = await read_catalog(self._session, self._options, self._key_rules)
        self._known = _Known(server, catalog)
        return self._known

    def _statements(self, known: _Known, table: Table) -> Statements:
        return Statements(table, self._options.zone, commit_times=known.server.tracks_commits)

    def _records(self, known: _Known) -> list[TableReader]:
        return [
            TableReader(
                self._session,
                self._statements(known, table),
                RowEvents(self.source, table, known.server.endpoint, self._key_rules),
                self._options.page_rows,
            )
            for table in known.catalog.records
        ]

    def _audits(self, known: _Known) -> list[AuditReader]:
        endpoint, zone = known.server.endpoint, self._options.zone
        return audit_readers(
            self._session, self.source, endpoint, known.catalog, zone, self._key_rules
        )

    async def _perishable(self, telling: Telling, server: Server, window: Window) -> Batch:
        present = await read_present(self._session, self.source, server, self._key_rules, window)
        remarks = present.remarks
        if not server.sees_all_activity:
            sentence = (
                f"{server.role} sees no times and statements of other users' sessions. "
                f"GRANT pg_read_all_stats TO {server.role}."
            )
            remarks.append(Remark(self.source, "rights", sentence))
        if (over := len(present.events) - telling.remaining) > 0:
            remarks.append(Remark(self.source, "cut", f"{over} present states left out"))
        return telling.first(present.events, remarks)
