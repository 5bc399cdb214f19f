"""Longer Redis structures in bounded pages: lists, sorted sets, hashes of unknown size.

Owns the direction of reading, so that what moves while we look is met at least once; no two
replies are one snapshot. Everything goes through `RedisReads`.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence

from connectors.queues.redis_source import (
    PAGE_BYTES,
    affordable,
    listed,
    name,
    octets,
    replies,
    text,
    whole,
)
from connectors.redis_reads import PAGE, Command, RedisReads, Reply
from timeline.problems import BadAnswer


async def newest(
    redis: RedisReads,
    key: str,
    limit: int,
    page: int = PAGE,
    *,
    pushed_left: bool,
    skip: int = 0,
) -> AsyncIterator[list[bytes]]:
    """Pages of a list, newest element first, at most `limit` elements after the first `skip`.

    Paged from the end where jobs are pushed: workers pop at the other one, which would shift
    every position counted from there and hide jobs; a push only shows some of them twice.
    """
    page = await affordable(redis, key, whole(await redis.one("LLEN", key)), page)
    start, end = skip, skip + limit
    while page and start < end:
        stop = min(start + page, end)
        span = (start, stop - 1) if pushed_left else (-stop, -start - 1)
        found = [
            octets(element) or b"" for element in listed(await redis.one("LRANGE", key, *span))
        ]
        yield found if pushed_left else found[::-1]
        if len(found) < stop - start:
            return
        start = stop


async def by_score(
    redis: RedisReads, key: str, low: float, limit: int, page: int = PAGE
) -> list[tuple[bytes, float]]:
    """At most `limit` + 1 members with a score of `low` or more, lowest first.

    The next page begins at the last score instead of an offset, because members leave at the low
    end while we read. One more than `limit` tells the caller that there are others.
    """
    page = await affordable(redis, key, whole(await redis.one("ZCARD", key)), page)
    found: dict[bytes, float] = {}
    start, skip = repr(low), 0
    while page and len(found) <= limit:
        span = ("ZRANGEBYSCORE", key, start, "+inf", "WITHSCORES", "LIMIT", skip, page)
        members = scored_bytes(await redis.one(*span))
        found.update(members)
        if len(members) < page:
            break
        last = repr(members[-1][1])
        repeated = sum(1 for _, score in members if repr(score) == last)
        skip = skip + repeated if last == start else repeated
        start = last
    return list(found.items())[: limit + 1]


async def hash_fields(redis: RedisReads, key: str, limit: int) -> dict[str, bytes]:
    """Fields of a hash with their values by HSCAN, about `limit` of them at most."""
    found: dict[str, bytes] = {}
    cursor = "0"
    for _ in range(limit):
        reply = listed(await redis.one("HSCAN", key, cursor, "COUNT", PAGE))
        if len(reply) != 2:
            raise BadAnswer("HSCAN was not answered with a cursor and fields", where=key)
        cursor = name(reply[0])
        found.update(paired(reply[1]))
        if cursor == "0" or len(found) >= limit:
            break
    return found


async def hashes(redis: RedisReads, keys: Sequence[str], limit: int) -> list[dict[str, bytes]]:
    """Fields of several hashes, as a rule in one round trip; of each about `limit` at most."""
    pages = await replies(redis, [("HSCAN", key, 0, "COUNT", PAGE) for key in keys])
    found = []
    for key, reply in zip(keys, pages, strict=True):
        parts = listed(reply)
        whole_hash = len(parts) == 2 and name(parts[0]) == "0"
        found.append(paired(parts[1]) if whole_hash else await hash_fields(redis, key, limit))
    return found


async def ends(
    redis: RedisReads, keys: Sequence[str], count: int, *, first: bool
) -> list[tuple[int, list[bytes]]]:
    """Length and the first (or last) `count` elements of several lists, in two round trips.

    Together they weigh about `PAGE_BYTES` at most, going by each list's average element.
    """
    measured: list[Command] = [part for key in keys for part in _measures(key)]
    sizes = [whole(reply) for reply in await replies(redis, measured)]
    lengths = sizes[::2]
    commands: list[Command] = []
    for key, length, memory in zip(keys, lengths, sizes[1::2], strict=True):
        fitting = PAGE_BYTES * max(length, 1) // max(memory * len(keys), 1)
        wanted = min(count, fitting)
        span = (0, wanted - 1) if first else (-wanted, -1)
        commands.append(("LRANGE", key, *span) if wanted else ("EXISTS", key))
    found = [
        [octets(element) or b"" for element in listed(reply)]
        for reply in await replies(redis, commands)
    ]
    return list(zip(lengths, found, strict=True))


def _measures(key: str) -> tuple[Command, Command]:
    return ("LLEN", key), ("MEMORY USAGE", key)


def paired(reply: Reply) -> dict[str, bytes]:
    """Field and value in turn, as a mapping."""
    flat = listed(reply)
    pairs = zip(flat[::2], flat[1::2], strict=False)
    return {name(field): octets(value) or b"" for field, value in pairs}


def scored_bytes(reply: Reply) -> list[tuple[bytes, float]]:
    """Members, as they are, and scores of a reply WITHSCORES, in its order."""
    flat = listed(reply)
    pairs = zip(flat[::2], flat[1::2], strict=False)
    return [(octets(member) or b"", float(text(score))) for member, score in pairs]
