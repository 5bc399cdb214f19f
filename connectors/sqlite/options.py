"""What a person may configure for an SQLite source, and nothing else (unknown keys are refused)."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field, field_validator

from connectors.sql.options import TableOptions, known_zone

STATEMENT_TIMEOUT_MS = 1_000
"""Without a WAL a write of the application waits while one of our reads runs; frameworks wait five
seconds for a lock (Django's and Rails' default), so one second disturbs nobody."""
PAGE_ROWS = 1_000
COPY_BYTES = 256 * 1024 * 1024
"""Largest database that is copied when it cannot be opened without writing beside it."""


class SQLiteOptions(BaseModel):
    """`[env.E.sources.NAME]` with `connector = "sqlite"`."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)

    path: str = Field(min_length=1)
    """The database file; `~` is the home folder."""
    tables: tuple[TableOptions, ...] = ()
    discover: bool | None = None
    """Look for tables that have a creation stamp; by default only when `tables` is empty."""
    audits: bool = True
    """Look for audit tables (paper_trail, audited, …) and read what they recorded."""
    zone: str = ""
    """Zone of stamps without one. Empty reads them as UTC and says that this was assumed."""
    statement_timeout_ms: int = Field(default=STATEMENT_TIMEOUT_MS, ge=50, le=60_000)
    page_rows: int = Field(default=PAGE_ROWS, ge=1, le=10_000)
    copy_bytes: int = Field(default=COPY_BYTES, ge=0)

    _zone = field_validator("zone")(known_zone)

    @property
    def discovers(self) -> bool:
        return not self.tables if self.discover is None else self.discover
