"""The PostgreSQL connector: what is open now, rows around T, rows by key, the clock, the rights.

Read-only by construction: every statement comes from this package's constants and builders and
runs inside `BEGIN READ ONLY`. Owns the order of reading (the perishable first) and the honesty
about it: what the server shows is its present state, so a deleted row cannot be missed, only lost.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, replace
from typing import ClassVar

from pydantic import BaseModel  # noqa: TC002  # the class attribute names it at run time

from connectors.clock_sampling import SAMPLES, reading_from
from connectors.contract import CheckReport
from connectors.postgresql.activity import read_activity
from connectors.postgresql.catalog import read_catalog, read_server
from connectors.postgresql.options import PostgreSQLOptions
from connectors.postgresql.reader import Gap, TableReader
from connectors.postgresql.rows import RowEvents
from connectors.postgresql.session import Session
from connectors.postgresql.statements import Statements, iso
from connectors.postgresql.tables import Catalog, Server
from timeline.batch import Batch, BatchExtras, Remark, batch_of
from timeline.clock import ClockReading
from timeline.coverage import Coverage, Sight
from timeline.event import Event, Kind, Lane, Precision, intrinsic_seq
from timeline.keys import KeyRules
from timeline.problems import SourceProblem, Unreachable
from timeline.window import Budget, Window

READING_SHARE = 0.8
"""Of the time it may take; the rest is for the last page and for saying what was not read."""
NOT_KEPT = "shows rows as they are now: deleted rows and overwritten values are gone"


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

    async def check(self) -> CheckReport:
        """Version, primary or replica, rights (could the role write?), clock, blind spots."""
        known = await self._learn()
        server, tables = known.server, known.catalog.tables
        writable = [table.label for table in tables if table.writable]
        named = ", ".join(table.label for table in tables) or "none"
        facts = [
            f"connected as {server.role} to {self._session.where}",
            f"rows are read from: {named}",
            "commit times are recorded (track_commit_timestamp is on)"
            if server.tracks_commits
            else "commit times are not recorded (track_commit_timestamp is off)",
            f"the role could write to {', '.join(writable)}; halfawake never does"
            if writable
            else "the role cannot write to any of these tables",
        ]
        return CheckReport(
            system=f"PostgreSQL {server.version} ({server.endpoint})",
            facts=tuple(facts),
            cannot_see=tuple(_cannot_see(known)),
            clock=await self.clock(),
            writes_refused=not writable if tables else None,
        )

    async def fetch(self, window: Window, budget: Budget) -> AsyncIterator[Batch]:
        """Open transactions and lock waits now, then the rows whose stamps lie in `window`."""
        deadline = time.monotonic() + budget.seconds * READING_SHARE
        try:
            server = await read_server(self._session)
            present = await self._perishable(server, window, budget.rows)
            remaining = budget.rows - present.events.height
            yield present
            known = await self._learn(server)
            tables = known.catalog.tables
            gaps: list[Gap] = []
            for place in range(len(tables)):
                reader = self._reader(known, place)
                share = -(-remaining // (len(tables) - place))
                async for events in reader.around(window, share, deadline):
                    remaining -= len(events)
                    yield batch_of(self.source, events)
                gaps += reader.gaps
                if reader.undated:
                    yield self._with_undated(batch_of(self.source, ()), reader)
            yield self._account(known, window, gaps)
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
            for place in range(len(known.catalog.tables)):
                reader = self._reader(known, place)
                if time.monotonic() > deadline:
                    late = Gap(
                        0, 0, f"{reader.table.label}: not searched, the time was up", cut=True
                    )
                    yield batch_of(self.source, (), self._lookup_extras([late]))
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
                    reader.gaps.append(_over_budget(reader, budget))
                if kept or reader.gaps or reader.undated:
                    batch = batch_of(self.source, kept, self._lookup_extras(reader.gaps))
                    yield self._with_undated(batch, reader)
            missing = [key for key, found in answered.items() if not found]
            if missing:
                yield self._not_found(known.server, missing)
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

    def _reader(self, known: _Known, place: int) -> TableReader:
        table = known.catalog.tables[place]
        return TableReader(
            self._session,
            Statements(table, self._options.zone, commit_times=known.server.tracks_commits),
            RowEvents(self.source, table, known.server, self._key_rules),
            self._options.page_rows,
        )

    async def _perishable(self, server: Server, window: Window, rows: int) -> Batch:
        events = await read_activity(self._session, self.source, self._key_rules)
        events += [event for event in self._marks(server) if window.contains(event.timestamp)]
        remarks = []
        if not server.sees_all_activity:
            remarks.append(
                Remark(
                    self.source,
                    "rights",
                    f"{server.role} sees no times and statements of other users' sessions. "
                    f"GRANT pg_read_all_stats TO {server.role}.",
                )
            )
        return batch_of(self.source, events[:rows], BatchExtras(remarks=tuple(remarks)))

    def _marks(self, server: Server) -> list[Event]:
        """Restart and reload: cheap marks on the timeline."""
        return [
            Event(
                timestamp=stamp,
                source=self.source,
                lane=Lane.DATABASE,
                kind=Kind.CHANGE,
                body=words,
                ref=ref,
                seq=intrinsic_seq(ref),
                actor=self.source,
                precision=Precision.MICROSECOND,
            )
            for stamp, words, ref in (
                (server.started_at, "PostgreSQL started", f"postmaster@{server.started_at}"),
                (
                    server.configured_at,
                    "PostgreSQL read its configuration",
                    f"configuration@{server.configured_at}",
                ),
            )
        ]

    def _account(self, known: _Known, window: Window, gaps: list[Gap]) -> Batch:
        """The closing batch: what was covered, what was not, and what was assumed."""
        coverage = [self._sight(known, window)]
        coverage += [self._coverage(gap) for gap in gaps]
        coverage += self._replication(known.server, window)
        for table in known.catalog.unreadable:
            coverage.append(
                Coverage(
                    self.source, window.start, window.end, Sight.PARTIAL, table.reason, table.remedy
                )
            )
        remarks = [Remark(self.source, "cut", gap.reason) for gap in gaps if gap.cut]
        remarks += self._assumptions(known)
        return batch_of(
            self.source, (), BatchExtras(coverage=tuple(coverage), remarks=tuple(remarks))
        )

    def _sight(self, known: _Known, window: Window) -> Coverage:
        """Full only when nothing can have been deleted: a primary that counted no deletion."""
        server, tables = known.server, known.catalog.tables
        counted = server.stats_since is None or server.stats_since < window.start
        kept = all(table.deleted_rows == 0 and not table.row_security for table in tables)
        if tables and kept and counted and not server.replica:
            return Coverage(
                self.source,
                window.start,
                window.end,
                Sight.FULL,
                "no deletion was ever counted in the tables that were read",
            )
        return Coverage(self.source, window.start, window.end, Sight.NOW_ONLY, NOT_KEPT)

    def _replication(self, server: Server, window: Window) -> list[Coverage]:
        if not server.replica or server.caught_up:
            return []
        if server.replayed_until is None:
            reached, reason = window.start, "this replica has replayed nothing since it started"
        else:
            reached = max(server.replayed_until, window.start)
            reason = f"this replica has replayed up to {iso(server.replayed_until // 1_000)}"
        if reached >= window.end:
            return []
        remedy = "Ask the primary for later rows."
        return [Coverage(self.source, reached, window.end, Sight.PARTIAL, reason, remedy)]

    def _coverage(self, gap: Gap) -> Coverage:
        return Coverage(self.source, gap.start, gap.end, Sight.PARTIAL, gap.reason, gap.remedy)

    def _lookup_extras(self, gaps: Sequence[Gap]) -> BatchExtras:
        now = time.time_ns()
        return BatchExtras(
            coverage=tuple(
                Coverage(self.source, now, now + 1, Sight.PARTIAL, gap.reason, gap.remedy)
                for gap in gaps
            ),
            remarks=tuple(Remark(self.source, "cut", gap.reason) for gap in gaps if gap.cut),
        )

    def _with_undated(self, batch: Batch, reader: TableReader) -> Batch:
        if not reader.undated:
            return batch
        import polars as pl

        from timeline.columns import UNDATED_SCHEMA

        rows = [(self.source, *entry) for entry in reader.undated]
        return replace(batch, undated=pl.DataFrame(rows, schema=UNDATED_SCHEMA, orient="row"))

    def _not_found(self, server: Server, missing: list[str]) -> Batch:
        """Looked for and not there, with the instant of looking."""
        now = time.time_ns()
        keys = ", ".join(sorted(missing)[:10])
        sentence = f"{keys}: no such row on the {server.endpoint} at {iso(now // 1_000)}"
        return batch_of(
            self.source,
            (),
            BatchExtras(
                coverage=(Coverage(self.source, now, now + 1, Sight.NOW_ONLY, sentence),),
                remarks=(Remark(self.source, "not-found", sentence, len(missing)),),
            ),
        )

    def _assumptions(self, known: _Known) -> list[Remark]:
        remarks = []
        zoneless = [
            f"{table.label}.{column.name}"
            for table in known.catalog.tables
            for column in table.times
            if not column.has_zone
        ]
        if zoneless and not self._options.zone:
            remarks.append(
                Remark(
                    self.source,
                    "zone-assumed",
                    f"{', '.join(zoneless)}: no time zone; read as UTC. Set zone if they are not.",
                    len(zoneless),
                )
            )
        if known.server.replica:
            remarks.append(
                Remark(self.source, "replica", "Read from a replica: it may lag the primary.")
            )
        if known.catalog.left_out:
            remarks.append(
                Remark(
                    self.source,
                    "cut",
                    f"{known.catalog.left_out} more tables have a creation stamp and were not "
                    "read. Name the ones that matter in tables.",
                    known.catalog.left_out,
                )
            )
        return remarks


def _over_budget(reader: TableReader, budget: Budget) -> Gap:
    return Gap(
        0, 0, f"{reader.table.label}: more than the {budget.rows} rows it may read", cut=True
    )


def _cannot_see(known: _Known) -> list[str]:
    server = known.server
    words = [NOT_KEPT]
    if not server.tracks_commits:
        words.append("when a row became visible: only the start of its transaction is stored")
    if not server.sees_all_activity:
        words.append(f"other users' statements (GRANT pg_read_all_stats TO {server.role})")
    if server.replica:
        words.append("what the primary has not yet sent")
    words += [f"{table.reason} ({table.remedy})" for table in known.catalog.unreadable]
    words += [
        f"rows of {table.label} that row security hides from {server.role}"
        for table in known.catalog.tables
        if table.row_security
    ]
    return words
