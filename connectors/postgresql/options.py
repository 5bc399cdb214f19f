"""What a person may configure for a PostgreSQL source, and nothing else (unknown keys are refused).

Secrets are `SecretStr` and stay out of validation messages.
"""

from __future__ import annotations

from typing import Self

from pydantic import BaseModel, ConfigDict, Field, SecretStr, field_validator, model_validator

from connectors.sql.options import TableOptions as TableOptions  # re-exported beside its owner
from connectors.sql.options import known_zone

STATEMENT_TIMEOUT_MS = 2_000
"""A read that takes longer costs the database more than it tells us about one hour."""
LOCK_TIMEOUT_MS = 200
"""We wait behind nobody's lock: an ALTER TABLE in progress is a finding, not a queue to join."""
CONNECT_TIMEOUT_S = 5.0
PAGE_ROWS = 1_000


class PostgreSQLOptions(BaseModel):
    """`[env.E.sources.NAME]` with `connector = "postgresql"`."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)

    dsn: SecretStr | None = None
    """`postgresql://user@host:5432/shop?sslmode=verify-full` or libpq's `host=… dbname=…`."""
    host: str = ""
    port: int | None = Field(default=None, ge=1, le=65_535)
    dbname: str = ""
    user: str = ""
    password: SecretStr | None = None
    tables: tuple[TableOptions, ...] = ()
    discover: bool | None = None
    """Look for tables that have a creation stamp; by default only when `tables` is empty."""
    audits: bool = True
    """Look for audit tables (paper_trail, audited, logidze, …) and read what they recorded."""
    zone: str = ""
    """Zone of columns without one. Empty reads them as UTC and says that this was assumed."""
    statement_timeout_ms: int = Field(default=STATEMENT_TIMEOUT_MS, ge=50, le=60_000)
    lock_timeout_ms: int = Field(default=LOCK_TIMEOUT_MS, ge=10, le=60_000)
    connect_timeout_s: float = Field(default=CONNECT_TIMEOUT_S, gt=0, le=60)
    page_rows: int = Field(default=PAGE_ROWS, ge=1, le=10_000)

    _zone = field_validator("zone")(known_zone)

    @model_validator(mode="after")
    def _one_way_in(self) -> Self:
        if self.dsn is None and not self.host:
            raise ValueError("say where the database is: dsn, or host with dbname and user")
        if self.dsn is not None and self.host:
            raise ValueError("dsn and host exclude each other; keep one")
        return self

    @property
    def discovers(self) -> bool:
        return not self.tables if self.discover is None else self.discover
