"""The Resque connector: what waits, runs and comes due now, and the failures around T.

Owns what may be claimed: Resque keeps no job that succeeded, and neither id nor time of one that
waits. A job that is not here is not visible, never "did not run".
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, ClassVar

from connectors.contract import CheckReport
from connectors.discovery import Candidate, Place
from connectors.queues.account import Account, Memory
from connectors.queues.present import QueueNow, as_of_now, depth_event
from connectors.queues.redis_source import RedisQueue, redis_candidates
from connectors.queues.transitions import iso
from connectors.redis_marks import read_marks
from connectors.resque.life import ResqueLife
from connectors.resque.options import Names, ResqueOptions
from connectors.resque.reads import Installation, QueueState, ResqueReads
from connectors.resque.records import Failure, Job
from connectors.resque.workers import oddities, silent_after
from timeline.batch import Batch, Remark
from timeline.clean import clean
from timeline.event import Event
from timeline.keys import KeyRules, split_key
from timeline.problems import NothingHere
from timeline.window import MINUTE_NS, SECOND_NS, Budget, Window

if TYPE_CHECKING:
    from pydantic import BaseModel

LOOKUP_JOBS = 2_000
"""Newest failures and waiting jobs of each list that are searched for a key."""
CLOCK_SLACK_NS = 5 * MINUTE_NS
"""Workers' clocks may differ by this much before an older failure is missed: a failed list is in
the order of arrival, its stamps are the workers'."""
VARIABLES = ("RESQUE_REDIS_URL", "REDIS_URL")
FORGETS = "Resque keeps nothing of jobs that succeeded, and no start of any that ended"


@dataclass
class _Reading:
    """What one fetch or look-up has learnt so far."""

    account: Account
    here: Installation
    unopened: int = 0
    undated: list[str] = field(default_factory=list)
    """Stamps of failures whose zone is not known."""
    copies: dict[str, int] = field(default_factory=dict)
    """How often a record equal to the letter was met."""


class ResqueConnector(RedisQueue):
    """One Resque installation on one Redis. See `connectors.contract.Connector`."""

    system: ClassVar[str] = "resque"
    Options: ClassVar[type[BaseModel]] = ResqueOptions

    def __init__(self, source: str, options: BaseModel, key_rules: KeyRules) -> None:
        super().__init__(source, options, key_rules)
        if not isinstance(options, ResqueOptions):
            raise TypeError("ResqueConnector needs ResqueOptions")
        self._options = options
        self._names = Names(options.namespace)
        self._reads = ResqueReads(self._redis, self._names, options.zone, options.page_jobs)
        self._life = ResqueLife(
            source, options.namespace, key_rules, options.producer_clock, options.arguments
        )

    @staticmethod
    def candidates(place: Place) -> Iterator[Candidate]:
        """Variables that hold the URL of a Redis."""
        yield from redis_candidates(place, "resque", VARIABLES, {})

    async def check(self) -> CheckReport:
        """Queues, workers, failures, clock, and what Resque forgets. It states no version."""
        server = await self._server()
        if not await self._reads.is_there():
            raise NothingHere(
                "There are no keys of Resque",
                where=f"{self._redis.where}, {self._options.namespace}:*",
                remedy="Check the database number and the namespace.",
            )
        here = await self._reads.present(self._options.queues)
        queues = ", ".join(clean(queue.name) for queue in here.queues)
        facts = [
            *server.facts,
            f"queues: {queues or 'none'}",
            f"{len(here.workers)} workers are registered",
            f"{here.processed} jobs processed and {here.failed} failed since it counts",
        ]
        if here.paused:
            facts.append("all workers are paused (pause-all-workers)")
        if not self._options.zone:
            facts.append("failures in a local zone other than UTC need the option zone")
        return CheckReport(
            system=f"Resque on Redis {server.version}",
            facts=tuple(facts),
            cannot_see=(
                FORGETS,
                "when a waiting job was enqueued, unless Active Job wrote it down",
                "a job lost between leaving its queue and being noted by its worker",
            ),
            clock=await self.clock(),
            writes_refused=server.writes_refused,
            retention=("successes: not at all", "failures: until somebody clears them"),
            rights=server.rights,
        )

    async def fetch(self, window: Window, budget: Budget) -> AsyncIterator[Batch]:
        """What waits, runs and comes due now; then the failures of the window."""
        try:
            reading = await self._begin(budget)
            account = reading.account
            present = self._present(reading, window)
            present += await read_marks(self._redis, self.source, window)
            yield self._told(present, account)
            yield self._told(self._waiting_now(reading, window), account)
            retries = await self._reads.retries(reading.here.due)
            for retry in retries:
                if retry.failure is not None and retry.failure.failed is None:
                    reading.undated.append(retry.failure.failed_text)
            told = [event for retry in retries for event in self._life.retry(retry)]
            yield self._told([e for e in told if window.contains(e.timestamp)], account)
            async for told in self._enqueued_in(window, reading):
                yield self._told(told, account)
            for key in reading.here.failed_keys:
                async for failures in self._since(key, window.start, reading):
                    told = [e for one in failures for e in self._failure(one, key, reading)]
                    if inside := [e for e in told if window.contains(e.timestamp)]:
                        yield self._told(inside, account)
            yield account.closing(window, _memory(account), tuple(self._remarks(reading)))
        except BaseException:
            await self._redis.close()
            raise

    async def lookup(
        self, keys: Sequence[str], span: Window, budget: Budget
    ) -> AsyncIterator[Batch]:
        """Jobs that carry a key among their arguments, or Active Job's id, wherever kept now."""
        try:
            wanted = {key for key in keys if split_key(key)[0] not in ("row", "")}
            if not wanted:
                return
            reading = await self._begin(budget)
            missing = set(wanted)
            carrying: list[Event] = []
            async for job, events in self._everywhere(reading):
                if hit := wanted.intersection(self._life.keys(job)):
                    missing -= hit
                    carrying += events
            yield self._told(carrying, reading.account)
            if missing:
                yield reading.account.not_found(sorted(missing), self._searched(reading))
        except BaseException:
            await self._redis.close()
            raise

    async def _begin(self, budget: Budget) -> _Reading:
        account = await self._opened(budget)
        return _Reading(account, await self._reads.present(self._options.queues))

    def _present(self, reading: _Reading, window: Window) -> list[Event]:
        """Depths as they are now; workers that started or fell silent, and what they run."""
        here, now = reading.here, reading.account.now
        events = [depth_event(self.source, self._queue_now(q, reading), now) for q in here.queues]
        events.append(depth_event(self.source, self._all_queues(here), now))
        limit = silent_after(self._options.heartbeat_s)
        for worker in here.workers:
            told = self._life.lifetime(worker, now, worker.silent(now, limit))
            events += [event for event in told if window.contains(event.timestamp)]
            for event in self._life.running(worker):
                if window.contains(event.timestamp):
                    events.append(event)
                elif (worker.run_at or 0) < window.end:
                    events.append(as_of_now(event))
        return events

    def _waiting_now(self, reading: _Reading, window: Window) -> list[Event]:
        """The jobs that run or come due next."""
        now = reading.account.now
        told = (event for _, events in self._next(reading) for event in events)
        return [one for one in told if window.contains(one.timestamp) or one.timestamp == now]

    def _next(self, reading: _Reading) -> Iterator[tuple[Job, list[Event]]]:
        here, now = reading.here, reading.account.now
        for queue in here.queues:
            ref = clean(self._names.queue(queue.name))
            for place, job in enumerate(queue.next_up):
                reading.unopened += bool(job.unopened)
                words = f"waits on {clean(queue.name)}, number {place + 1} of {queue.depth}"
                yield job, list(self._life.waiting(job, words, self._ref(ref, job, reading), now))
        for due, job in here.due:
            reading.unopened += bool(job.unopened)
            words = f"is on the schedule of {job.queue} for {iso(due)}"
            ref = self._ref(self._names.delayed(due // SECOND_NS), job, reading)
            yield job, list(self._life.waiting(job, words, ref, now))

    async def _enqueued_in(self, window: Window, reading: _Reading) -> AsyncIterator[list[Event]]:
        """Waiting jobs behind the next ones, where Active Job says when they were enqueued."""
        limit, account = self._options.max_jobs, reading.account
        for queue in reading.here.queues:
            behind = queue.depth - len(queue.next_up)
            dated = any(job.call.enqueued_at is not None for job in queue.next_up)
            if behind <= 0 or not dated:
                continue
            if behind > limit:
                account.cut(f"{clean(queue.name)}: {queue.depth} jobs wait; not all were read")
            async for page in self._reads.waiting(queue.name, min(behind, limit)):
                if account.exhausted:
                    account.cut(f"{clean(queue.name)}: not all of its waiting jobs were read")
                    return
                told = [e for job in page for e in self._waiting(queue.name, job, reading)]
                yield [event for event in told if window.contains(event.timestamp)]

    def _waiting(self, queue: str, job: Job, reading: _Reading) -> Iterator[Event]:
        """A job somewhere on a queue."""
        ref = self._ref(clean(self._names.queue(queue)), job, reading)
        yield from self._life.waiting(job, f"waits on {clean(queue)}", ref, reading.account.now)

    def _queue_now(self, queue: QueueState, reading: _Reading) -> QueueNow:
        here, now = reading.here, reading.account.now
        limit = silent_after(self._options.heartbeat_s)
        busy = [
            worker
            for worker in here.workers
            if worker.running is not None and worker.running.queue == queue.name
        ]
        due = [(job.title, stamp) for stamp, job in here.due if job.queue == queue.name]
        return QueueNow(
            clean(queue.name),
            clean(self._names.queue(queue.name)),
            waiting=queue.depth,
            running=len(busy),
            due=due,
            overdue=[one.running.title for one in busy if one.running and one.silent(now, limit)],
        )

    def _all_queues(self, here: Installation) -> QueueNow:
        """The schedule is one for all queues; it is counted in seconds that hold jobs."""
        return QueueNow(
            "all queues",
            clean(self._names.key("queues")),
            waiting=sum(queue.depth for queue in here.queues),
            running=sum(worker.running is not None for worker in here.workers),
            scheduled=len(here.due),
            due=[(job.title, stamp) for stamp, job in here.due],
            counts={
                "processed": here.processed,
                "failed": here.failed,
                "scheduled_seconds": here.scheduled,
            },
        )

    async def _since(self, key: str, start: int, reading: _Reading) -> AsyncIterator[list[Failure]]:
        """Pages of failures, newest first, until they lie before the window or a bound is met."""
        limit, account = self._options.max_jobs, reading.account
        length, read = await self._reads.length(key), 0
        async for page in self._reads.failures(key, limit):
            if account.exhausted:
                account.cut(f"{clean(key)}: {length - read} older failures were not read")
                return
            read += len(page)
            queues = self._options.queues
            yield [one for one in page if not queues or one.job.queue in queues]
            stamps = [one.failed for one in page if one.failed is not None]
            if len(stamps) == len(page) and max(stamps, default=0) < start - CLOCK_SLACK_NS:
                return
        if length > read:
            account.cut(f"{clean(key)} holds {length} failures; the newest {read} were read")

    def _failure(self, failure: Failure, key: str, reading: _Reading) -> list[Event]:
        reading.unopened += bool(failure.job.unopened)
        if failure.failed is None and not failure.job.unopened:
            reading.undated.append(failure.failed_text)
        nth = reading.copies.get(failure.digest, 0)
        reading.copies[failure.digest] = nth + 1
        return list(self._life.failure(failure, clean(key), nth))

    async def _everywhere(self, reading: _Reading) -> AsyncIterator[tuple[Job, list[Event]]]:
        """Running jobs, the next ones, the newest failures, then the newest waiting ones."""
        here, account = reading.here, reading.account
        for worker in here.workers:
            if worker.running is not None:
                yield worker.running, list(self._life.running(worker))
        for job, events in self._next(reading):
            yield job, events
        for retry in await self._reads.retries(here.due):
            yield retry.job, list(self._life.retry(retry))
        for key in here.failed_keys:
            async for failures in self._reads.failures(key, LOOKUP_JOBS):
                for one in failures:
                    yield one.job, self._failure(one, key, reading)
                if account.exhausted:
                    return
        for queue in here.queues:
            left = queue.depth - len(queue.next_up)
            async for page in self._reads.waiting(queue.name, min(LOOKUP_JOBS, max(left, 0))):
                for job in page:
                    yield job, list(self._waiting(queue.name, job, reading))
                if account.exhausted:
                    return

    def _ref(self, key: str, job: Job, reading: _Reading) -> str:
        """Where a waiting job is kept: by its text, and how often that text was met."""
        nth = reading.copies.get(job.digest, 0)
        reading.copies[job.digest] = nth + 1
        return f"{key}#{job.digest}" + (f"/{nth}" if nth else "")

    def _remarks(self, reading: _Reading) -> Iterable[Remark]:
        here, now = reading.here, reading.account.now
        yield from oddities(self.source, here.workers, now, self._options.heartbeat_s)
        if here.paused:
            yield Remark(self.source, "quiet", "all workers are paused (pause-all-workers)")
        if reading.unopened:
            sentence = f"{reading.unopened} records are no JSON, or too large: not opened"
            yield Remark(self.source, "opaque", sentence, reading.unopened)
        if reading.undated:
            count = len(reading.undated)
            yield Remark(
                self.source,
                "undated",
                f"{count} failures are stamped in a zone that cannot be known "
                f"(such as {reading.undated[0] or 'no time at all'!r}): they are counted, not "
                "shown. Set the option zone, like zone = 'Europe/Paris'.",
                count,
            )

    def _searched(self, reading: _Reading) -> str:
        cut = "; not everything could be searched" if reading.account.exhausted else ""
        return (
            "no such job among those running, coming due, and the newest "
            f"{LOOKUP_JOBS} failed and waiting ones of each list{cut} ({FORGETS})"
        )


def _memory(account: Account) -> Memory:
    remedy = "A job that is not here may have succeeded, or been lost with its worker."
    return Memory(account.now, FORGETS, remedy)
