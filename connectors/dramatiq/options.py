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
MESSAGES = ".msgs"
"""Behind any of these: the messages themselves, by their ids in Redis."""


class DramatiqOptions(RedisQueueOptions):
    """`[env.E.sources.NAME]` with `connector = "dramatiq"`."""

    queues: tuple[str, ...] = Field(default=("default",), min_length=1)
    """Queues to read. dramatiq keeps no list of them."""
    namespace: str = Field(default="dramatiq", pattern=r"^[A-Za-z0-9_.:{}-]+$")
    heartbeat_timeout_s: float = Field(default=HEARTBEAT_TIMEOUT_S, gt=0)
    """`heartbeat_timeout` of the broker, in seconds."""

    def key(self, name: str) -> str:
        """A queue, `__heartbeats__` or `__acks__` (dramatiq 2.2.1, dispatch.lua)."""
        return f"{self.namespace}:{name}"
