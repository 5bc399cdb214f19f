"""What a person may configure for an RQ source, and the names of RQ's keys."""

from __future__ import annotations

import re
from dataclasses import dataclass

from pydantic import BaseModel, ConfigDict, Field, SecretStr, field_validator

from connectors.redis_reads import CONNECT_TIMEOUT_S, PAGE, READ_TIMEOUT_S

RESULT_TTL_S = 500
"""RQ's default result_ttl: how long a success is kept (rq 3.0.0, defaults.py)."""
FAILURE_TTL_S = 31_536_000
"""RQ's default failure_ttl: one year (rq 3.0.0, defaults.py)."""
MAX_JOBS = 5_000
"""Jobs read from one registry; more than this is said, not read."""
VALUE_BYTES = 16 * 1024
"""Longest description that is fetched; a longer one is left where it is."""
RESULT_BYTES = 256 * 1024
"""Largest result stream that is fetched: its entries also hold pickled return values."""


class RQOptions(BaseModel):
    """`[env.E.sources.NAME]` with `connector = "rq"`."""

    model_config = ConfigDict(
        extra="forbid", frozen=True, hide_input_in_errors=True, validate_default=True
    )

    url: SecretStr
    """`redis://user@host:6379/0`, `rediss://` for TLS, `unix:///path` for a socket."""
    password: SecretStr | None = None
    """Kept out of the url, when that is easier to supply."""
    prefix: str = "rq:"
    """RQ_KEY_PREFIX of the application, with or without its colon."""
    queues: tuple[str, ...] = ()
    """Queues to read; empty reads all."""
    result_ttl_s: int = Field(default=RESULT_TTL_S, ge=-1)
    failure_ttl_s: int = Field(default=FAILURE_TTL_S, ge=-1)
    """What the workers were started with; jobs that say otherwise are believed."""
    arguments: dict[str, tuple[str, ...]] = Field(default_factory=dict)
    """Names of positional arguments by function: `welcome_mail = ["user_id"]` makes the 4711 of
    `welcome_mail(4711)` the key `user:4711`. A bare number is never a key."""
    producer_clock: str = ""
    """Name of the clock that stamps enqueued_at, when one host enqueues everything."""
    ask_rights: bool | None = None
    """True: the account has the rules `+acl|whoami +acl|dryrun`, so `check` may ask what it may
    do. False asks nothing. Left out, only Redis' own account `default` is asked about."""
    page_jobs: int = Field(default=PAGE, ge=1, le=PAGE)
    max_jobs: int = Field(default=MAX_JOBS, ge=1, le=100_000)
    connect_timeout_s: float = Field(default=CONNECT_TIMEOUT_S, gt=0, le=60)
    read_timeout_s: float = Field(default=READ_TIMEOUT_S, gt=0, le=60)

    @field_validator("prefix")
    @classmethod
    def _well_formed(cls, value: str) -> str:
        if not re.fullmatch(r"[A-Za-z0-9_.:{}-]+", value):
            raise ValueError("a key prefix has letters, digits and _ . : - { } only, like 'rq:'")
        return value.removesuffix(":")


@dataclass(frozen=True, slots=True)
class Names:
    """RQ's key names under one prefix (rq 3.0.0; 1.16 differs only in wip members)."""

    prefix: str

    @property
    def queues(self) -> str:
        return f"{self.prefix}:queues"

    @property
    def workers(self) -> str:
        return f"{self.prefix}:workers"

    @property
    def suspended(self) -> str:
        return f"{self.prefix}:suspended"

    def queue(self, name: str) -> str:
        return f"{self.prefix}:queue:{name}"

    def intermediate(self, name: str) -> str:
        return f"{self.prefix}:queue:{name}:intermediate"

    def registry(self, kind: str, queue: str) -> str:
        """`kind` is wip, finished, failed, scheduled, deferred or canceled."""
        return f"{self.prefix}:{kind}:{queue}"

    def job(self, job_id: str) -> str:
        return f"{self.prefix}:job:{job_id}"

    def results(self, job_id: str) -> str:
        return f"{self.prefix}:results:{job_id}"
