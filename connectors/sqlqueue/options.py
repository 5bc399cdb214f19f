"""What a person may configure for a job queue that lives in PostgreSQL, the same for each."""

from __future__ import annotations

from typing import Self

from pydantic import BaseModel, ConfigDict, Field, SecretStr, model_validator

from connectors.postgresql.options import (
    CONNECT_TIMEOUT_S,
    LOCK_TIMEOUT_MS,
    STATEMENT_TIMEOUT_MS,
    PostgreSQLOptions,
)


class SqlQueueOptions(BaseModel):
    """`[env.E.sources.NAME]` with `connector = "procrastinate"` or another of these systems."""

    model_config = ConfigDict(
        extra="forbid", frozen=True, hide_input_in_errors=True, populate_by_name=True
    )

    dsn: SecretStr | None = None
    """`postgresql://user@host:5432/shop`, or libpq's `host=… dbname=…`."""
    host: str = ""
    port: int | None = Field(default=None, ge=1, le=65_535)
    dbname: str = ""
    user: str = ""
    password: SecretStr | None = None
    schema_name: str = Field(default="", alias="schema")
    """Where the queue's tables are, when they are not where the system puts them by default."""
    zone: str = ""
    """Zone of stamps without one. Empty reads them as UTC, and says that this was assumed."""
    arguments: dict[str, tuple[str, ...]] = Field(default_factory=dict)
    """Names of positional arguments by job: `WelcomeMail = ["user_id"]` makes the 4711 of
    `WelcomeMail(4711)` the key `user:4711`. A bare number is never a key."""
    max_jobs: int = Field(default=5_000, ge=1, le=100_000)
    """Jobs read by one stamp on one side of T; more than this is said, not read."""
    page_jobs: int = Field(default=500, ge=1, le=5_000)
    """Jobs whose history is read at a time."""
    statement_timeout_ms: int = Field(default=STATEMENT_TIMEOUT_MS, ge=50, le=60_000)
    lock_timeout_ms: int = Field(default=LOCK_TIMEOUT_MS, ge=10, le=60_000)
    connect_timeout_s: float = Field(default=CONNECT_TIMEOUT_S, gt=0, le=60)

    @model_validator(mode="after")
    def _reachable(self) -> Self:
        self.session_options()
        return self

    def session_options(self) -> PostgreSQLOptions:
        """The same connection as a PostgreSQL source. Raises ValueError for what cannot be one."""
        return PostgreSQLOptions(
            dsn=self.dsn,
            host=self.host,
            port=self.port,
            dbname=self.dbname,
            user=self.user,
            password=self.password,
            zone=self.zone,
            statement_timeout_ms=self.statement_timeout_ms,
            lock_timeout_ms=self.lock_timeout_ms,
            connect_timeout_s=self.connect_timeout_s,
        )
