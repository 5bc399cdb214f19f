"""What a person may configure for a Loki source (unknown keys are refused)."""

from __future__ import annotations

from pathlib import Path
from typing import Self
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, SecretStr, field_validator, model_validator

PAGE_SIZE = 1_000
"""Lines of one page; Loki's own limit is 5,000 unless raised (max_entries_limit_per_query)."""
CONNECT_TIMEOUT_S = 5.0
READ_TIMEOUT_S = 15.0


class LokiOptions(BaseModel):
    """`[env.E.sources.NAME]` with `connector = "loki"`."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)

    url: SecretStr
    """`https://loki.example.org`, with a path when a gateway puts one in front of /loki/api."""
    query: str
    """A LogQL log query: `{namespace="shop"} != "healthz"`."""
    tenant: str = ""
    """Sent as X-Scope-OrgID; several are joined with `|` where the server allows it."""
    username: str = ""
    password: SecretStr | None = None
    bearer: SecretStr | None = None
    ca_file: Path | None = None
    tls_server_name: str = ""
    zone: str = ""
    """Zone of stamps inside the lines that carry none; UTC is assumed without."""
    page_size: int = Field(default=PAGE_SIZE, ge=1, le=5_000)
    connect_timeout_s: float = Field(default=CONNECT_TIMEOUT_S, gt=0, le=60)
    read_timeout_s: float = Field(default=READ_TIMEOUT_S, gt=0, le=120)

    @field_validator("url")
    @classmethod
    def _an_http_address(cls, value: SecretStr) -> SecretStr:
        problem = ValueError("write it as https://loki.example.org:3100")
        try:
            parts = urlsplit(value.get_secret_value())
            complete = parts.scheme in ("http", "https") and parts.hostname and parts.port != 0
        except ValueError:  # its message may quote the address, and so a password
            raise problem from None
        if not complete:
            raise problem
        return value

    @field_validator("query")
    @classmethod
    def _a_log_query(cls, value: str) -> str:
        if not value.strip().startswith("{"):
            raise ValueError('write a log query that begins with its selector: {app="web"}')
        return value.strip()

    @field_validator("zone")
    @classmethod
    def _zone_exists(cls, zone: str) -> str:
        from connectors.logs.zones import ZoneRule

        ZoneRule.named(zone)
        return zone

    @model_validator(mode="after")
    def _one_way_in(self) -> Self:
        if self.password is not None and self.bearer is not None:
            raise ValueError("password and bearer exclude each other; keep one")
        return self
