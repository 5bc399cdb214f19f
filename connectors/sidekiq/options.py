"""What a person may configure for a Sidekiq source, and the names of Sidekiq's keys."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime

from pydantic import field_validator

from connectors.queues.redis_source import RedisQueueOptions


class SidekiqOptions(RedisQueueOptions):
    """`[env.E.sources.NAME]` with `connector = "sidekiq"`."""

    namespace: str = ""
    """Prefix of redis-namespace, which Sidekiq 6 and older could be given; without its colon."""
    queues: tuple[str, ...] = ()
    """Queues to read; empty reads all."""

    @field_validator("namespace")
    @classmethod
    def _well_formed(cls, value: str) -> str:
        if not re.fullmatch(r"[A-Za-z0-9_.:{}-]*", value):
            raise ValueError("a namespace has letters, digits and _ . : - { } only, like 'shop'")
        return value.removesuffix(":")


@dataclass(frozen=True, slots=True)
class Names:
    """Sidekiq's key names (sidekiq 8.1.7: api.rb, launcher.rb, metrics/tracking.rb)."""

    namespace: str = ""

    def key(self, name: str) -> str:
        return f"{self.namespace}:{name}" if self.namespace else name

    def queue(self, name: str) -> str:
        return self.key(f"queue:{name}")

    def work(self, identity: str) -> tuple[str, str]:
        """Where a process keeps its running jobs: since 6.4.2, and up to 6.4.1."""
        return self.key(f"{identity}:work"), self.key(f"{identity}:workers")

    def day(self, counter: str, day: datetime) -> str:
        """`counter` is processed or failed; days are UTC."""
        return self.key(f"stat:{counter}:{day:%Y-%m-%d}")

    def minute(self, minute: datetime) -> tuple[str, str]:
        """Counts of one UTC minute: as 8.x spells it, and as 7.x did."""
        hour, short = minute.hour, minute.minute
        return (
            self.key(f"j|{minute:%y%m%d}|{hour}:{short:02d}"),
            self.key(f"j|{minute:%Y%m%d}|{hour}:{short}"),
        )

    def marks(self, day: datetime) -> str:
        """Deployments of one UTC day (sidekiq 7.0, deploy.rb)."""
        return self.key(f"{day:%Y%m%d}-marks")
