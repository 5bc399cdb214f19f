"""What a person may configure for a BullMQ source, and the names of BullMQ's keys."""

from __future__ import annotations

from dataclasses import dataclass

from pydantic import Field

from connectors.queues.redis_source import RedisQueueOptions

LOCK_DURATION_S = 30.0
"""BullMQ's default lockDuration: a lock is renewed at half of it (bullmq 6.7, worker.ts)."""
KEPT_EVENTS = 10_000
"""BullMQ's default streams.events.maxLen: about 2,500 jobs of one queue."""
WHOLE_STREAM = 20_000
"""A stream up to this long is read whole, so that every job's name and first entry are known."""


class BullMQOptions(RedisQueueOptions):
    """`[env.E.sources.NAME]` with `connector = "bullmq"`."""

    queues: tuple[str, ...] = ()
    """Queues to read. BullMQ keeps no list of them: left out, they are searched for among the
    first keys that Redis walks."""
    prefix: str = Field(default="bull", pattern=r"^[A-Za-z0-9_.:{}-]+$")
    """`prefix` of the application's queues, with its braces when it has any."""
    lock_duration_s: float = Field(default=LOCK_DURATION_S, gt=0, le=86_400)
    """`lockDuration` of the workers: how long a dead worker's lock outlives it."""
    whole_stream: int = Field(default=WHOLE_STREAM, ge=1, le=200_000)
    """Longest events stream that is read whole; of a longer one only the window is read."""


@dataclass(frozen=True, slots=True)
class Names:
    """BullMQ's key names for one queue (bullmq 6.7.0; Bull 4 has no stream)."""

    prefix: str
    queue: str

    def key(self, part: str) -> str:
        """`wait`, `active`, `delayed`, `events`, `meta`, a job's id, `<id>:lock`, ..."""
        return f"{self.prefix}:{self.queue}:{part}"

    @staticmethod
    def every_meta(prefix: str) -> str:
        """Glob of the one hash that every queue has from its first use on."""
        return f"{prefix}:*:meta"
