"""What a person may configure for a dramatiq source, and the names of dramatiq's keys."""

from __future__ import annotations

from pydantic import Field

from connectors.queues.redis_source import RedisQueueOptions

HEARTBEAT_TIMEOUT_S = 60.0
"""dramatiq's default heartbeat_timeout: a worker silent for longer may be taken for dead."""
DELAYED = ".DQ"
"""Behind a queue's name: the queue of its messages that are not due yet."""
DEAD = ".XQ"
"""Behind a queue's name: its messages that were given up, for seven days by default."""
ACKS = "__acks__."
"""Before a worker's id and a queue's name: what the worker holds of the queue."""
MESSAGES = ".msgs"
"""Behind any of these: the messages themselves, by their ids in Redis."""


class DramatiqOptions(RedisQueueOptions):
    """`[env.E.sources.NAME]` with `connector = "dramatiq"`."""

    queues: tuple[str, ...] = ()
    """Queues to read. dramatiq keeps no list of them: left out, they are searched for among the
    first keys that Redis walks."""
    namespace: str = Field(default="dramatiq", pattern=r"^[A-Za-z0-9_.:{}-]+$")
    heartbeat_timeout_s: float = Field(default=HEARTBEAT_TIMEOUT_S, gt=0)
    """`heartbeat_timeout` of the broker, in seconds."""

    def key(self, name: str) -> str:
        """A queue, `__heartbeats__` or `__acks__` (dramatiq 2.2.1, dispatch.lua)."""
        return f"{self.namespace}:{name}"

    def queue_in(self, key: str) -> str:
        """The queue that a key is about; empty when it is about none."""
        name = key.removeprefix(f"{self.namespace}:")
        if name.startswith(ACKS):  # __acks__.<worker>.<queue>
            name = name.removeprefix(ACKS).partition(".")[2]
        for part in (MESSAGES, DELAYED, DEAD):
            name = name.removesuffix(part)
        return "" if name.startswith("__") else name
