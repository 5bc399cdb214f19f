"""Which queues are read: those that are named, or those that a bounded walk over the keys meets.

An idle queue has no key at all, so the queue that dramatiq uses unless told otherwise is read
whenever the walk cannot exclude it.
"""

from __future__ import annotations

from dataclasses import dataclass

from connectors.dramatiq.options import DramatiqOptions
from connectors.queues.redis_search import walk
from connectors.redis_reads import RedisReads

MAX_QUEUES = 50
"""Found queues that are read: each costs some ten reads."""
DEFAULT_QUEUE = "default"


@dataclass(frozen=True, slots=True)
class Queues:
    """The queues to read, as the options would name them."""

    options: DramatiqOptions
    searched: bool
    limits: str = ""
    """What the search left out; empty when nothing."""


async def queues_of(redis: RedisReads, options: DramatiqOptions) -> Queues:
    """The named queues, else those found. Raises `SourceProblem` as reads do."""
    if options.queues:
        return Queues(options, searched=False)
    found = await walk(redis, options.key("*"))
    names = sorted({queue for key in found.keys if (queue := options.queue_in(key))})
    limits = found.limits("queues")
    if len(names) > MAX_QUEUES:
        more = f"{len(names)} queues were found, the first {MAX_QUEUES} by name are read"
        limits = "; ".join(part for part in (more, limits) if part)
    names = names[:MAX_QUEUES]
    if not names or (not found.whole and DEFAULT_QUEUE not in names):
        names = [DEFAULT_QUEUE, *names]
    return Queues(options.model_copy(update={"queues": tuple(names)}), searched=True, limits=limits)
