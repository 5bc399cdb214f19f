"""One connector for every job queue that keeps its jobs in PostgreSQL tables.

A system is a description (`connectors.sqlqueue.shape`) and a class of three lines. Owns the order
of reading (the perishable first) and what may be claimed: a job that has no row is not visible,
never "did not run".
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator, Sequence
from dataclasses import dataclass, field
from typing import ClassVar

from pydantic import BaseModel  # noqa: TC002  # the class attribute names it at run time

from connectors.clock_sampling import SAMPLES, reading_from
from connectors.contract import CheckReport
from connectors.discovery import Candidate
from connectors.discovery import Place as Surroundings
from connectors.postgresql.catalog import read_server
from connectors.postgresql.places import SCHEME
from connectors.postgresql.rights import read_rights
from connectors.postgresql.session import Session
from connectors.postgresql.tables import Server
from connectors.queues.account import Account
from connectors.queues.present import QueueNow, as_of_now, depth_event
from connectors.queues.transitions import iso
from connectors.sqlqueue.jobs import JobLife, Row, undated
from connectors.sqlqueue.memory import kept_words, memory_of
from connectors.sqlqueue.options import SqlQueueOptions
from connectors.sqlqueue.places import Here, locate
from connectors.sqlqueue.reading import NEWEST_JOBS, Reading
from connectors.sqlqueue.shape import System
from connectors.sqlqueue.statements import DEPTH_JOBS
from timeline.batch import Batch, Remark
from timeline.clock import ClockReading
from timeline.event import Event, Lane
from timeline.keys import KeyRules, split_key
from timeline.window import SECOND_NS, Budget, Window

AHEAD_NS = 60 * SECOND_NS
"""A stamp without a zone that lies further ahead of the server's clock was not written in UTC."""
NAMED = 10
"""Jobs named one by one in a sentence."""


@dataclass
class _Begun:
    """What one fetch or look-up knows of its system."""

    here: Here
    server: Server
    account: Account
    reading: Reading
    life: JobLife
    told: set[str] = field(default_factory=set)
    """References of the events told: a job is met by several of its stamps."""
    unopened: set[str] = field(default_factory=set)
    undated: set[str] = field(default_factory=set)


class SqlQueueConnector:
    """One queue system in one database. Subclasses give `description`."""

    system: ClassVar[str] = ""
    lane: ClassVar[Lane] = Lane.QUEUE
    Options: ClassVar[type[BaseModel]] = SqlQueueOptions
    description: ClassVar[System]

    def __init__(self, source: str, options: BaseModel, key_rules: KeyRules) -> None:
        if not isinstance(options, SqlQueueOptions):
            raise TypeError(f"{type(self).__name__} needs SqlQueueOptions")
        self.source = source
        self._options = options
        self._key_rules = key_rules
        self._session = Session(options.session_options())

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.source!r}, {self._session!r})"

    @classmethod
    def candidates(cls, place: Surroundings) -> Iterator[Candidate]:
        """PostgreSQL databases that variables name; whether the queue is there, `check` finds."""
        for variable in cls.description.variables:
            if SCHEME.match(place.variables.get(variable, "")):
                options = {"dsn": f"${{{variable}}}"}
                yield Candidate(cls.system, cls.system, options, f"the variable {variable}")

    async def check(self) -> CheckReport:
        """Version, tables and their sizes, depths, rights, clock, and what this queue forgets."""
        server = await read_server(self._session)
        begun = await self._begun(server, Budget())
        here, reading = begun.here, begun.reading
        rights = await read_rights(self._session)
        version = await self._version(here)
        depths = await reading.depths()
        queues = ", ".join(f"{queue} ({_whole(waiting)} waiting)" for queue, waiting, *_ in depths)
        size = "of unknown size" if here.jobs.bytes is None else f"{here.jobs.bytes // 1024} KiB"
        facts = [
            f"connected as {server.role} to {self._session.where}",
            f"jobs are read from {here.jobs.label} ({size})",
            f"queues with live jobs: {queues or 'none'}",
            kept_words(here, memory_of(here, server, await reading.oldest_finished())),
            *here.unreadable,
            *begun.account.cuts,
            *(remark.sentence for remark in await self._zone_remarks(begun)),
            *rights.sentences(),
        ]
        named = f"{here.system.product}{f' (schema {version})' if version else ''}"
        return CheckReport(
            system=f"{named} on PostgreSQL {server.version} ({server.endpoint})",
            facts=tuple(facts),
            cannot_see=(f"{here.system.product} {here.system.forgets}", *here.system.cannot_see),
            clock=await self.clock(),
            writes_refused=not rights.can_write,
        )

    async def fetch(self, window: Window, budget: Budget) -> AsyncIterator[Batch]:
        """Depths, what comes due and what runs now; then the jobs whose stamps lie in `window`."""
        try:
            server = await read_server(self._session)
            begun = await self._begun(server, budget)
            account, reading = begun.account, begun.reading
            running = await reading.running()
            yield account.batch(await self._present(begun, running))
            yield account.batch(await self._running(begun, running, window))
            async for rows in reading.touched(window, self._options.page_jobs):
                events = await self._events(begun, rows)
                inside = [event for event in events if window.contains(event.timestamp)]
                for event in inside:
                    begun.told.add(event.ref)
                if inside:
                    yield account.batch(inside)
            remarks = [*self._remarks(begun, running), *await self._zone_remarks(begun)]
            memory = memory_of(begun.here, server, await reading.oldest_finished())
            yield account.closing(window, memory, remarks)
        except (asyncio.CancelledError, GeneratorExit):
            self._session.drop()
            raise

    async def lookup(
        self, keys: Sequence[str], span: Window, budget: Budget
    ) -> AsyncIterator[Batch]:
        """Jobs by id; by a key among their arguments, the newest jobs and those of `span`."""
        try:
            wanted = {key for key in keys if split_key(key)[0] not in ("row", "")}
            if not wanted:
                return
            begun = await self._begun(await read_server(self._session), budget)
            missing = set(wanted)
            async for rows in self._everywhere(begun, wanted, span):
                carrying = []
                for row in rows:
                    if hit := wanted.intersection(begun.life.keys(row)):
                        missing -= hit
                        carrying.append(row)
                events = await self._events(begun, carrying)
                for event in events:
                    begun.told.add(event.ref)
                if events:
                    yield begun.account.batch(events)
            if missing:
                yield begun.account.not_found(sorted(missing), _searched(begun))
        except (asyncio.CancelledError, GeneratorExit):
            self._session.drop()
            raise

    async def clock(self) -> ClockReading | None:
        """The server's clock against ours: the best of nine readings on a warm connection."""
        return reading_from(self.source, await self._session.sample_clock(SAMPLES))

    async def close(self) -> None:
        """End the connection. Safe to call twice."""
        await self._session.close()

    async def _begun(self, server: Server, budget: Budget) -> _Begun:
        options, system = self._options, self.description
        here = await locate(self._session, system, options.schema_name)
        account = Account.opened(self.source, server.now, budget)
        reading = Reading(self._session, here, options.zone, account, options.max_jobs)
        await reading.learn_queues()
        history = system.history.tables[0].name if system.history else ""
        past = here.places.get(history, here.jobs)
        life = JobLife(
            self.source, system, here.jobs.label, past.label, self._key_rules, options.arguments
        )
        return _Begun(here, server, account, reading, life)

    async def _version(self, here: Here) -> str:
        place = here.places.get(here.system.version_table)
        column = here.system.version_column
        if place is None or column not in place.columns:
            return ""
        from psycopg import sql

        statement = sql.SQL("SELECT t.{}::text FROM {} AS t ORDER BY t.{} DESC LIMIT 1").format(
            sql.Identifier(column), sql.Identifier(place.schema, place.name), sql.Identifier(column)
        )
        rows = await self._session.read(statement)
        return str(rows[0][0]) if rows else ""

    async def _present(self, begun: _Begun, running: Sequence[Row]) -> list[Event]:
        """Depth, running and coming due of each queue with live jobs."""
        now, due = begun.server.now, dict[str, list[tuple[str, int]]]()
        for job, queue, microseconds in await begun.reading.coming_due():
            due.setdefault(str(queue), []).append((str(job), _whole(microseconds) * 1_000))
        events = []
        depths = await begun.reading.depths()
        if sum(_whole(cell) for row in depths for cell in row[1:4]) > DEPTH_JOBS:
            begun.account.cut(f"more than {DEPTH_JOBS} jobs are live: the depths are at least so")
        for queue, waiting, runs, later, oldest in depths:
            name = str(queue)
            overdue = [row.job for row in running if row.lost and row.text("queue") == name]
            state = QueueNow(
                name,
                f"{begun.here.jobs.label}:{name}",
                waiting=_whole(waiting),
                running=_whole(runs),
                scheduled=_whole(later),
                due=due.get(name, ()),
                overdue=overdue,
                oldest=None if oldest is None else _whole(oldest) * 1_000,
            )
            events.append(depth_event(self.source, state, now))
        return events

    async def _running(self, begun: _Begun, rows: Sequence[Row], window: Window) -> list[Event]:
        """How each running job came to run, also where that began before the window."""
        events = []
        for event in await self._events(begun, rows):
            if window.contains(event.timestamp):
                events.append(event)
                begun.told.add(event.ref)
            elif event.timestamp < window.start:
                events.append(as_of_now(event))
                begun.told.add(event.ref)
        return events

    async def _events(self, begun: _Begun, rows: Sequence[Row]) -> list[Event]:
        """The transitions of these jobs that were not told yet."""
        past = await begun.reading.past(rows)
        events: dict[str, Event] = {}
        for row in rows:
            history = past.get(row.id, [])
            told = list(begun.life.of(row, history, begun.server.now))
            if not told and undated(self.description.jobs, row):
                begun.undated.add(row.id)
            facts = begun.life.facts(row)
            if "payload" in facts.details:
                begun.unopened.add(row.id)
            events.update((event.ref, event) for event in told if event.ref not in begun.told)
        return list(events.values())

    async def _everywhere(
        self, begun: _Begun, keys: set[str], span: Window
    ) -> AsyncIterator[list[Row]]:
        reading = begun.reading
        ids = [value for kind, value in map(split_key, keys) if kind == "job"]
        if ids:
            yield await reading.by_ids(ids)
        if len(ids) == len(keys) and self.description.jobs.other_id == "NULL":
            return
        yield await reading.newest()
        async for rows in reading.touched(span, self._options.page_jobs):
            yield rows

    def _remarks(self, begun: _Begun, running: Sequence[Row]) -> Iterator[Remark]:
        lost = [row for row in running if row.lost]
        if lost:
            titles = ", ".join(begun.life.facts(row).title for row in lost[:NAMED])
            yield Remark(
                self.source,
                "orphaned",
                f"{len(lost)} jobs are on record as running, but {self.description.lost_means}: "
                f"{titles}. Each was lost, is stuck, or ended without being able to say so.",
                len(lost),
            )
        for reason in begun.here.unreadable:
            yield Remark(self.source, "rights", f"not read, so its columns are unknown: {reason}")
        if begun.unopened:
            count = len(begun.unopened)
            sentence = f"{count} jobs' arguments are no JSON, or too large: they were not opened"
            yield Remark(self.source, "opaque", sentence, count)
        if begun.undated:
            count = len(begun.undated)
            sentence = f"{count} jobs have no time that can be read: they are counted, not shown"
            yield Remark(self.source, "undated", sentence, count)

    async def _zone_remarks(self, begun: _Begun) -> list[Remark]:
        """Which stamps carry no zone, how they were read, and whether that can be right."""
        jobs, records = begun.reading.jobs, self.description.jobs
        zoneless = [
            name for name, sql in records.columns.items() if jobs.has(sql) and jobs.is_zoneless(sql)
        ]
        if not zoneless:
            return []
        remarks = []
        if not self._options.zone:
            sentence = (
                f"{', '.join(zoneless)}: no time zone; read as UTC. Set zone if they are not."
            )
            remarks.append(Remark(self.source, "zone-assumed", sentence, len(zoneless)))
        now = begun.server.now
        for search in records.searches:
            if not search.inserted or search.name not in zoneless:
                continue
            newest = await begun.reading.latest(search)
            if newest is not None and newest - now > AHEAD_NS:
                sentence = (
                    f"the newest {search.name} is {(newest - now) / SECOND_NS:.0f} s ahead of the "
                    f"server's clock ({iso(now)}): these stamps are not in "
                    f"{self._options.zone or 'UTC'}, or the application's clock is wrong"
                )
                remarks.append(Remark(self.source, "clock", sentence))
        return remarks


def _searched(begun: _Begun) -> str:
    cut = "; not everything could be searched" if begun.account.cuts else ""
    return (
        f"no such job in {begun.here.jobs.label} by its id, nor by arguments among the "
        f"{NEWEST_JOBS} newest and those of this stretch{cut} "
        f"({begun.here.system.product} {begun.here.system.forgets})"
    )


def _whole(cell: object) -> int:
    return cell if isinstance(cell, int) else 0
