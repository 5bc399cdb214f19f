"""What is read from Sidekiq's keys, in which order and how much of it.

Places are read in the direction in which jobs travel (queue, running, retry, dead), so that a job
that moves while we look is met at least once. Sidekiq's own API is never used: its process list
deletes entries as it counts them (sidekiq 8.1.7, api.rb: ProcessSet#cleanup).
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field

from connectors.queues.redis_pages import by_score, ends, hashes, newest, scored_bytes
from connectors.queues.redis_source import (
    affordable,
    listed,
    members,
    octets,
    replies,
    whole,
)
from connectors.queues.transitions import epoch_ns
from connectors.redis_reads import RedisReads
from connectors.sidekiq.jobs import Job, job_from
from connectors.sidekiq.life import Found, Place
from connectors.sidekiq.options import Names
from connectors.sidekiq.processes import PROCESS_FIELDS, Process, process_from, running_jobs
from timeline.window import SECOND_NS

NEXT_JOBS = 100
"""Waiting jobs read from the end of a queue: those that run next."""
NEXT_DUE = 500
"""Entries read from the front of the retry and schedule sets: those that come due next."""
MAX_QUEUES = 200
MAX_PROCESSES = 200
MAX_THREADS = 200
"""Running jobs read of one process."""
SETS = (Place.RETRY, Place.SCHEDULE, Place.DEAD)


@dataclass(slots=True)
class QueueState:
    """One queue as it is now; `next_up` are the jobs that run next, the first one first."""

    name: str
    depth: int
    next_up: list[Job] = field(default_factory=list)


@dataclass(slots=True)
class Installation:
    """The present of one installation, the perishable part of what it knows."""

    queues: list[QueueState] = field(default_factory=list)
    processes: list[Process] = field(default_factory=list)
    running: list[Found] = field(default_factory=list)
    due: dict[Place, list[Found]] = field(default_factory=dict)
    counts: dict[Place, int] = field(default_factory=dict)


class SidekiqReads:
    """Bounded reads of one Sidekiq installation."""

    def __init__(self, redis: RedisReads, names: Names, page_jobs: int) -> None:
        self.redis = redis
        self.names = names
        self.page_jobs = page_jobs

    async def is_there(self) -> bool:
        """Whether any key that Sidekiq makes exists, and `queues` is a set as it makes it."""
        keys = ("processes", "schedule", "retry", "dead", "stat:processed")
        found = await replies(
            self.redis,
            [
                ("TYPE", self.names.key("queues")),
                *(("EXISTS", self.names.key(key)) for key in keys),
            ],
        )
        kind = (octets(found[0]) or str(found[0]).encode()).decode()
        return kind == "set" or (kind == "none" and any(map(whole, found[1:])))

    async def present(self, wanted: Sequence[str], now: int) -> Installation:
        """Depths and next jobs, then what runs, then what comes due; `now` is Redis' clock."""
        here = Installation()
        here.queues = await self._queues(wanted)
        await self._processes(here, wanted, now)
        counts = await replies(self.redis, [("ZCARD", self.names.key(place)) for place in SETS])
        here.counts = dict(zip(SETS, map(whole, counts), strict=True))
        for place in (Place.RETRY, Place.SCHEDULE):
            found = await self._first(place, here.counts[place])
            here.due[place] = [one for one in found if not wanted or one.job.queue in wanted]
        return here

    async def waiting(self, queue: str, limit: int, skip: int = 0) -> AsyncIterator[list[Found]]:
        """Pages of a queue's jobs, those enqueued last first, without the last `skip` of them."""
        key = self.names.queue(queue)
        pages = newest(self.redis, key, limit, self.page_jobs, pushed_left=True, skip=skip)
        async for page in pages:
            yield [Found(Place.QUEUE, job_from(payload, queue)) for payload in page]

    async def enqueued_after(self, queue: QueueState, end: int) -> int:
        """How many jobs of a long queue were enqueued at `end` (ns UTC) or later, by bisection.

        Jobs are pushed at the front in the order of their stamps, so some twenty looks at single
        jobs find a place among a million. A stamp that cannot be read counts as older.
        """
        low, high = 0, queue.depth
        while low < high:
            middle = (low + high) // 2
            payload = octets(await self.redis.one("LINDEX", self.names.queue(queue.name), middle))
            stamp = job_from(payload or b"").stamps.get("enqueued_at")
            if stamp is not None and stamp.timestamp >= end:
                low = middle + 1
            else:
                high = middle
        return low

    async def scheduled_since(self, place: Place, start: int, limit: int) -> list[Found]:
        """At most `limit` + 1 entries of a set that are due or died at `start` (ns UTC) or later.

        Whatever happened to a job in the window, its retry, run or death was set for later.
        """
        key = self.names.key(place)
        found = await by_score(self.redis, key, start / SECOND_NS, limit, self.page_jobs)
        return [_entry(place, payload, score) for payload, score in found]

    async def _queues(self, wanted: Sequence[str]) -> list[QueueState]:
        found = await members(self.redis, self.names.key("queues"), MAX_QUEUES)
        queues = [queue for queue in sorted(found) if not wanted or queue in wanted]
        keys = [self.names.queue(queue) for queue in queues]
        last = await ends(self.redis, keys, NEXT_JOBS, first=False)
        return [
            QueueState(queue, depth, [job_from(payload, queue) for payload in reversed(payloads)])
            for queue, (depth, payloads) in zip(queues, last, strict=True)
        ]

    async def _processes(self, here: Installation, wanted: Sequence[str], now: int) -> None:
        names = self.names
        found = await members(self.redis, names.key("processes"), MAX_PROCESSES)
        identities = sorted(found)
        entries = await replies(
            self.redis,
            [
                command
                for key in map(names.key, identities)
                for command in (("HMGET", key, *PROCESS_FIELDS), ("PTTL", key))
            ],
        )
        keys = [key for identity in identities for key in names.work(identity)]
        work = await hashes(self.redis, keys, MAX_THREADS)
        for place, identity in enumerate(identities):
            entry, left = entries[2 * place : 2 * place + 2]
            values = [octets(value) or b"" for value in listed(entry)]
            fields = dict(zip(PROCESS_FIELDS, values, strict=True))
            process = process_from(identity, fields, whole(left))
            here.processes.append(process)
            jobs = running_jobs(process, {**work[2 * place], **work[2 * place + 1]}, now)
            here.running += [one for one in jobs if not wanted or one.job.queue in wanted]

    async def _first(self, place: Place, count: int) -> list[Found]:
        key = self.names.key(place)
        limit = await affordable(self.redis, key, count, NEXT_DUE)
        if not limit:
            return []
        span = ("ZRANGEBYSCORE", key, "-inf", "+inf", "WITHSCORES", "LIMIT", 0, limit)
        reply = await self.redis.one(*span)
        return [_entry(place, payload, score) for payload, score in scored_bytes(reply)]


def _entry(place: Place, payload: bytes, score: float) -> Found:
    return Found(place, job_from(payload), epoch_ns(score, SECOND_NS))
