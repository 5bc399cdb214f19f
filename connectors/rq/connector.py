"""The RQ connector: running and waiting jobs first, then what ended around T, jobs by key, clock.

Owns what may be claimed: RQ forgets successes after result_ttl and keeps no trace of an attempt
that it retries, so a job that is not here is not visible, never "did not run".
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import ClassVar

from pydantic import BaseModel, SecretStr  # the class attribute names it at run time

from connectors.clock_sampling import SAMPLES, reading_from
from connectors.contract import CheckReport
from connectors.discovery import Candidate, Place
from connectors.queues.account import Account, Memory
from connectors.queues.redis_source import redis_candidates, server_facts
from connectors.queues.transitions import iso
from connectors.redis_marks import read_marks
from connectors.redis_reads import RedisReads, nanoseconds_of
from connectors.rq.decoding import nanoseconds
from connectors.rq.jobs import Job, JobEvents
from connectors.rq.options import Names, RQOptions
from connectors.rq.present import PresentEvents
from connectors.rq.reads import QueueState, RQReads, Worker
from timeline.batch import Batch, Remark
from timeline.clean import clean
from timeline.clock import ClockReading
from timeline.event import Event, Lane
from timeline.keys import KeyRules, split_key
from timeline.problems import NothingHere
from timeline.window import SECOND_NS, Budget, Window

LOOKUP_JOBS = 2_000
"""Newest jobs whose descriptions are searched for a key that is not a job id."""
HEARTBEAT_LOST_NS = 480 * SECOND_NS
"""RQ's default worker TTL: a worker silent for longer is gone (rq 3.0.0, defaults.py)."""
VARIABLES = ("RQ_REDIS_URL", "REDIS_URL")
"""Where applications name the Redis of their queue; the first is RQ's own command line's."""


@dataclass
class _Reading:
    """What one fetch or look-up has learnt so far."""

    account: Account
    queues: list[str] = field(default_factory=list)
    states: list[QueueState] = field(default_factory=list)
    workers: list[Worker] = field(default_factory=list)
    gone: int = 0


class RQConnector:
    """One RQ installation on one Redis. See `connectors.contract.Connector`."""

    system: ClassVar[str] = "rq"
    lane: ClassVar[Lane] = Lane.QUEUE
    Options: ClassVar[type[BaseModel]] = RQOptions

    def __init__(self, source: str, options: BaseModel, key_rules: KeyRules) -> None:
        if not isinstance(options, RQOptions):
            raise TypeError("RQConnector needs RQOptions")
        self.source = source
        self._options = options
        self._key_rules = key_rules
        self._redis = RedisReads(_url(options), options.connect_timeout_s, options.read_timeout_s)
        self._names = Names(options.prefix)
        self._reads = RQReads(self._redis, self._names, options.page_jobs)

    def __repr__(self) -> str:
        return f"RQConnector({self.source!r}, {self._redis!r})"

    @staticmethod
    def candidates(place: Place) -> Iterator[Candidate]:
        """A Redis that the environment names; whether RQ keeps anything there, `check` says."""
        yield from redis_candidates(place, "rq", VARIABLES, {})

    async def check(self) -> CheckReport:
        """Version, queues, workers, suspension, clock, and what RQ forgets.

        Raises `NothingHere` where RQ has left no key.
        """
        if not await self._redis.one("EXISTS", self._names.queues, self._names.workers):
            raise NothingHere(
                f"Redis answers, but holds no keys of RQ ({self._names.queues})",
                where=self._redis.where,
                remedy="Check the database number at the end of the url, and prefix.",
            )
        reading = await self._begin(Budget(rows=0))
        url = _url(self._options).get_secret_value()
        server = await server_facts(self._redis, url, self._options.ask_rights)
        suspended = await self._redis.one("EXISTS", self._names.suspended)
        versions = sorted({worker.fields["version"] for worker in reading.workers} - {""})
        facts = [
            *server.facts,
            f"queues: {', '.join(map(clean, reading.queues)) or 'none'}",
            f"{len(reading.workers)} workers are registered",
        ]
        if suspended:
            facts.append("the workers are suspended (rq suspend)")
        return CheckReport(
            system=f"RQ {', '.join(versions) or 'of unknown version'} on Redis {server.version}",
            facts=tuple(facts),
            cannot_see=(self._forgets(), "attempts that RQ retried: they leave no record"),
            clock=await self.clock(),
            writes_refused=server.writes_refused,
            retention=self._keeps(),
            rights=server.rights,
        )

    async def fetch(self, window: Window, budget: Budget) -> AsyncIterator[Batch]:
        """What runs, waits and comes due now; then the jobs that changed inside `window`."""
        try:
            reading = await self._begin(budget)
            events = self._job_events(reading)
            seen: set[str] = set()
            present = self._present(reading, window)
            present += await read_marks(self._redis, self.source, window)
            yield self._batch(present, reading)
            now_ids = [job for state in reading.states for job in state.jobs]
            running = {job for state in reading.states for job in state.running}
            async for batch in self._pages(now_ids, reading, events, window, seen, running):
                yield batch
            for queue in reading.queues:
                if reading.account.late:
                    reading.account.cut(f"queue {clean(queue)}: the time it may take was up")
                    continue
                ids = await self._changed(queue, window, reading)
                async for batch in self._pages(ids, reading, events, window, seen, frozenset()):
                    yield batch
            yield self._closing(reading, window)
        except BaseException:
            await self._redis.close()
            raise

    async def lookup(
        self, keys: Sequence[str], span: Window, budget: Budget
    ) -> AsyncIterator[Batch]:
        """Jobs by id, and the newest jobs whose arguments name any of the other keys."""
        try:
            reading = await self._begin(budget)
            events = self._job_events(reading)
            wanted = [value for kind, value in map(split_key, keys) if kind == "job"]
            missing = []
            async for page in self._reads.jobs(list(dict.fromkeys(wanted))):
                missing += [f"job:{job_id}" for job_id, job in page if job is None]
                yield self._batch(_told(events, [job for _, job in page]), reading)
            others = {key for key in keys if split_key(key)[0] not in ("job", "row", "")}
            if others:
                async for batch in self._search(others, reading, events):
                    yield batch
            if missing:
                yield reading.account.not_found(missing, f"no such job ({self._forgets()})")
        except BaseException:
            await self._redis.close()
            raise

    async def clock(self) -> ClockReading | None:
        """Redis' clock against ours: the best of nine readings of TIME."""
        return reading_from(self.source, await self._redis.sample_clock(SAMPLES))

    async def close(self) -> None:
        """End the connection. Safe to call twice."""
        await self._redis.close()

    async def _begin(self, budget: Budget) -> _Reading:
        now = nanoseconds_of(await self._redis.one("TIME"))
        reading = _Reading(Account.opened(self.source, now, budget))
        self._reads.too_large = 0
        reading.queues = await self._reads.queues(self._options.queues)
        for queue in reading.queues:
            reading.states.append(await self._reads.state(queue, reading.account.now / SECOND_NS))
        reading.workers = await self._reads.workers()
        return reading

    def _job_events(self, reading: _Reading) -> JobEvents:
        hosts = {w.name: w.fields["hostname"] for w in reading.workers if w.fields["hostname"]}
        return JobEvents(
            self.source,
            self._names.prefix,
            self._key_rules,
            self._options.producer_clock,
            self._options.arguments,
            hosts,
        )

    async def _changed(self, queue: str, window: Window, reading: _Reading) -> list[str]:
        """Jobs that still wait, those whose shifted score lies in `window`, and the newest ones."""
        start, end = window.start / SECOND_NS, window.end / SECOND_NS
        registry = self._names.registry
        limit = self._options.max_jobs
        state = next(state for state in reading.states if state.name == queue)
        ids: list[str] = []
        if state.depth > len(state.waiting):
            ids += await self._reads.waiting(queue, limit)
            if state.depth > limit + len(state.waiting):
                reading.account.cut(
                    f"{clean(queue)}: {state.depth} jobs wait; the {limit} newest were read"
                )
        if (count := state.counts["scheduled"]) > len(state.scheduled):
            reading.account.cut(
                f"{clean(queue)}: {count} jobs are scheduled; the first and last ones were read"
            )
        for kind, ttl in (
            ("failed", self._options.failure_ttl_s),
            ("finished", self._options.result_ttl_s),
            ("scheduled", 0),
        ):
            if ttl < 0:
                continue  # kept for ever: every score is the same and newest() serves
            key = registry(kind, queue)
            found = await self._reads.by_score(key, start + ttl, end + ttl, limit)
            if len(found) > limit:
                reading.account.cut(f"{clean(key)} holds more than the {limit} jobs that were read")
            ids += found[:limit]
        for kind in ("failed", "finished", "scheduled", "deferred", "canceled"):
            ids += await self._reads.newest(registry(kind, queue))
        ids += await self._reads.running(queue)  # whatever left the queue since it was listed
        return list(dict.fromkeys(ids))

    async def _pages(
        self,
        ids: Iterable[str],
        reading: _Reading,
        events: JobEvents,
        window: Window,
        seen: set[str],
        running: Iterable[str],
    ) -> AsyncIterator[Batch]:
        """Batches of the transitions inside `window`; of a running job also how it came to run."""
        fresh = [job_id for job_id in dict.fromkeys(ids) if job_id not in seen]
        seen.update(fresh)
        async for page in self._reads.jobs(fresh):
            if reading.account.exhausted:
                reading.account.cut(f"{len(fresh)} jobs were listed, not all of them were read")
                return
            reading.gone += sum(job is None for _, job in page)
            told = [
                event
                for job_id, job in page
                if job is not None
                for event in events.of(job)
                if window.contains(event.timestamp)
                or (job_id in running and job.fields.get("status") == "started")
            ]
            if told:
                yield self._batch(told, reading)

    async def _search(
        self, keys: set[str], reading: _Reading, events: JobEvents
    ) -> AsyncIterator[Batch]:
        """Search the newest jobs of all registries for keys in their arguments."""
        ids: list[str] = []
        for state in reading.states:
            ids += [*state.running, *state.waiting, *(job for job, _ in state.scheduled)]
            for kind in ("failed", "finished"):
                ids += reversed(await self._reads.newest(self._names.registry(kind, state.name)))
        searched = list(dict.fromkeys(ids))[:LOOKUP_JOBS]
        found: set[str] = set()
        async for page in self._reads.jobs(searched):
            carrying = []
            for _, job in page:
                if job is not None and (hit := keys.intersection(events.keys(job))):
                    found |= hit
                    carrying.append(job)
            if carrying:
                yield self._batch(_told(events, carrying), reading)
        absent = sorted(keys - found)
        if absent:
            searched_for = f"none of the newest {len(searched)} jobs has it among its arguments"
            yield reading.account.not_found(absent, searched_for)

    def _present(self, reading: _Reading, window: Window) -> list[Event]:
        """Depths and due retries as they are now, and workers that came or went in `window`."""
        present = PresentEvents(self.source, self._names)
        events = [
            present.depth(state, reading.workers, reading.account.now) for state in reading.states
        ]
        for worker in reading.workers:
            events += [e for e in present.lifetime(worker) if window.contains(e.timestamp)]
        return events

    def _closing(self, reading: _Reading, window: Window) -> Batch:
        """The closing batch: horizon, cuts, orphans, workers that fell silent."""
        return reading.account.closing(
            window, self._memory(reading.account.now), tuple(self._oddities(reading))
        )

    def _oddities(self, reading: _Reading) -> Iterable[Remark]:
        overdue = [clean(job) for state in reading.states for job in state.overdue]
        if overdue:
            yield Remark(
                self.source,
                "orphaned",
                f"{len(overdue)} running jobs have missed their heartbeat: "
                f"{', '.join(overdue[:5])}. Their worker is gone or stuck; RQ will fail "
                "or retry them.",
                len(overdue),
            )
        for worker in reading.workers:
            beat = nanoseconds(worker.fields["last_heartbeat"])
            if beat is not None and reading.account.now - beat > HEARTBEAT_LOST_NS:
                yield Remark(
                    self.source,
                    "worker-silent",
                    f"worker {worker.name}: no heartbeat since {iso(beat)}",
                )
        if self._reads.too_large:
            yield Remark(
                self.source,
                "cut",
                "Some descriptions, errors or results are too large to fetch: they were left out.",
                self._reads.too_large,
            )
        if reading.gone:
            yield Remark(
                self.source,
                "gone",
                f"{reading.gone} jobs are listed in a registry, but their hash has expired",
                reading.gone,
            )

    def _memory(self, now: int) -> Memory:
        """What ended before `now` less result_ttl is gone without a trace."""
        ttl = self._options.result_ttl_s
        horizon = None if ttl < 0 else now - ttl * SECOND_NS
        return Memory(horizon, self._forgets())

    def _forgets(self) -> str:
        ttl = self._options.result_ttl_s
        return f"keeps no successes after result_ttl ({ttl} s)" if ttl >= 0 else "keeps successes"

    def _keeps(self) -> tuple[str, ...]:
        kept = (
            ("successes", "result_ttl", self._options.result_ttl_s),
            ("failures", "failure_ttl", self._options.failure_ttl_s),
        )
        return tuple(
            f"{what} {f'for {seconds:,} s' if seconds >= 0 else 'for ever'} ({name}, as configured)"
            for what, name, seconds in kept
        )

    def _batch(self, events: Sequence[Event], reading: _Reading) -> Batch:
        """A batch within the budget, with the bytes that travelled for it."""
        read, self._redis.bytes_read = self._redis.bytes_read, 0
        return reading.account.batch(events, bytes_read=read)


def _told(events: JobEvents, jobs: Iterable[Job | None]) -> list[Event]:
    return [event for job in jobs if job is not None for event in events.of(job)]


def _url(options: RQOptions) -> SecretStr:
    """The URL with the separate password, if any, put into it."""
    if options.password is None:
        return options.url
    from urllib.parse import quote, urlsplit

    parts = urlsplit(options.url.get_secret_value())
    user, host = parts.username or "", parts.netloc.rpartition("@")[2]
    secret = quote(options.password.get_secret_value(), safe="")
    return SecretStr(parts._replace(netloc=f"{user}:{secret}@{host}").geturl())
