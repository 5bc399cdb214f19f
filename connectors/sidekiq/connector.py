"""The Sidekiq connector: what waits, runs and comes due; failures on record; counts per minute.

Owns what may be claimed: Sidekiq keeps nothing of a job that succeeded, and nothing of one whose
process was killed. A job that is not here is not visible, never "did not run".
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, ClassVar

from connectors.contract import CheckReport
from connectors.discovery import Candidate
from connectors.discovery import Place as Surroundings
from connectors.queues.account import Account, Memory
from connectors.queues.present import QueueNow, as_of_now, depth_event
from connectors.queues.redis_source import RedisQueue, redis_candidates, replies
from connectors.redis_marks import read_marks
from connectors.sidekiq.history import days, deployments, minute_keys, minutes
from connectors.sidekiq.life import Found, JobLife, Place
from connectors.sidekiq.options import Names, SidekiqOptions
from connectors.sidekiq.processes import ENTRY_LIVES_S, lifetime, oddities
from connectors.sidekiq.reads import SETS, Installation, QueueState, SidekiqReads
from timeline.batch import Batch, Remark
from timeline.clean import clean
from timeline.event import Event
from timeline.keys import KeyRules, split_key
from timeline.problems import NothingHere
from timeline.window import Budget, Window

if TYPE_CHECKING:
    from pydantic import BaseModel

LOOKUP_JOBS = 2_000
"""Jobs of each queue and set that are searched for a key; Sidekiq has no index by job id."""
VARIABLES = ("SIDEKIQ_REDIS_URL", "REDIS_URL")
"""Where the URL may stand, beside the variable that REDIS_PROVIDER names (redis_connection.rb)."""
LOCAL_URL = "redis://localhost:6379/0"
"""Sidekiq's default."""
SET_WORDS = {Place.RETRY: "retry set", Place.SCHEDULE: "scheduled set", Place.DEAD: "dead set"}


@dataclass
class _Reading:
    """What one fetch or look-up has learnt so far."""

    account: Account
    here: Installation
    told: set[str] = field(default_factory=set)
    """References of the events told: a job that moves is met in two places."""
    unopened: set[str] = field(default_factory=set)
    undated: set[str] = field(default_factory=set)
    """Jobs without one stamp that could be read: they are counted, not placed."""


class SidekiqConnector(RedisQueue):
    """One Sidekiq installation on one Redis. See `connectors.contract.Connector`."""

    system: ClassVar[str] = "sidekiq"
    Options: ClassVar[type[BaseModel]] = SidekiqOptions

    def __init__(self, source: str, options: BaseModel, key_rules: KeyRules) -> None:
        super().__init__(source, options, key_rules)
        if not isinstance(options, SidekiqOptions):
            raise TypeError("SidekiqConnector needs SidekiqOptions")
        self._options = options
        self._names = Names(options.namespace)
        self._reads = SidekiqReads(self._redis, self._names, options.page_jobs)
        self._life = JobLife(
            source, key_rules, options.producer_clock, options.arguments, options.namespace
        )

    @staticmethod
    def candidates(place: Surroundings) -> Iterator[Candidate]:
        """Variables that Sidekiq reads; its configuration file is only taken as a hint."""
        pointed = place.variables.get("REDIS_PROVIDER", "")
        found = list(redis_candidates(place, "sidekiq", (*VARIABLES, pointed), {}))
        yield from found
        hint = place.folder / "config" / "sidekiq.yml"
        if not found and hint.is_file():
            options = {"url": LOCAL_URL}
            yield Candidate("sidekiq", "sidekiq", options, "config/sidekiq.yml", local=True)

    async def check(self) -> CheckReport:
        """Version, queues, processes, counts, clock, and what Sidekiq forgets."""
        server = await self._server()
        if not await self._reads.is_there():
            raise NothingHere(
                "There are no keys of Sidekiq",
                where=self._redis.where,
                remedy="Check the database number, and namespace if redis-namespace is used.",
            )
        now = (await self._opened(Budget(rows=0))).now
        here = await self._reads.present(self._options.queues, now)
        versions = sorted({process.version for process in here.processes} - {""})
        queues = ", ".join(clean(queue.name) for queue in here.queues)
        sets = ", ".join(f"{here.counts[place]} in the {SET_WORDS[place]}" for place in SETS)
        quiet = sum(process.quiet for process in here.processes)
        facts = [
            *server.facts,
            f"queues: {queues or 'none'}",
            f"{len(here.processes)} processes are registered ({quiet} quieted)",
            sets,
        ]
        minute = [("EXISTS", key) for key in minute_keys(self._names, now)]
        if any(await replies(self._redis, minute)):
            facts.append("counts per class and minute are kept for 8 hours")
        told = ", ".join(versions) or "of unknown version (it is told since 7.0)"
        return CheckReport(
            system=f"Sidekiq {told} on Redis {server.version}",
            facts=tuple(facts),
            cannot_see=(
                FORGETS,
                "a job whose process was killed: it is listed as running for up to "
                f"{ENTRY_LIVES_S} s after the last heartbeat, then it is not visible",
                "attempts between a job's first failure and its last",
            ),
            clock=await self.clock(),
            writes_refused=server.writes_refused,
            retention=KEEPS,
            rights=server.rights,
        )

    async def fetch(self, window: Window, budget: Budget) -> AsyncIterator[Batch]:
        """What waits, runs and comes due now; then counts; then what is on record of the window."""
        try:
            reading = await self._begin(budget)
            here, account = reading.here, reading.account
            present = self._present(reading, window)
            present += await read_marks(self._redis, self.source, window)
            yield self._told(present, account)
            yield self._told(self._running(reading, window), account)
            history = await minutes(self._redis, self._names, self.source, window, account.now)
            history += await deployments(self._redis, self._names, self.source, window)
            history += await days(self._redis, self._names, self.source, window, account.now)
            yield self._told(history, account)
            near = [found for due in here.due.values() for found in due]
            near += [Found(Place.QUEUE, job) for queue in here.queues for job in queue.next_up]
            yield self._told(self._inside(near, window, reading), account)
            async for found in self._recorded(window, reading):
                if events := self._inside(found, window, reading):
                    yield self._told(events, account)
            yield account.closing(window, _memory(account), tuple(self._remarks(reading)))
        except BaseException:
            await self._redis.close()
            raise

    async def lookup(
        self, keys: Sequence[str], span: Window, budget: Budget
    ) -> AsyncIterator[Batch]:
        """Jobs by id, or by a key among their arguments, wherever they are kept now."""
        try:
            wanted = {key for key in keys if split_key(key)[0] not in ("row", "")}
            if not wanted:
                return
            reading = await self._begin(budget)
            missing = set(wanted)
            async for page in self._everywhere(reading):
                carrying = []
                for found in page:
                    if hit := wanted.intersection(self._life.keys(found.job)):
                        missing -= hit
                        carrying += self._fresh(found, reading)
                if carrying:
                    yield self._told(carrying, reading.account)
            if missing:
                yield reading.account.not_found(sorted(missing), self._searched(reading))
        except BaseException:
            await self._redis.close()
            raise

    async def _begin(self, budget: Budget) -> _Reading:
        account = await self._opened(budget)
        return _Reading(account, await self._reads.present(self._options.queues, account.now))

    def _present(self, reading: _Reading, window: Window) -> list[Event]:
        """Depths as they are now; processes that started or fell silent in `window`."""
        here, now = reading.here, reading.account.now
        events = [depth_event(self.source, self._queue_now(q, here), now) for q in here.queues]
        events.append(depth_event(self.source, self._all_queues(here), now))
        for process in here.processes:
            told = lifetime(self.source, process, now)
            events += [event for event in told if window.contains(event.timestamp)]
        return events

    def _queue_now(self, queue: QueueState, here: Installation) -> QueueNow:
        running = [found for found in here.running if found.job.queue == queue.name]
        due = [found for due in here.due.values() for found in due if found.job.queue == queue.name]
        first = queue.next_up[0].stamps.get("enqueued_at") if queue.next_up else None
        return QueueNow(
            clean(queue.name),
            clean(self._names.queue(queue.name)),
            waiting=queue.depth,
            running=len(running),
            due=_due(due),
            overdue=[found.job.jid for found in running if found.orphaned],
            oldest=None if first is None else first.timestamp,
        )

    def _all_queues(self, here: Installation) -> QueueNow:
        """Retry, schedule and dead are sets of the installation, not of a queue."""
        return QueueNow(
            "all queues",
            clean(self._names.key("queues")),
            waiting=sum(queue.depth for queue in here.queues),
            running=len(here.running),
            scheduled=here.counts[Place.RETRY] + here.counts[Place.SCHEDULE],
            due=_due(found for due in here.due.values() for found in due),
            counts={place.value: here.counts[place] for place in SETS},
        )

    def _running(self, reading: _Reading, window: Window) -> list[Event]:
        """How each running job came to run, also where that began before the window."""
        events = []
        for found in reading.here.running:
            reaches_in = (found.at or 0) < window.end
            for event in self._fresh(found, reading):
                if window.contains(event.timestamp):
                    events.append(event)
                elif reaches_in:
                    events.append(as_of_now(event))
        return events

    async def _recorded(self, window: Window, reading: _Reading) -> AsyncIterator[list[Found]]:
        """The jobs that may have changed in the window, page by page."""
        limit, account = self._options.max_jobs, reading.account
        for queue in reading.here.queues:
            if queue.depth <= len(queue.next_up):
                continue  # read whole
            skip = 0
            if queue.depth > limit:
                skip = await self._reads.enqueued_after(queue, window.end)
                account.cut(
                    f"{clean(queue.name)}: {queue.depth} jobs wait; the {len(queue.next_up)} next "
                    f"ones and {limit} of those enqueued before the window's end were read"
                )
            async for page in self._reads.waiting(queue.name, limit, skip):
                if account.exhausted:
                    account.cut(f"{clean(queue.name)}: not all of its waiting jobs were read")
                    return
                yield page
        for place in SETS:
            if account.exhausted:
                account.cut(f"the {SET_WORDS[place]} was not read")
                continue
            found = await self._reads.scheduled_since(place, window.start, limit)
            if len(found) > limit:
                account.cut(f"the {SET_WORDS[place]} holds more than the {limit} that were read")
            queues = self._options.queues
            yield [one for one in found[:limit] if not queues or one.job.queue in queues]

    async def _everywhere(self, reading: _Reading) -> AsyncIterator[list[Found]]:
        """Running jobs, then the newest of each queue, then the sets."""
        here, account = reading.here, reading.account
        yield here.running
        yield [Found(Place.QUEUE, job) for queue in here.queues for job in queue.next_up]
        for queue in here.queues:
            async for page in self._reads.waiting(queue.name, LOOKUP_JOBS):
                if account.exhausted:
                    return
                yield page
        for place in SETS:
            if not account.exhausted:
                yield await self._reads.scheduled_since(place, 0, LOOKUP_JOBS)

    def _inside(self, jobs: Iterable[Found], window: Window, reading: _Reading) -> list[Event]:
        told = (event for found in jobs for event in self._fresh(found, reading))
        return [event for event in told if window.contains(event.timestamp)]

    def _fresh(self, found: Found, reading: _Reading) -> list[Event]:
        """The job's transitions that were not told yet."""
        if found.job.unopened:
            reading.unopened.add(found.job.jid)
        life = list(self._life.of(found))
        if not life and not found.job.unopened:
            reading.undated.add(found.job.jid)
        events = [event for event in life if event.ref not in reading.told]
        reading.told.update(event.ref for event in events)
        return events

    def _remarks(self, reading: _Reading) -> Iterator[Remark]:
        here = reading.here
        yield from oddities(self.source, here.processes, here.running, reading.account.now)
        if reading.unopened:
            count = len(reading.unopened)
            sentence = f"{count} jobs are no JSON objects, or too large: they were not opened"
            yield Remark(self.source, "opaque", sentence, count)
        if reading.undated:
            count = len(reading.undated)
            sentence = f"{count} jobs have no time that can be read: they are counted, not shown"
            yield Remark(self.source, "undated", sentence, count)

    def _searched(self, reading: _Reading) -> str:
        cut = "; not everything could be searched" if reading.account.exhausted else ""
        return (
            f"no such job among those running, the newest {LOOKUP_JOBS} of each queue, and the "
            f"first {LOOKUP_JOBS} each to retry, scheduled and dead{cut} ({FORGETS})"
        )


FORGETS = "Sidekiq keeps nothing of jobs that succeeded, and no start of any that ended"
KEEPS = (
    "successes: not at all",
    "dead jobs: 10,000 of them for 180 days by default (dead_max_jobs, dead_timeout_in_seconds)",
)
"""Defaults of sidekiq 7.0, lib/sidekiq/config.rb; Redis does not hold these settings."""


def _memory(account: Account) -> Memory:
    remedy = "A job that is not here may have succeeded, or been lost with its process."
    return Memory(account.now, FORGETS, remedy)


def _due(jobs: Iterable[Found]) -> list[tuple[str, int]]:
    return sorted(
        ((found.job.jid, found.at) for found in jobs if found.at is not None),
        key=lambda entry: entry[1],
    )
