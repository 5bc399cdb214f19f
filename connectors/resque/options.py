"""What a person may configure for a Resque source, and the names of Resque's keys."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import Field, field_validator

from connectors.queues.redis_source import RedisQueueOptions

HEARTBEAT_S = 60
"""Resque.heartbeat_interval by default (resque 3.0.0, resque.rb)."""


class ResqueOptions(RedisQueueOptions):
    """`[env.E.sources.NAME]` with `connector = "resque"`."""

    namespace: str = "resque"
    """Resque.redis.namespace of the application, without its colon."""
    queues: tuple[str, ...] = ()
    """Queues to read; empty reads all."""
    zone: str = ""
    """Zone of the workers' clocks, like `Europe/Paris`: Resque stamps failures in local time with
    an abbreviation (`CET`) that names no zone. UTC and GMT need none."""
    heartbeat_s: int = Field(default=HEARTBEAT_S, ge=1, le=86_400)
    """Resque.heartbeat_interval of the application; node-resque's worker timeout."""

    @field_validator("namespace")
    @classmethod
    def _well_formed(cls, value: str) -> str:
        if not re.fullmatch(r"[A-Za-z0-9_.:{}-]+", value):
            raise ValueError("a namespace has letters, digits and _ . : - { } only, like 'resque'")
        return value.removesuffix(":")

    @field_validator("zone")
    @classmethod
    def _known(cls, value: str) -> str:
        try:
            if value:
                ZoneInfo(value)
        except (ZoneInfoNotFoundError, ValueError):
            raise ValueError("a zone is a name of the tz database, like 'Europe/Paris'") from None
        return value


@dataclass(frozen=True, slots=True)
class Names:
    """Resque's key names (resque 3.0.0, data_store.rb; resque-scheduler; resque-retry)."""

    namespace: str

    def key(self, *parts: str) -> str:
        return ":".join((self.namespace, *parts))

    def queue(self, name: str) -> str:
        return self.key("queue", name)

    def worker(self, identity: str) -> str:
        """The job that a worker runs; absent while it runs none."""
        return self.key("worker", identity)

    def started(self, identity: str) -> str:
        return self.key("worker", identity, "started")

    def ping(self, identity: str) -> str:
        """Heartbeat of a node-resque worker, whose name is its id without the queues."""
        return self.key("worker", "ping", identity.rpartition(":")[0])

    def delayed(self, due: int) -> str:
        """Jobs that come due at one second."""
        return self.key("delayed", str(due))

    def retries(self, job_class: str, arguments: Sequence[object]) -> list[tuple[str, str]]:
        """Where resque-retry may keep attempt and last error: hashed arguments, else as they are.

        None for arguments that are no scalars: Ruby and Node spell those in ways of their own.
        """
        if not all(isinstance(value, str | int | float) for value in arguments):
            return []
        joined = "-".join(str(value) for value in arguments)
        hashed = hashlib.sha1(joined.encode("utf-8", "replace"), usedforsecurity=False).hexdigest()
        found = []
        for identifier in (hashed, joined) if joined else ("",):
            parts = ("resque-retry", job_class, *([identifier] if identifier else []))
            attempts = re.sub(r"\s", "", ":".join(parts))
            found.append((self.key(attempts), self.key(f"failure-{attempts}")))
        return found
