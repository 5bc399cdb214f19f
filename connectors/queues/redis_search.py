"""Finds keys by a pattern when nobody has named them: one walk of SCAN, with an end.

SCAN looks at about COUNT keys a call and blocks Redis no longer than that; what makes it dear is
walking all of a large database. So the walk ends after `MAX_CALLS` or `WALK_S`, whichever comes
first, and says how far it came.
"""

from __future__ import annotations

import time
from dataclasses import dataclass

from connectors.queues.redis_source import listed, name, whole
from connectors.redis_reads import SCAN_KEYS, Failure, RedisReads, refusal
from timeline.problems import AccessRefused, BadAnswer

MAX_CALLS = 300
"""Calls of one walk: 300,000 keys. A call took Redis 7.0 with a million keys about 0.8 ms."""
WALK_S = 2.0
"""Time of one walk: over a slow line the calls, which cannot be pipelined, are what takes long."""
NAME_THEM = 'queues = ["…"]'


@dataclass(frozen=True, slots=True)
class Walk:
    """Keys that were met, and what the walk is worth."""

    keys: tuple[str, ...]
    total: int
    """Keys of the database at the start."""
    examined: int
    """About so many of them were looked at."""
    whole: bool
    """Whether every key was."""
    refused: str = ""
    """Why nothing was looked at; empty when something was."""

    def limits(self, what: str) -> str:
        """What was not looked at, and what to do about it; empty when everything was."""
        if self.refused:
            return f"{what} could not be searched for ({self.refused}); name them: {NAME_THEM}"
        if self.whole:
            return ""
        return (
            f"{what} were searched for among about {self.examined:,} of {self.total:,} keys; "
            f"name those that are missing: {NAME_THEM}"
        )


async def walk(redis: RedisReads, pattern: str) -> Walk:
    """Keys that match the glob `pattern`, sorted. Raises `SourceProblem`.

    An account that may not SCAN is no problem of this function: the walk then says so.
    """
    (size,) = await redis.many([("DBSIZE",)])
    total = 0 if isinstance(size, Failure) else whole(size)
    found, cursor, calls = set[str](), "0", 0
    deadline = time.monotonic() + WALK_S
    while calls < MAX_CALLS and (calls == 0 or time.monotonic() < deadline):
        (reply,) = await redis.many([("SCAN", cursor, "MATCH", pattern, "COUNT", SCAN_KEYS)])
        if isinstance(reply, Failure):
            problem = refusal(reply, redis.where)
            if calls == 0 and isinstance(problem, AccessRefused):
                return Walk((), total, 0, whole=False, refused="the Redis account has no +scan")
            raise problem
        parts = listed(reply)
        if len(parts) != 2:
            raise BadAnswer("SCAN was not answered with a cursor and keys", where=redis.where)
        calls, cursor = calls + 1, name(parts[0])
        found.update(map(name, listed(parts[1])))
        if cursor == "0":
            break
    return Walk(tuple(sorted(found)), total, calls * SCAN_KEYS, whole=cursor == "0")
