"""What a person may configure for an Elasticsearch or OpenSearch source (unknown keys are refused).

Secrets are `SecretStr` and stay out of validation messages.
"""

from __future__ import annotations

import base64
import re
from enum import StrEnum
from pathlib import Path
from typing import Literal, Self
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, SecretStr, field_validator, model_validator

PAGE_SIZE = 1_000
"""Most records of one page: what one thread may decode without being felt on the screen."""
CLOUD_PORT = "443"
CONNECT_TIMEOUT_S = 5.0
READ_TIMEOUT_S = 10.0
_HOST = re.compile("[A-Za-z0-9][A-Za-z0-9.-]*")


class Flavor(StrEnum):
    """Whose server it is; they differ in paths and in what breaks ties."""

    ELASTICSEARCH = "elasticsearch"
    OPENSEARCH = "opensearch"


class ElasticsearchOptions(BaseModel):
    """`[env.E.sources.NAME]` with `connector = "elasticsearch"`, for OpenSearch too."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)

    url: SecretStr = SecretStr("")
    """`https://user@search.example.org:9200`, or with a path in front of the API."""
    cloud_id: str = ""
    """Elastic Cloud's name for a deployment, instead of url: `shop:ZXUtd2VzdC0x…`."""
    index: str
    """Index, alias, data stream or pattern that holds the logs: `logs-*`, `web-*,mailer-*`."""
    username: str = ""
    password: SecretStr | None = None
    api_key: SecretStr | None = None
    """The encoded form, as `POST /_security/api_key` returns it; or `id:api_key`."""
    bearer: SecretStr | None = None
    aws_service: Literal["", "es", "aoss"] = ""
    """Sign requests for Amazon OpenSearch Service (`es`) or OpenSearch Serverless (`aoss`)."""
    aws_region: str = ""
    """Empty takes the one in the url's host name, else that of the profile or environment."""
    aws_profile: str = ""
    """A profile of ~/.aws/config; empty takes AWS_PROFILE or the default."""
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
    services: tuple[str, ...] = ()
    """Only records of these services, on an index that others share: kept to in every search."""
    frozen: bool = False
    """Search the frozen tier of Elasticsearch too, which may take minutes."""
    page_size: int = Field(default=PAGE_SIZE, ge=1, le=PAGE_SIZE)
    connect_timeout_s: float = Field(default=CONNECT_TIMEOUT_S, gt=0, le=60)
    read_timeout_s: float = Field(default=READ_TIMEOUT_S, gt=0, le=60)

    @field_validator("url")
    @classmethod
    def _an_http_address(cls, value: SecretStr) -> SecretStr:
        problem = ValueError("write it as https://user@host:9200")
        if not value.get_secret_value():
            return value
        try:
            parts = urlsplit(value.get_secret_value())
            complete = parts.scheme in ("http", "https") and parts.hostname and parts.port != 0
        except ValueError:  # its message may quote the address, and so a password
            raise problem from None
        if not complete:
            raise problem
        return value

    @field_validator("cloud_id")
    @classmethod
    def _a_cloud_id(cls, value: str) -> str:
        if value:
            url_of_cloud(value)
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
    def _one_address(self) -> Self:
        if bool(self.url.get_secret_value()) == bool(self.cloud_id):
            raise ValueError("give url or cloud_id, one of the two")
        return self

    @model_validator(mode="after")
    def _one_way_in(self) -> Self:
        ways = [self.password is not None, self.api_key is not None, self.bearer is not None]
        if sum([*ways, bool(self.aws_service)]) > 1:
            raise ValueError(
                "password, api_key, bearer and aws_service exclude each other; keep one"
            )
        if (self.aws_region or self.aws_profile) and not self.aws_service:
            raise ValueError("aws_region and aws_profile need aws_service = 'es' (or 'aoss')")
        return self

    @property
    def address(self) -> str:
        """The url of the API; may hold a login."""
        return self.url.get_secret_value() or url_of_cloud(self.cloud_id)


def url_of_cloud(cloud_id: str) -> str:
    """The url inside a cloud id: `name:` and base64 of `host[:port]$elasticsearch$kibana`.

    Raises ValueError. Source: Elastic Cloud, "Find your Cloud ID".
    """
    problem = ValueError("copy it whole from the deployment's page: name:letters")
    try:
        told = base64.b64decode(cloud_id.rpartition(":")[2], validate=True).decode("ascii")
    except ValueError:  # of base64, or no text
        raise problem from None
    parts = told.split("$")
    host, _, port = parts[0].partition(":")
    own = parts[1].partition(":") if len(parts) > 1 else ("", "", "")
    if not _HOST.fullmatch(host) or not _HOST.fullmatch(own[0]):
        raise problem
    number = own[2] or port or CLOUD_PORT
    if not number.isdigit():
        raise problem
    return f"https://{own[0]}.{host}:{number}"
