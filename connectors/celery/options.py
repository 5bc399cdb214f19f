"""What a person may configure for a Celery source, and the names of kombu's and Celery's keys."""

from __future__ import annotations

from dataclasses import dataclass

from pydantic import Field, SecretStr

from connectors.queues.redis_source import RedisQueueOptions

VISIBILITY_TIMEOUT_S = 3_600
"""kombu's default visibility_timeout (kombu 5.7, transport/redis.py)."""
RESULT_EXPIRES_S = 86_400
"""Celery's default result_expires: one day (celery 5.7, app/defaults.py)."""
PRIORITY_STEPS = (0, 3, 6, 9)
"""kombu's default priority_steps: one list each (kombu 5.7, transport/redis.py)."""
SEPARATOR = "\x06\x16"
"""Between a queue's name and its priority, and between the parts of a binding."""


class CeleryOptions(RedisQueueOptions):
    """`[env.E.sources.NAME]` with `connector = "celery"`."""

    queues: tuple[str, ...] = ("celery",)
    """Queues to read, beside those that the exchanges' bindings name."""
    exchanges: tuple[str, ...] = ("celery",)
    """Exchanges whose bindings are asked for queues."""
    key_prefix: str = ""
    """`global_keyprefix` of the broker's transport options."""
    priority_steps: tuple[int, ...] = Field(default=PRIORITY_STEPS, min_length=1, max_length=10)
    visibility_timeout_s: int = Field(default=VISIBILITY_TIMEOUT_S, ge=1)
    """After this long without an acknowledgement a message is delivered again."""
    result_url: SecretStr | None = None
    """Redis of the result backend, when it is not that of the broker."""
    result_prefix: str = "celery-task-meta-"
    """What stands before a task's id in the result's key, `global_keyprefix` included."""
    result_expires_s: int = Field(default=RESULT_EXPIRES_S, ge=0)
    """`result_expires` of the application; 0 when results never expire."""

    def at_results(self) -> CeleryOptions:
        """The same options with the result backend's Redis as the one to reach."""
        changed = {} if self.result_url is None else {"url": self.result_url, "password": None}
        return self.model_copy(update=changed)


@dataclass(frozen=True, slots=True)
class Names:
    """kombu's key names (kombu 5.7.0)."""

    prefix: str
    steps: tuple[int, ...]

    @property
    def unacked(self) -> str:
        return f"{self.prefix}unacked"

    @property
    def unacked_index(self) -> str:
        return f"{self.prefix}unacked_index"

    def binding(self, exchange: str) -> str:
        return f"{self.prefix}_kombu.binding.{exchange}"

    def lists(self, queue: str) -> list[str]:
        """The lists of a queue, that of the highest priority (step 0) first."""
        return [
            f"{self.prefix}{queue}{SEPARATOR}{s}" if s else self.prefix + queue
            for s in sorted(self.steps)
        ]
