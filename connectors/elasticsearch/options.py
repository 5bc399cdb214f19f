"""What a person may configure for an Elasticsearch or OpenSearch source (unknown keys are refused).

Secrets are `SecretStr` and stay out of validation messages.
"""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Self
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, SecretStr, field_validator, model_validator

PAGE_SIZE = 1_000
"""Most records of one page: what one thread may decode without being felt on the screen."""
CONNECT_TIMEOUT_S = 5.0
READ_TIMEOUT_S = 10.0


class Flavor(StrEnum):
    """Whose server it is; they differ in paths and in what breaks ties."""

    ELASTICSEARCH = "elasticsearch"
    OPENSEARCH = "opensearch"


class ElasticsearchOptions(BaseModel):
    """`[env.E.sources.NAME]` with `connector = "elasticsearch"`, for OpenSearch too."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)

    url: SecretStr
    """`https://user@search.example.org:9200`, or with a path in front of the API."""
    index: str
    """Index, alias, data stream or pattern that holds the logs: `logs-*`, `web-*,mailer-*`."""
    username: str = ""
    password: SecretStr | None = None
    api_key: SecretStr | None = None
    """The encoded form, as `POST /_security/api_key` returns it."""
    bearer: SecretStr | None = None
    ca_file: Path | None = None
    """Certificates to trust instead of the system's."""
    tls_server_name: str = ""
    """The name in the certificate, when the url leads to the local end of a tunnel."""
    flavor: Flavor | None = None
    """Only for a proxy that hides which of the two answers."""
    time_field: str = ""
    message_field: str = ""
    level_field: str = ""
    service_field: str = ""
    """Names as in the documents (`log.level`). Empty ones are found by their usual names."""
    page_size: int = Field(default=PAGE_SIZE, ge=1, le=PAGE_SIZE)
    connect_timeout_s: float = Field(default=CONNECT_TIMEOUT_S, gt=0, le=60)
    read_timeout_s: float = Field(default=READ_TIMEOUT_S, gt=0, le=60)

    @field_validator("url")
    @classmethod
    def _an_http_address(cls, value: SecretStr) -> SecretStr:
        problem = ValueError("write it as https://user@host:9200")
        try:
            parts = urlsplit(value.get_secret_value())
            complete = parts.scheme in ("http", "https") and parts.hostname and parts.port != 0
        except ValueError:  # its message may quote the address, and so a password
            raise problem from None
        if not complete:
            raise problem
        return value

    @field_validator("index")
    @classmethod
    def _an_index_pattern(cls, value: str) -> str:
        parts = value.split(",")
        if any(not part or part.startswith(("_", "-", "+")) for part in parts) or (
            set(value) & set('/?# \\"|\t\r\n')
        ):
            raise ValueError("name the indices that hold the logs, like 'logs-*'")
        return value

    @model_validator(mode="after")
    def _one_way_in(self) -> Self:
        ways = [self.password is not None, self.api_key is not None, self.bearer is not None]
        if sum(ways) > 1:
            raise ValueError("password, api_key and bearer exclude each other; keep one")
        return self
