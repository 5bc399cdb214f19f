"""What a person may configure for a Prometheus source."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, SecretStr, field_validator

CONNECT_TIMEOUT_S = 5.0
READ_TIMEOUT_S = 15.0
MAX_QUERIES = 40
MAX_SERIES = 500
"""Series of one answer that are told; a query that matches more is a cut, said as one."""
STEP_S = 15
"""Between two points of a configured query; the usual scrape interval."""
MAX_POINTS = 1_000
"""Of one query; in a longer window the points stand farther apart."""


class PrometheusOptions(BaseModel):
    """`[env.E.sources.NAME]` with `connector = "prometheus"`."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)

    url: SecretStr
    """`http://prometheus:9090`, or the prefix below which `/api/v1` is (VictoriaMetrics' cluster:
    `http://vmselect:8481/select/0/prometheus`)."""
    username: str = ""
    password: SecretStr | None = None
    token: SecretStr | None = None
    """A bearer token, in the place of user name and password."""
    tenant: str = ""
    """X-Scope-OrgID, for Mimir and Cortex."""
    select: str = ""
    """Label matchers that bound everything asked by itself: `namespace="shop"`."""
    queries: dict[str, str] = Field(default_factory=dict, max_length=MAX_QUERIES)
    """Name and PromQL expression of curves to show: `orders = "sum(rate(orders_total[1m]))"`."""
    step_s: int = Field(default=STEP_S, ge=1, le=3600)
    ca_file: Path | None = None
    tls_server_name: str = ""
    max_series: int = Field(default=MAX_SERIES, ge=1, le=10_000)
    connect_timeout_s: float = Field(default=CONNECT_TIMEOUT_S, gt=0, le=60)
    read_timeout_s: float = Field(default=READ_TIMEOUT_S, gt=0, le=60)

    @field_validator("url")
    @classmethod
    def _an_address(cls, value: SecretStr) -> SecretStr:
        problem = ValueError("write it as http://host:9090")
        try:
            parts = urlsplit(value.get_secret_value())
            complete = parts.scheme in ("http", "https") and parts.hostname and parts.port != 0
        except ValueError:  # its message may quote the address, and so a password
            raise problem from None
        if not complete or parts.query or parts.fragment:
            raise problem
        return value

    @field_validator("select")
    @classmethod
    def _matchers_only(cls, value: str) -> str:
        if "{" in value or "}" in value:
            raise ValueError('give the matchers without braces: namespace="shop"')
        return value.strip().strip(",")
