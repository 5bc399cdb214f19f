"""What a person may configure for a RabbitMQ source, and where its management API is then."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import SplitResult, unquote, urlsplit

from pydantic import BaseModel, ConfigDict, Field, SecretStr, field_validator

CONNECT_TIMEOUT_S = 5.0
READ_TIMEOUT_S = 10.0
PAGE_QUEUES = 100
"""Queues of one answer: with ten minutes of samples each, less than a megabyte."""
MAX_PAGE = 500
"""The API refuses larger pages (rabbitmq_management 3.10, rabbit_mgmt_util)."""
MAX_QUEUES = 500
"""Queues read, the fullest first; every one of them costs the broker some work."""
MANAGEMENT_PORTS = {"amqp": ("http", 15672), "amqps": ("https", 443)}
"""Where the API usually is when only the AMQP address is known. Hosted brokers serve it on 443."""
DEFAULT_PORTS = {"http": 80, "https": 443}


class RabbitMQOptions(BaseModel):
    """`[env.E.sources.NAME]` with `connector = "rabbitmq"`."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)

    url: SecretStr
    """`http://user@host:15672`, the management API; or the application's `amqp://…`, whose host,
    account and virtual host are taken, with the API's usual port."""
    username: str = ""
    password: SecretStr | None = None
    vhost: str = ""
    """One virtual host; empty reads all that the account may see."""
    queues: tuple[str, ...] = ()
    """Names of queues, `*` standing for anything; empty reads all."""
    ca_file: Path | None = None
    """Certificates to trust instead of the system's."""
    tls_server_name: str = ""
    """The name in the certificate, when the url leads to the local end of a tunnel."""
    page_queues: int = Field(default=PAGE_QUEUES, ge=1, le=MAX_PAGE)
    max_queues: int = Field(default=MAX_QUEUES, ge=1, le=10_000)
    connect_timeout_s: float = Field(default=CONNECT_TIMEOUT_S, gt=0, le=60)
    read_timeout_s: float = Field(default=READ_TIMEOUT_S, gt=0, le=60)

    @field_validator("url")
    @classmethod
    def _an_address(cls, value: SecretStr) -> SecretStr:
        problem = ValueError("write it as http://user@host:15672 (the management API)")
        try:
            parts = urlsplit(value.get_secret_value())
            known = parts.scheme in DEFAULT_PORTS or parts.scheme in MANAGEMENT_PORTS
            complete = known and parts.hostname and parts.port != 0
        except ValueError:  # its message may quote the address, and so a password
            raise problem from None
        if not complete:
            raise problem
        return value

    @property
    def place(self) -> Place:
        """Where the API is, and the account; the settings go before what the url holds."""
        return Place(urlsplit(self.url.get_secret_value()), self)


class Place:
    """The management API's address, made of the options."""

    def __init__(self, url: SplitResult, options: RabbitMQOptions) -> None:
        self.guessed = url.scheme in MANAGEMENT_PORTS
        """Whether only the AMQP address is known, and the API's port is the usual one."""
        scheme, port = MANAGEMENT_PORTS.get(url.scheme, (url.scheme, url.port))
        self.server = f"{url.hostname}:{port or DEFAULT_PORTS[scheme]}"
        """Host and port, without the account."""
        prefix = "" if self.guessed else url.path.rstrip("/")
        self.base = f"{scheme}://{_bracketed(url.hostname or '')}:{port or DEFAULT_PORTS[scheme]}"
        self.base += prefix
        self.vhost = options.vhost
        if self.guessed and not options.vhost and url.path not in ("", "/"):
            self.vhost = unquote(url.path[1:])
        self.user = options.username or unquote(url.username or "")
        self.password = (
            options.password.get_secret_value()
            if options.password is not None
            else unquote(url.password or "")
        )

    def __repr__(self) -> str:
        return f"Place({self.server})"


def _bracketed(host: str) -> str:
    return f"[{host}]" if ":" in host else host
