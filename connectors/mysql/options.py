"""What a person may configure for a MySQL or MariaDB source, and nothing else."""

from __future__ import annotations

from typing import Literal, Self
from urllib.parse import unquote, urlsplit

from pydantic import BaseModel, ConfigDict, Field, SecretStr, field_validator, model_validator

from connectors.sql.options import TableOptions, known_zone

DEFAULT_PORT = 3306
STATEMENT_TIMEOUT_MS = 2_000
"""A read that takes longer costs the database more than it tells us about one hour."""
LOCK_TIMEOUT_S = 1
"""We wait behind nobody's metadata lock; whole seconds are all that the server takes."""
CONNECT_TIMEOUT_S = 5.0
PAGE_ROWS = 1_000
SCHEMES = ("mysql", "mysql2", "mariadb")
"""`mysql2` is how Rails names the same (Active Record's adapter)."""
TLS = Literal["preferred", "required", "verify-ca", "verify-identity", "off"]


class MySQLOptions(BaseModel):
    """`[env.E.sources.NAME]` with `connector = "mysql"`, for MySQL and for MariaDB."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)

    url: SecretStr | None = None
    """`mysql://user@host:3306/shop`; what follows a `?` is another driver's and is not read."""
    host: str = ""
    """A name, an address, or the path of a Unix socket."""
    port: int | None = Field(default=None, ge=1, le=65_535)
    hostaddr: str = ""
    """Address to dial instead of `host`, whose name then still has to be on the certificate."""
    database: str = ""
    user: str = ""
    password: SecretStr | None = None
    tls: TLS = "preferred"
    """As the client's --ssl-mode: "preferred" uses it where offered and checks nothing."""
    tls_ca: str = ""
    """File of the authority that signed the server's certificate."""
    tls_server_name: str = ""
    """Name on the certificate, where it is not the host's."""
    tables: tuple[TableOptions, ...] = ()
    discover: bool | None = None
    """Look for tables that have a creation stamp; by default only when `tables` is empty."""
    audits: bool = True
    """Look for audit tables (paper_trail, audited, …) and read what they recorded."""
    zone: str = ""
    """Zone of DATETIME columns. Empty reads them as UTC and says that this was assumed."""
    statement_timeout_ms: int = Field(default=STATEMENT_TIMEOUT_MS, ge=50, le=60_000)
    lock_timeout_s: int = Field(default=LOCK_TIMEOUT_S, ge=1, le=60)
    connect_timeout_s: float = Field(default=CONNECT_TIMEOUT_S, gt=0, le=60)
    page_rows: int = Field(default=PAGE_ROWS, ge=1, le=10_000)

    _zone = field_validator("zone")(known_zone)

    @field_validator("url")
    @classmethod
    def _is_a_url(cls, value: SecretStr | None) -> SecretStr | None:
        if value is None:
            return None
        try:
            parts = urlsplit(value.get_secret_value())
            good = parts.scheme in SCHEMES and bool(parts.hostname) and parts.port != 0
        except ValueError:
            good = False
        if not good:
            raise ValueError("write it as mysql://user@host:3306/database, special signs %-encoded")
        return value

    @model_validator(mode="after")
    def _one_way_in(self) -> Self:
        if (self.url is None) == (not self.host):
            raise ValueError("say where the database is: either url, or host with database, user")
        if not self.address.database:
            raise ValueError("name the database: the last part of the url, or database")
        return self

    @property
    def discovers(self) -> bool:
        return not self.tables if self.discover is None else self.discover

    @property
    def address(self) -> Address:
        """Where and as whom to connect; the options beside the url win over its parts."""
        parts = urlsplit(self.url.get_secret_value() if self.url else "")
        password = unquote(parts.password or "")
        if self.password is not None:
            password = self.password.get_secret_value()
        return Address(
            host=self.host or parts.hostname or "",
            port=self.port or parts.port or DEFAULT_PORT,
            database=self.database or unquote(parts.path.removeprefix("/")),
            user=self.user or unquote(parts.username or ""),
            password=SecretStr(password),
        )


class Address(BaseModel):
    """One server, one database, one account."""

    model_config = ConfigDict(frozen=True)

    host: str
    port: int
    database: str
    user: str
    password: SecretStr

    @property
    def socket_path(self) -> str:
        return self.host if self.host.startswith("/") else ""

    @property
    def where(self) -> str:
        """For sentences: no secret in it."""
        place = self.socket_path or f"{self.host}:{self.port}"
        return f"{place}/{self.database}"
