"""Which queues are read: those that are named, or those that a bounded walk over the keys meets.

Owns the search for `<prefix>:<queue>:meta`, which BullMQ writes when a queue is first used and
never lets expire. It ends after a fixed number of calls, and what it left out is said.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from connectors.bullmq.options import BullMQOptions, Names
from connectors.queues.redis_search import walk
from connectors.queues.redis_source import listed
from connectors.redis_reads import Command, RedisReads
from timeline.problems import AccessRefused, NothingHere

MAX_QUEUES = 50
"""Found queues that are read: each costs some ten reads."""
MARKS = ("opts.maxLenEvents", "version")
"""Fields of a queue's meta, at least one of them since BullMQ 1; no job's hash has them."""
EXAMPLE = 'queues = ["mail"]'


@dataclass(frozen=True, slots=True)
class Queues:
    """The queues to read."""

    names: Sequence[Names]
    searched: bool
    limits: str = ""
    """What the search left out; empty when nothing."""


async def queues_of(redis: RedisReads, options: BullMQOptions) -> Queues:
    """The named queues, else those found. Raises `NothingHere`, `AccessRefused` and as reads do."""
    if options.queues:
        return Queues([Names(options.prefix, queue) for queue in options.queues], searched=False)
    found = await walk(redis, Names.every_meta(options.prefix))
    if found.refused:
        raise AccessRefused(
            f"BullMQ keeps no list of its queues, and they cannot be searched for: {found.refused}",
            where=redis.where,
            remedy=f"Name them as the application does: {EXAMPLE}, or allow +scan.",
        )
    begin, end = len(options.prefix) + 1, -len(":meta")
    names = [Names(options.prefix, key[begin:end]) for key in await _metas(redis, found.keys)]
    limits = found.limits("queues")
    if not names:
        raise NothingHere(
            f"No BullMQ queue was found{f': {limits}' if limits else ''}",
            where=f"{redis.where}, prefix {options.prefix}",
            remedy=f"Check prefix and the database number, or name the queues: {EXAMPLE}.",
        )
    if len(names) > MAX_QUEUES:
        more = f"{len(names)} queues were found, the first {MAX_QUEUES} by name are read"
        limits = "; ".join(part for part in (more, limits) if part)
    return Queues(names[:MAX_QUEUES], searched=True, limits=limits)


async def _metas(redis: RedisReads, keys: Sequence[str]) -> list[str]:
    """Those of the keys that hold a queue's meta, and not something else named like it."""
    asked: list[Command] = [("HMGET", key, *MARKS) for key in keys]
    answers = await redis.many(asked) if asked else []
    return [
        key
        for key, answer in zip(keys, answers, strict=True)
        if isinstance(answer, list) and any(listed(answer))
    ]
