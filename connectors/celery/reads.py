"""What is read of Celery's keys on its broker: queues, both ends of lists, unacked messages.

A worker holds in `unacked` what it runs with late acknowledgement, what it has fetched ahead, and
what waits there for its eta; Redis cannot tell these apart.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from connectors.celery.messages import Message, delivered_from, message_from
from connectors.celery.options import SEPARATOR, CeleryOptions, Names
from connectors.queues.redis_source import (
    bounded_fields,
    ends,
    members,
    replies,
    scored,
    whole,
)
from connectors.queues.transitions import epoch_ns
from connectors.redis_reads import PAGE, RedisReads
from timeline.clean import clean
from timeline.window import SECOND_NS, Window

END_MESSAGES = 100
"""Messages read from either end of each list: the tail runs next, the head came last."""


@dataclass(frozen=True, slots=True)
class Waiting:
    """One queue as it is now, over the lists of all its priorities."""

    queue: str
    """Cleaned."""
    key: str
    depth: int
    messages: tuple[Message, ...]
    unreadable: int
    by_list: dict[str, int]


@dataclass(frozen=True, slots=True)
class Unacked:
    """One message that a worker has and has not acknowledged."""

    tag: str
    """Cleaned delivery tag."""
    delivered: int | None
    """ns UTC by the worker's clock."""
    message: Message


async def queue_names(redis: RedisReads, names: Names, options: CeleryOptions) -> list[str]:
    """The configured queues and those bound to the configured exchanges, as Redis has them."""
    found = dict.fromkeys(options.queues)
    for exchange in (*options.exchanges, *options.queues):
        for binding in await members(redis, names.binding(exchange)):
            queue = binding.rpartition(SEPARATOR)[2]
            if queue:
                found[queue] = None
    return list(found)


async def read_waiting(redis: RedisReads, names: Names, queue: str) -> Waiting:
    """How much waits in a queue, and its messages from both ends of each list."""
    lists = names.lists(queue)
    lengths = [whole(n) for n in await replies(redis, [("LLEN", key) for key in lists])]
    found: list[Message] = []
    unreadable = 0
    for key, length in zip(lists, lengths, strict=True):
        for content in await ends(redis, key, length, END_MESSAGES):
            message = message_from(content, clean(queue))
            unreadable += message is None
            found += [message] if message is not None else []
    return Waiting(
        queue=clean(queue),
        key=clean(names.prefix + queue),
        depth=sum(lengths),
        messages=tuple(found),
        unreadable=unreadable,
        by_list={clean(k): n for k, n in zip(lists, lengths, strict=True) if n},
    )


async def read_unacked(
    redis: RedisReads, names: Names, window: Window | None, limit: int
) -> tuple[list[Unacked], int, int]:
    """The oldest and newest unacknowledged messages and those delivered in `window`.

    Also how many there are, and how many of those that were read cannot be understood.
    """
    index = names.unacked_index
    commands: list[tuple[str | int | float, ...]] = [
        ("ZRANGE", index, 0, PAGE - 1, "WITHSCORES"),
        ("ZRANGE", index, -PAGE, -1, "WITHSCORES"),
    ]
    if window is not None:
        span = (repr(window.start / SECOND_NS), repr(window.end / SECOND_NS))
        commands.append(("ZRANGEBYSCORE", index, *span, "WITHSCORES", "LIMIT", 0, min(limit, PAGE)))
    total, *ranges = await replies(redis, [("ZCARD", index), *commands])
    delivered = {tag: score for reply in ranges for tag, score in scored(reply)}
    tags: Sequence[str] = sorted(delivered, key=lambda tag: delivered[tag])
    contents, large = await bounded_fields(redis, [(names.unacked, tag) for tag in tags])
    found, unreadable = [], len(large)
    for tag, content in zip(tags, contents, strict=True):
        message = delivered_from(content) if content else None
        unreadable += message is None and content is not None
        if message is not None:
            found.append(Unacked(clean(tag), epoch_ns(delivered[tag], SECOND_NS), message))
    return found, whole(total), unreadable
