"""The celery-sql connector: what waits, who took what and when, and how tasks ended.

Owns the order of reading and what may be claimed. A message's row stays when it is taken, but tells
neither when it was sent nor whether its task ran; an end is told by a result alone. A task that is
not here is "not visible", never "did not run". No queue library, and nothing of Celery's, is run.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator, Sequence
from typing import ClassVar

from pydantic import BaseModel  # noqa: TC002  # the class attribute names it at run time

from connectors.celery_sql.options import CELERY_SCHEME, CelerySqlOptions
from connectors.celery_sql.parts import Begun, Part, begin
from connectors.celery_sql.rows import MessageRows, ResultRows
from connectors.celery_sql.telling import cannot_see, depth_note, facts_of, memory, remarks
from connectors.clock_sampling import SAMPLES, reading_from
from connectors.contract import CheckReport
from connectors.discovery import Candidate, Place
from connectors.postgresql.catalog import read_server
from connectors.postgresql.places import SCHEME
from connectors.postgresql.rights import read_rights
from connectors.postgresql.session import Session
from connectors.queues.present import QueueNow, as_of_now, depth_event
from connectors.sqlqueue.jobs import Row, undated
from connectors.sqlqueue.reading import NEWEST_JOBS
from connectors.sqlqueue.statements import DEPTH_JOBS
from timeline.batch import Batch
from timeline.clock import ClockReading
from timeline.event import Event, Lane
from timeline.keys import KeyRules, split_key
from timeline.window import Budget, Window

END_MESSAGES = 100
"""Waiting messages read from either end of the table: the oldest runs next."""
VARIABLES = ("CELERY_BROKER_URL", "CELERY_RESULT_BACKEND", "DATABASE_URL")
"""Broker and results as Celery's documentation names them; Django's results are in its database."""


class CelerySqlConnector:
    """Celery's tables in one database. See `connectors.contract.Connector`."""

    system: ClassVar[str] = "celery-sql"
    lane: ClassVar[Lane] = Lane.QUEUE
    Options: ClassVar[type[BaseModel]] = CelerySqlOptions

    def __init__(self, source: str, options: BaseModel, key_rules: KeyRules) -> None:
        if not isinstance(options, CelerySqlOptions):
            raise TypeError("CelerySqlConnector needs CelerySqlOptions")
        self.source = source
        self._options = options
        self._key_rules = key_rules
        self._session = Session(options.session_options())

    def __repr__(self) -> str:
        return f"CelerySqlConnector({self.source!r}, {self._session!r})"

    @staticmethod
    def candidates(place: Place) -> Iterator[Candidate]:
        """PostgreSQL databases that Celery's variables name; what is in them, `check` finds."""
        seen: set[str] = set()
        for variable in VARIABLES:
            url = CELERY_SCHEME.sub("", place.variables.get(variable, ""), count=1)
            if SCHEME.match(url) and url not in seen:
                seen.add(url)
                options = {"dsn": f"${{{variable}}}"}
                yield Candidate("celery-sql", "celery", options, f"the variable {variable}")

    async def check(self) -> CheckReport:
        """Which of Celery's tables are here, depths, rights, clock, and what is forgotten."""
        server = await read_server(self._session)
        begun = await self._begun(Budget())
        rights = await read_rights(self._session)
        facts = [f"connected as {server.role} to {self._session.where}", *await facts_of(begun)]
        told = await remarks(self.source, begun, self._options)
        return CheckReport(
            system=f"Celery on PostgreSQL {server.version} ({server.endpoint})",
            facts=(*facts, *(remark.sentence for remark in told), *rights.sentences()),
            cannot_see=cannot_see(begun),
            clock=await self.clock(),
            writes_refused=not rights.can_write,
        )

    async def fetch(self, window: Window, budget: Budget) -> AsyncIterator[Batch]:
        """What waits and runs now; then messages taken and results written inside `window`."""
        try:
            begun = await self._begun(budget)
            account = begun.account
            waiting = await self._waiting(begun)
            yield account.batch(await self._depths(begun, waiting))
            yield account.batch(await self._present(begun, waiting, window))
            tasks = dict.fromkeys(self._tasks(begun, waiting), "")
            async for events, named in self._taken(begun, window):
                tasks |= named
                yield account.batch(events)
            yield account.batch(await self._undated(begun, tasks))
            async for events in self._ended(begun, window):
                yield account.batch(events)
            told = await remarks(self.source, begun, self._options)
            yield account.closing(window, await memory(begun), told)
        except (asyncio.CancelledError, GeneratorExit):
            self._session.drop()
            raise

    async def lookup(
        self, keys: Sequence[str], span: Window, budget: Budget
    ) -> AsyncIterator[Batch]:
        """Results by task id; by any key, the newest rows and those of `span`."""
        try:
            wanted = {key for key in keys if split_key(key)[0] not in ("row", "")}
            if not wanted:
                return
            begun = await self._begun(budget)
            missing = set(wanted)
            async for events in self._carrying(begun, wanted, missing, span):
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

    async def _begun(self, budget: Budget) -> Begun:
        server = await read_server(self._session)
        return await begin(
            self._session, server, self.source, self._options, self._key_rules, budget
        )

    async def _waiting(self, begun: Begun) -> list[Row]:
        if begun.messages is None:
            return []
        return await begun.messages.reading.waiting(END_MESSAGES)

    async def _depths(self, begun: Begun, rows: Sequence[Row]) -> list[Event]:
        """Waiting messages of each queue, and the tasks that results call started."""
        if begun.messages is None:
            return []
        label, now = begun.messages.here.jobs.label, begun.server.now
        due = _due(begun.messages.rows, rows, now)
        started: dict[str, int] = {}
        for part in begun.results:
            for queue, _, running, *_ in await part.reading.depths():
                started[str(queue or "")] = started.get(str(queue or ""), 0) + _whole(running)
        events = []
        depths = await begun.messages.reading.depths()
        total = sum(_whole(row[1]) for row in depths)
        if total > DEPTH_JOBS:
            begun.account.cut(f"more than {DEPTH_JOBS} messages wait: the depths are at least so")
        if total > len(rows):
            begun.account.cut(
                f"{total} messages wait; {len(rows)} from both ends of {label} were read"
            )
        waiting = {str(queue or "?"): _whole(count) for queue, count, *_ in depths}
        for queue in sorted({*waiting, *(name for name in started if name)}):
            state = QueueNow(
                queue,
                f"{label}:{queue}",
                waiting=waiting.get(queue, 0),
                running=started.get(queue, 0),
                due=due.get(queue, ()),
                note=depth_note(started),
            )
            events.append(depth_event(self.source, state, now))
        return events

    async def _present(self, begun: Begun, waiting: Sequence[Row], window: Window) -> list[Event]:
        """Messages that wait, and results that say started, also where that was long ago."""
        events: list[Event] = []
        now = begun.server.now
        for part in begun.results:
            for event in part.fresh(await part.reading.running(), now):
                if window.contains(event.timestamp) or event.timestamp == now:
                    events.append(event)
                elif event.timestamp < window.start:
                    events.append(as_of_now(event))
        if begun.messages is not None:
            events += begun.messages.fresh(waiting, now)
        return events

    async def _taken(
        self, begun: Begun, window: Window
    ) -> AsyncIterator[tuple[list[Event], dict[str, str]]]:
        """Pages of messages that were taken in `window`, with their tasks' ids and names."""
        if begun.messages is None:
            return
        async for rows in begun.messages.reading.touched(window, self._options.page_jobs):
            events = begun.messages.fresh(rows, begun.server.now)
            yield [e for e in events if window.contains(e.timestamp)], self._tasks(begun, rows)

    async def _undated(self, begun: Begun, tasks: dict[str, str]) -> list[Event]:
        """States without a time of the tasks whose messages were read; notes who has no result."""
        events, known = list[Event](), set[str]()
        ids, page = list(tasks), self._options.page_jobs
        for part in begun.results:
            system = part.here.system
            for start in range(0, len(ids), page):
                rows = await part.reading.by_ids(ids[start : start + page])
                known.update(row.job for row in rows)
                open_ended = [row for row in rows if undated(system.jobs, row)]
                events += part.fresh(open_ended, begun.server.now)
        begun.resultless = {
            task: name for task, name in tasks.items() if task not in known and name
        }
        return events

    async def _ended(self, begun: Begun, window: Window) -> AsyncIterator[list[Event]]:
        for part in begun.results:
            async for rows in part.reading.touched(window, self._options.page_jobs):
                events = part.fresh(rows, begun.server.now)
                if inside := [event for event in events if window.contains(event.timestamp)]:
                    yield inside

    async def _carrying(
        self, begun: Begun, wanted: set[str], missing: set[str], span: Window
    ) -> AsyncIterator[list[Event]]:
        """Pages of events of rows with a wanted key; what was found leaves `missing`."""
        ids = [value for kind, value in map(split_key, sorted(wanted)) if kind == "job"]
        for part in begun.parts:
            async for rows in _everywhere(begun, part, ids, len(ids) < len(wanted), span):
                carrying = []
                for row in rows:
                    if hit := wanted.intersection(part.rows.keys(row)):
                        missing -= hit
                        carrying.append(row)
                if events := part.fresh(carrying, begun.server.now):
                    yield events

    def _tasks(self, begun: Begun, rows: Sequence[Row]) -> dict[str, str]:
        """Ids of messages' tasks, to names where a result could be there by now.

        Rows that hold no message are noted as damaged.
        """
        tasks: dict[str, str] = {}
        for row in rows:
            message = begun.messages.rows.message(row) if begun.messages else None
            if message is None:
                begun.damaged.add(row.id)
            elif message.id:
                waits = message.eta is not None and message.eta > begun.server.now
                tasks[message.id] = "" if waits else message.task or "a task"
        return tasks


def _due(rows: MessageRows, waiting: Sequence[Row], now: int) -> dict[str, list[tuple[str, int]]]:
    """Task and eta (ns UTC) of waiting messages by queue, the soonest first."""
    found: dict[str, list[tuple[str, int]]] = {}
    for row in waiting:
        message = rows.message(row)
        if message is not None and message.eta is not None and message.eta > now:
            found.setdefault(row.text("queue"), []).append((message.id, message.eta))
    return {queue: sorted(tasks, key=lambda one: one[1]) for queue, tasks in found.items()}


async def _everywhere(
    begun: Begun,
    part: Part[MessageRows] | Part[ResultRows],
    ids: Sequence[str],
    by_key: bool,
    span: Window,
) -> AsyncIterator[list[Row]]:
    """Results by their tasks' ids; messages and other keys as far as rows are searched."""
    has_index = part is not begun.messages
    if ids and has_index:
        yield await part.reading.by_ids(ids)
    if has_index and not by_key:
        return
    yield await part.reading.newest()
    async for rows in part.reading.touched(span, NEWEST_JOBS):
        yield rows


def _searched(begun: Begun) -> str:
    cut = "; not everything could be searched" if begun.account.cuts else ""
    labels = ", ".join(part.here.jobs.label for part in begun.parts)
    return (
        f"neither a result of this id nor, among the {NEWEST_JOBS} newest rows and those of this "
        f"stretch, a message or arguments that name it, in {labels}{cut}"
    )


def _whole(cell: object) -> int:
    return cell if isinstance(cell, int) else 0
