"""What is read from RQ's keys, in which order and how much of it.

Registries are read in the direction in which jobs travel (queue, running, ended), so that a job
that moves while we look is met at least once. No two replies are one snapshot. RQ's own registry
methods are never used: their "reads" clean up, retry and fail jobs.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass

from connectors.redis_reads import PAGE, Command, Failure, RedisReads, Reply, refusal
from connectors.rq.decoding import old_error
from connectors.rq.jobs import JOB_FIELDS, Attempt, Job, attempt_from
from connectors.rq.options import RESULT_BYTES, VALUE_BYTES, Names
from timeline.clean import clean, clean_bytes
from timeline.problems import BadAnswer

HEAD_JOBS = 100
"""Waiting jobs read from the front of a queue: those that run next."""
MAX_RUNNING = 200
MAX_WORKERS = 200
MAX_QUEUES = 200
NEWEST = PAGE
"""Newest members of a registry that are read beside the shifted range: jobs with a TTL of their
own are not where the default TTL would put them."""
MAX_ATTEMPTS = 10
"""RQ keeps ten results per job (rq 3.0.0, results.py: xadd maxlen)."""
WORKER_FIELDS = (
    "hostname",
    "pid",
    "birth",
    "death",
    "last_heartbeat",
    "state",
    "queues",
    "current_job",
    "version",
)
DEADLINES = ("-inf", "+inf")


@dataclass(frozen=True, slots=True)
class Worker:
    """One worker hash; it expires about eight minutes after the worker's last heartbeat."""

    name: str
    fields: dict[str, str]


@dataclass(frozen=True, slots=True)
class QueueState:
    """One queue as it is now. `overdue` running jobs have missed their heartbeat."""

    name: str
    depth: int
    waiting: tuple[str, ...]
    running: tuple[str, ...]
    overdue: tuple[str, ...]
    counts: dict[str, int]
    scheduled: tuple[tuple[str, float], ...]
    """Job id and due time (epoch seconds) of jobs that come due, soonest first."""

    @property
    def jobs(self) -> tuple[str, ...]:
        """Ids of the jobs that are perishable: running, about to run, about to come due."""
        return (*self.running, *self.waiting, *(job for job, _ in self.scheduled))


class RQReads:
    """Bounded reads of one RQ installation."""

    def __init__(self, redis: RedisReads, names: Names, page_jobs: int) -> None:
        self.redis = redis
        self.names = names
        self.page_jobs = page_jobs
        self.too_large = 0
        """Descriptions, errors and result streams that were left where they are."""

    async def queues(self, wanted: Sequence[str]) -> list[str]:
        """Queue names, sorted; only the wanted ones when any are named."""
        prefix = self.names.queue("")
        keys = [name(member) for member in await self._members(self.names.queues, MAX_QUEUES)]
        found = sorted(key.removeprefix(prefix) for key in keys if key.startswith(prefix))
        return [queue for queue in found if not wanted or queue in wanted]

    async def workers(self) -> list[Worker]:
        """The workers that are registered, with what their hash still holds."""
        keys = sorted(
            name(member) for member in await self._members(self.names.workers, MAX_WORKERS)
        )
        replies = await self._many([("HMGET", key, *WORKER_FIELDS) for key in keys])
        return [
            Worker(clean(key.rpartition(":")[2]), _fields(WORKER_FIELDS, reply))
            for key, reply in zip(keys, replies, strict=True)
        ]

    async def state(self, queue: str, now_s: float) -> QueueState:
        """What waits, runs and comes due in one queue, now."""
        names = self.names
        registries = ("failed", "finished", "deferred", "canceled", "scheduled", "wip")
        wip, due = names.registry("wip", queue), names.registry("scheduled", queue)
        replies = await self._many(
            [
                ("LLEN", names.queue(queue)),
                ("LRANGE", names.queue(queue), 0, HEAD_JOBS - 1),
                ("LRANGE", names.intermediate(queue), 0, HEAD_JOBS - 1),
                ("ZRANGEBYSCORE", wip, *DEADLINES, "WITHSCORES", "LIMIT", 0, MAX_RUNNING),
                ("ZRANGEBYSCORE", due, *DEADLINES, "WITHSCORES", "LIMIT", 0, PAGE),
                *(("ZCARD", names.registry(kind, queue)) for kind in registries),
            ]
        )
        running = [(job_of(member), score) for member, score in _scored(replies[3])]
        return QueueState(
            name=queue,
            depth=_whole(replies[0]),
            waiting=tuple(name(member) for member in [*_list(replies[1]), *_list(replies[2])]),
            running=tuple(job for job, _ in running),
            overdue=tuple(job for job, expires in running if expires < now_s),
            counts={kind: _whole(n) for kind, n in zip(registries, replies[5:], strict=True)},
            scheduled=tuple(_scored(replies[4])),
        )

    async def running(self, queue: str) -> list[str]:
        """Ids of the jobs that run now."""
        wip = self.names.registry("wip", queue)
        reply = await self.redis.one("ZRANGEBYSCORE", wip, *DEADLINES, "LIMIT", 0, MAX_RUNNING)
        return [job_of(name(member)) for member in _list(reply)]

    async def waiting(self, queue: str, limit: int) -> list[str]:
        """At most `limit` waiting job ids, newest first.

        Paged from the tail: workers pop at the head while we read, which would shift every
        position counted from there and hide jobs; a push at the tail only shows some twice.
        """
        found: dict[str, None] = {}
        for start in range(0, limit, PAGE):
            first, last = -min(start + PAGE, limit), -start - 1
            page = _list(await self.redis.one("LRANGE", self.names.queue(queue), first, last))
            found.update(dict.fromkeys(name(member) for member in reversed(page)))
            if len(page) < last - first + 1:
                break
        return list(found)

    async def by_score(self, key: str, low: float, high: float, limit: int) -> list[str]:
        """At most `limit` + 1 job ids with a score in `[low, high]`, paged by score.

        The page resumes at the last score instead of an offset, because the library removes
        expired members from the low end while we read.
        """
        found: dict[str, float] = {}
        start, skip = low, 0
        while len(found) <= limit:
            reply = await self.redis.one(
                *("ZRANGEBYSCORE", key, repr(start), repr(high), "WITHSCORES"),
                *("LIMIT", skip, self.page_jobs),
            )
            page = _scored(reply)
            found.update(page)
            if len(page) < self.page_jobs:
                break
            last = page[-1][1]
            repeated = sum(1 for _, score in page if score == last)
            skip = skip + repeated if last == start else repeated
            start = last
        return [job_of(member) for member in found]

    async def newest(self, key: str) -> list[str]:
        """The `NEWEST` members with the highest scores."""
        reply = await self.redis.one("ZRANGE", key, -NEWEST, -1)
        return [job_of(name(member)) for member in _list(reply)]

    async def jobs(self, ids: Sequence[str]) -> AsyncIterator[list[tuple[str, Job | None]]]:
        """Pages of (id, job) in the given order; None for a job whose hash is gone."""
        for start in range(0, len(ids), self.page_jobs):
            page = ids[start : start + self.page_jobs]
            yield list(zip(page, await self._page(page), strict=True))

    async def _page(self, ids: Sequence[str]) -> list[Job | None]:
        """Sizes first, then only what is within bounds."""
        names = self.names
        sizes = await self._many(
            [
                command
                for job_id in ids
                for command in (
                    ("HSTRLEN", names.job(job_id), "description"),
                    ("HSTRLEN", names.job(job_id), "exc_info"),
                    ("MEMORY USAGE", names.results(job_id)),
                )
            ]
        )
        commands: list[Command] = []
        for place, job_id in enumerate(ids):
            described, raised, results = (_whole(n) for n in sizes[3 * place : 3 * place + 3])
            self.too_large += (described > VALUE_BYTES) + (raised > VALUE_BYTES)
            self.too_large += results > RESULT_BYTES
            fields = list(JOB_FIELDS)
            fields.append("description" if described <= VALUE_BYTES else "-")
            fields.append("exc_info" if raised <= VALUE_BYTES else "-")
            commands.append(("HMGET", names.job(job_id), *fields))
            count = MAX_ATTEMPTS if results <= RESULT_BYTES else 0
            commands.append(("XREVRANGE", names.results(job_id), "+", "-", "COUNT", count))
        replies = await self._many(commands)
        return [
            self._job(job_id, replies[2 * place], replies[2 * place + 1])
            for place, job_id in enumerate(ids)
        ]

    def _job(self, job_id: str, reply: Reply, entries: Reply) -> Job | None:
        values = _list(reply)
        if not any(value is not None for value in values):
            return None
        fields = _fields((*JOB_FIELDS, "description"), values[:-1])
        raw = values[-1]
        fields["exc_info"] = old_error(raw) if isinstance(raw, bytes) else ""
        return Job(job_id, fields, tuple(_attempt(entry) for entry in _list(entries)))

    async def _members(self, key: str, limit: int) -> list[Reply]:
        """Members of a set by SSCAN, each once, at most `limit`."""
        found: dict[str, Reply] = {}
        cursor: Reply = 0
        for _ in range(limit):
            reply = _list(await self.redis.one("SSCAN", key, text(cursor), "COUNT", PAGE))
            if len(reply) != 2:
                raise BadAnswer("SSCAN was not answered with a cursor and members", where=key)
            cursor = reply[0]
            found.update((name(member), member) for member in _list(reply[1]))
            if text(cursor) == "0" or len(found) >= limit:
                break
        return list(found.values())[:limit]

    async def _many(self, commands: Sequence[Command]) -> list[Reply]:
        """Replies in pages of `PAGE` commands. The first error reply is raised as a problem."""
        replies: list[Reply] = []
        for start in range(0, len(commands), PAGE):
            for reply in await self.redis.many(commands[start : start + PAGE]):
                if isinstance(reply, Failure):
                    raise refusal(reply, self.redis.where)
                replies.append(reply)
        return replies


def job_of(member: str) -> str:
    """The job id of a registry member: `<job>:<execution>` since RQ 2.0, `<job>` before.

    Execution ids are 32 hex digits; a job id of the application's own may hold colons.
    """
    job, colon, execution = member.rpartition(":")
    is_execution = len(execution) == 32 and all(c in "0123456789abcdef" for c in execution)
    return job if colon and is_execution else member


def text(value: Reply) -> str:
    """A reply as cleaned text, to be shown; never to be sent again."""
    return clean_bytes(value) if isinstance(value, bytes) else _plain(value)


def name(value: Reply) -> str:
    """A key, member or job id as it is: undecodable bytes survive being sent again."""
    return value.decode("utf-8", "surrogateescape") if isinstance(value, bytes) else _plain(value)


def _plain(value: Reply) -> str:
    return "" if value is None else str(value)


def _attempt(entry: Reply) -> Attempt:
    parts = _list(entry)
    if len(parts) != 2:
        raise BadAnswer("a result stream entry is not an id with fields")
    flat = _list(parts[1])
    names = [text(field) for field in flat[::2]]
    values = [value if isinstance(value, bytes) else b"" for value in flat[1::2]]
    return attempt_from(text(parts[0]), dict(zip(names, values, strict=False)))


def _fields(names: Sequence[str], reply: Reply) -> dict[str, str]:
    return {field: text(value) for field, value in zip(names, _list(reply), strict=True)}


def _scored(reply: Reply) -> list[tuple[str, float]]:
    flat = _list(reply)
    return [
        (name(member), float(text(score)))
        for member, score in zip(flat[::2], flat[1::2], strict=True)
    ]


def _list(reply: Reply) -> list[Reply]:
    return reply if isinstance(reply, list) else []


def _whole(reply: Reply) -> int:
    return reply if isinstance(reply, int) else 0
