"""What is read from Resque's keys, in which order and how much of it.

Resque's own API is never used: starting or listing workers through it prunes dead ones and files
their jobs as failed (resque 3.0.0, worker.rb: prune_dead_workers).
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from itertools import accumulate

from connectors.queues.redis_pages import ends, newest, scored_bytes
from connectors.queues.redis_source import (
    PAGE_BYTES,
    VALUE_BYTES,
    affordable,
    listed,
    members,
    octets,
    replies,
    whole,
)
from connectors.redis_reads import Command, RedisReads
from connectors.resque.life import Retry
from connectors.resque.options import Names
from connectors.resque.records import (
    RECORD_BYTES,
    Failure,
    Job,
    Worker,
    failure_from,
    job_from,
    worker_from,
)
from timeline.window import SECOND_NS

NEXT_JOBS = 50
"""Waiting jobs read from the front of a queue, where workers take them: those that run next."""
NEXT_DUE = 200
"""Seconds of the schedule that are read, the soonest first."""
DUE_JOBS = 50
"""Jobs read of one such second."""
LATEST_S = 2**33
"""A due time beyond the year 2242 is none."""
MAX_QUEUES = 200
MAX_WORKERS = 200


@dataclass(slots=True)
class QueueState:
    """One queue as it is now; `next_up` are the jobs that run next, the first one first."""

    name: str
    depth: int
    next_up: list[Job] = field(default_factory=list)


@dataclass(slots=True)
class Installation:
    """The present of one installation."""

    queues: list[QueueState] = field(default_factory=list)
    workers: list[Worker] = field(default_factory=list)
    due: list[tuple[int, Job]] = field(default_factory=list)
    """Due time (ns UTC) and job, soonest first."""
    scheduled: int = 0
    """Seconds on the schedule, each with one job or more."""
    failed_keys: list[str] = field(default_factory=list)
    failed: int = 0
    processed: int = 0
    paused: bool = False


class ResqueReads:
    """Bounded reads of one Resque installation."""

    def __init__(self, redis: RedisReads, names: Names, zone: str, page_jobs: int) -> None:
        self.redis = redis
        self.names = names
        self.zone = zone
        self.page_jobs = page_jobs

    async def is_there(self) -> bool:
        keys = ("queues", "workers", "failed", "stat:processed", "delayed_queue_schedule")
        found = await replies(self.redis, [("EXISTS", self.names.key(key)) for key in keys])
        return any(map(whole, found))

    async def present(self, wanted: Sequence[str]) -> Installation:
        """Depths and next jobs, then what runs, then what comes due, then the counters."""
        names, here = self.names, Installation()
        here.queues = await self._queues(wanted)
        here.workers = await self._workers()
        here.due = await self._due(wanted)
        multiple = await members(self.redis, names.key("failed_queues"), MAX_QUEUES)
        here.failed_keys = [names.key("failed"), *map(names.key, sorted(multiple))]
        counters = [("GET", names.key("stat", counter)) for counter in ("processed", "failed")]
        found = await replies(
            self.redis,
            [
                ("ZCARD", names.key("delayed_queue_schedule")),
                ("EXISTS", names.key("pause-all-workers")),
                *counters,
            ],
        )
        here.scheduled, here.paused = whole(found[0]), bool(whole(found[1]))
        here.processed, here.failed = (_counted(octets(value)) for value in found[2:])
        return here

    async def failures(self, key: str, limit: int) -> AsyncIterator[list[Failure]]:
        """Pages of a failed list, the newest first, at most `limit` records.

        By place from the front: failures are pushed at the end, so places stay while we read.
        """
        length = whole(await self.redis.one("LLEN", key))
        page = await affordable(self.redis, key, length, self.page_jobs)
        stop, least = length, max(length - limit, 0)
        while page and stop > least:
            start = max(stop - page, least)
            found = listed(await self.redis.one("LRANGE", key, start, stop - 1))
            yield [failure_from(octets(one) or b"", self.zone) for one in reversed(found)]
            stop = start

    async def length(self, key: str) -> int:
        return whole(await self.redis.one("LLEN", key))

    async def waiting(self, queue: str, limit: int) -> AsyncIterator[list[Job]]:
        """Pages of a queue's jobs, those pushed last first."""
        key = self.names.queue(queue)
        async for page in newest(self.redis, key, limit, self.page_jobs, pushed_left=False):
            yield [job_from(content, queue) for content in page]

    async def retries(self, due: Sequence[tuple[int, Job]]) -> list[Retry]:
        """What resque-retry notes of jobs on the schedule; those it does not know are left out."""
        asked = [
            (stamp, job, attempt_key, failure_key)
            for stamp, job in due
            for attempt_key, failure_key in self.names.retries(
                job.call.job_class, job.call.arguments
            )
        ]
        commands: list[Command] = []
        for _, _, attempt_key, failure_key in asked:
            commands += [("GET", attempt_key), ("STRLEN", failure_key)]
        found = await replies(self.redis, commands)
        retries = []
        for (stamp, job, _, key), counted, size in zip(asked, found[::2], found[1::2], strict=True):
            note = octets(counted)
            if note is None or not (note.isdigit() or note == b"-1"):
                continue
            kept = 0 < whole(size) <= VALUE_BYTES
            content = octets(await self.redis.one("GET", key)) if kept else None
            failure = failure_from(content, self.zone) if content else None
            retries.append(Retry(job, stamp, int(note) + 1, failure))
        return retries

    async def _queues(self, wanted: Sequence[str]) -> list[QueueState]:
        found = await members(self.redis, self.names.key("queues"), MAX_QUEUES)
        queues = [queue for queue in sorted(found) if not wanted or queue in wanted]
        keys = [self.names.queue(queue) for queue in queues]
        first = await ends(self.redis, keys, NEXT_JOBS, first=True)
        return [
            QueueState(queue, depth, [job_from(content, queue) for content in contents])
            for queue, (depth, contents) in zip(queues, first, strict=True)
        ]

    async def _workers(self) -> list[Worker]:
        names = self.names
        identities = sorted(await members(self.redis, names.key("workers"), MAX_WORKERS))
        sizes = await replies(self.redis, [("STRLEN", names.worker(one)) for one in identities])
        commands: list[Command] = []
        for identity, size in zip(identities, sizes, strict=True):
            runs = whole(size) <= RECORD_BYTES
            commands += [
                ("GET", names.started(identity)),
                ("HGET", names.key("workers", "heartbeat"), identity),
                ("GET", names.ping(identity)),
                ("GET", names.worker(identity)) if runs else ("EXISTS", names.worker(identity)),
            ]
        values = [octets(value) or b"" for value in await replies(self.redis, commands)]
        return [
            worker_from(identity, *values[4 * place : 4 * place + 4])
            for place, identity in enumerate(identities)
        ]

    async def _due(self, wanted: Sequence[str]) -> list[tuple[int, Job]]:
        key = self.names.key("delayed_queue_schedule")
        span = ("ZRANGEBYSCORE", key, "-inf", "+inf", "WITHSCORES", "LIMIT", 0, NEXT_DUE)
        times = [
            int(score)
            for _, score in scored_bytes(await self.redis.one(*span))
            if 0 < score < LATEST_S
        ]
        keys = [self.names.delayed(stamp) for stamp in times]
        weights = await replies(self.redis, [("MEMORY USAGE", key) for key in keys])
        within = sum(total <= PAGE_BYTES for total in accumulate(map(whole, weights)))
        times, keys = times[:within], keys[:within]
        pages = await replies(self.redis, [("LRANGE", key, 0, DUE_JOBS - 1) for key in keys])
        found = [
            (stamp * SECOND_NS, job_from(octets(content) or b""))
            for stamp, page in zip(times, pages, strict=True)
            for content in listed(page)
        ]
        return [(stamp, job) for stamp, job in found if not wanted or job.queue in wanted]


def _counted(value: bytes | None) -> int:
    return int(value) if value and value.isdigit() and len(value) < 19 else 0
