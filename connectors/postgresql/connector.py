"""The PostgreSQL connector: what is open now, rows around T, rows by key, the clock, the rights.

Read-only by construction: every statement comes from this package's constants and builders and
runs inside `BEGIN READ ONLY`. Owns the order of reading (the perishable first) and the honesty
about it: what the server shows is its present state, so a deleted row cannot be missed, only lost.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import ClassVar

from pydantic import BaseModel  # noqa: TC002  # the class attribute names it at run time

from connectors.clock_sampling import SAMPLES, reading_from
from connectors.contract import CheckReport
from connectors.discovery import Candidate, Place, Sampled
from connectors.postgresql.account import closing, lookup_extras, not_found
from connectors.postgresql.audit_statements import AuditStatements
from connectors.postgresql.audits import AuditReader, audit_groups
from connectors.postgresql.catalog import read_catalog, read_server
from connectors.postgresql.checking import cannot_see, costs, not_logged, require_tables
from connectors.postgresql.options import PostgreSQLOptions
from connectors.postgresql.places import candidates
from connectors.postgresql.present import read_present
from connectors.postgresql.reader import Gap, TableReader
from connectors.postgresql.replication import lagging
from connectors.postgresql.rights import read_rights
from connectors.postgresql.rows import RowEvents
from connectors.postgresql.sampling import sampled
from connectors.postgresql.session import Session
from connectors.postgresql.statements import Statements, iso
from connectors.postgresql.tables import Catalog, Server, Table
from timeline.batch import Batch, BatchExtras, Remark, batch_of
from timeline.clock import ClockReading
from timeline.event import Lane
from timeline.keys import KeyRules
from timeline.problems import SourceProblem, Unreachable
from timeline.window import Budget, Window

READING_SHARE = 0.8
"""Of the time it may take; the rest is for the last page and for saying what was not read."""


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
            *rights.sentences(),
            *await costs(self._session, records, self._options.page_rows),
        ]
        if lag := lagging(server):
            facts.append(lag)
        return CheckReport(
            system=f"PostgreSQL {server.version} ({server.endpoint})",
            facts=tuple(facts),
            cannot_see=(*cannot_see(server, known.catalog), *await not_logged(self._session)),
            clock=await self.clock(),
            writes_refused=not rights.can_write,
        )

    async def sample(self) -> Sampled:
        """Keys that the catalogue names, for a configuration to start from."""
        return await sampled(self._session)

    async def fetch(self, window: Window, budget: Budget) -> AsyncIterator[Batch]:
        """Open transactions and lock waits now, then the rows whose stamps lie in `window`."""
        deadline = time.monotonic() + budget.seconds * READING_SHARE
        try:
            server = await read_server(self._session)
            present = await self._perishable(server, window, budget.rows)
            remaining = budget.rows - present.events.height
            yield present
            known = await self._learn(server)
            gaps: list[Gap] = []
            for group in audit_groups(known.catalog, self._options.zone):
                audits = self._audits(known, group)
                versions = await audits.around(window, remaining, deadline)
                remaining -= len(versions)
                gaps += audits.gaps
                if versions:
                    yield batch_of(self.source, versions)
            tables = known.catalog.records
            for place, table in enumerate(tables):
                reader = self._reader(known, table)
                share = -(-remaining // (len(tables) - place))
                async for events in reader.around(window, share, deadline):
                    remaining -= len(events)
                    yield batch_of(self.source, events)
                gaps += reader.gaps
                if reader.undated:
                    yield self._with_undated(batch_of(self.source, ()), reader)
            yield closing(self._options, self.source, known.server, known.catalog, window, gaps)
        except (asyncio.CancelledError, GeneratorExit):
            self._session.drop()
            raise

    async def lookup(
        self, keys: Sequence[str], span: Window, budget: Budget
    ) -> AsyncIterator[Batch]:
        """The rows that `keys` name, and rows of other tables that refer to them, whenever."""
        try:
            known = self._known or await self._learn()
            remaining, answered = budget.rows, dict[str, bool]()
            deadline = time.monotonic() + budget.seconds * READING_SHARE
            for table in known.catalog.records:
                reader = self._reader(known, table)
                if time.monotonic() > deadline:
                    late = Gap(
                        0, 0, f"{reader.table.label}: not searched, the time was up", cut=True
                    )
                    yield batch_of(self.source, (), lookup_extras(self.source, [late]))
                    continue
                try:
                    events, there = await reader.by_keys(keys, self._key_rules)
                except Unreachable:
                    raise
                except SourceProblem as problem:
                    events, there = [], {}
                    reader.gaps.append(
                        Gap(0, 0, f"{reader.table.label}: {problem.what}", problem.remedy)
                    )
                for key, found in there.items():
                    answered[key] = answered.get(key, False) or found
                kept = events[:remaining]
                remaining -= len(kept)
                if len(kept) < len(events):
                    reader.gaps.append(_over_budget(reader.table.label, budget))
                if kept or reader.gaps or reader.undated:
                    batch = batch_of(self.source, kept, lookup_extras(self.source, reader.gaps))
                    yield self._with_undated(batch, reader)
            for group in audit_groups(known.catalog, self._options.zone):
                audits = self._audits(known, group)
                if time.monotonic() > deadline or remaining <= 0:
                    audits.gaps.append(Gap(0, 0, f"{audits.label}: not searched", cut=True))
                    versions = []
                else:
                    told = await audits.by_keys(keys)
                    versions = told[:remaining]
                    if len(versions) < len(told):
                        audits.gaps.append(_over_budget(audits.label, budget))
                remaining -= len(versions)
                if versions or audits.gaps:
                    yield batch_of(self.source, versions, lookup_extras(self.source, audits.gaps))
            missing = [key for key, found in answered.items() if not found]
            if missing:
                yield not_found(self.source, known.server, missing)
        except (asyncio.CancelledError, GeneratorExit):
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

    def _reader(self, known: _Known, table: Table) -> TableReader:
        return TableReader(
            self._session,
            self._statements(known, table),
            RowEvents(self.source, table, known.server, self._key_rules),
            self._options.page_rows,
        )

    def _audits(self, known: _Known, group: Sequence[AuditStatements]) -> AuditReader:
        return AuditReader(
            self._session, self.source, known.server, known.catalog, self._key_rules, group
        )

    async def _perishable(self, server: Server, window: Window, rows: int) -> Batch:
        present = await read_present(self._session, self.source, server, self._key_rules, window)
        remarks = present.remarks
        if not server.sees_all_activity:
            remarks.append(
                Remark(
                    self.source,
                    "rights",
                    f"{server.role} sees no times and statements of other users' sessions. "
                    f"GRANT pg_read_all_stats TO {server.role}.",
                )
            )
        if len(present.events) > rows:
            remarks.append(
                Remark(self.source, "cut", f"{len(present.events) - rows} present states left out")
            )
        return batch_of(self.source, present.events[:rows], BatchExtras(remarks=tuple(remarks)))

    def _with_undated(self, batch: Batch, reader: TableReader) -> Batch:
        if not reader.undated:
            return batch
        import polars as pl

        from timeline.columns import UNDATED_SCHEMA

        rows = [(self.source, *entry) for entry in reader.undated]
        return replace(batch, undated=pl.DataFrame(rows, schema=UNDATED_SCHEMA, orient="row"))


def _over_budget(label: str, budget: Budget) -> Gap:
    return Gap(0, 0, f"{label}: more than the {budget.rows} rows it may read", cut=True)
