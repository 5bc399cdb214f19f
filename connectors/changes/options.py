"""What a person may configure for a `changes` source: exactly one place that knows of changes."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Self
from urllib.parse import urlsplit

from pydantic import (
    AliasChoices,
    BaseModel,
    ConfigDict,
    Field,
    SecretStr,
    field_validator,
    model_validator,
)

from connectors.logs.zones import ZoneRule

ORIGINS = ("git", "deploys", "github", "gitlab")
GITHUB_URL = "https://api.github.com"
GITLAB_URL = "https://gitlab.com"
PAGE_SIZE = 100
"""Of both APIs the largest that they give (GitHub REST 2022-11-28, GitLab REST v4)."""
CONNECT_TIMEOUT_S = 5.0
READ_TIMEOUT_S = 15.0
_REF = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_./+@-]*")
_PROJECT = re.compile(r"[A-Za-z0-9_.-]+(/[A-Za-z0-9_.-]+)+")


class ChangesOptions(BaseModel):
    """`[env.E.sources.NAME]` with `connector = "changes"`. One of the first four is given."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)

    git: Path | None = None
    """A local checkout, or a bare copy."""
    deploys: tuple[Path, ...] = ()
    """CSV, JSON or JSON-lines files with one row for each deployment."""
    github: str = ""
    """`owner/repository` whose deployments are read."""
    gitlab: str = ""
    """`group/project`, or the project's number."""

    refs: tuple[str, ...] = ()
    """Branches whose history is read; without, HEAD, its upstream and the remote's own HEAD."""
    reflog: bool = False
    """True where the checkout is what runs: then its HEAD moved when a deployment happened."""
    migrations: tuple[str, ...] = ("db/migrate", "migrations", "migrate")
    """Folders, anywhere in the tree, whose files change the database's schema."""
    zone: str = ""
    """Zone of times in `deploys` that carry none; UTC is assumed without."""
    service: str = ""
    """Whom the changes concern, where a record names nobody."""
    environment: str = ""
    """Of GitHub's or GitLab's deployments, only those to this environment."""
    url: SecretStr | None = None
    """Of the API: `https://github.example.org/api/v3`, `https://gitlab.example.org`."""
    token: SecretStr | None = Field(
        default=None, validation_alias=AliasChoices("token", "password")
    )
    """`password` is another name for it: what `password_command` prints is handed over so."""
    ca_file: Path | None = None
    tls_server_name: str = ""
    page_size: int = Field(default=PAGE_SIZE, ge=1, le=100)
    connect_timeout_s: float = Field(default=CONNECT_TIMEOUT_S, gt=0, le=60)
    read_timeout_s: float = Field(default=READ_TIMEOUT_S, gt=0, le=60)

    @field_validator("zone")
    @classmethod
    def _zone_exists(cls, value: str) -> str:
        ZoneRule.named(value)
        return value

    @field_validator("refs")
    @classmethod
    def _names_of_refs(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for name in value:
            if not _REF.fullmatch(name) or ".." in name:
                raise ValueError("name branches or tags, like 'main' or 'origin/main'")
        return value

    @field_validator("migrations")
    @classmethod
    def _folders(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(folder.strip("/") for folder in value if folder.strip("/"))

    @field_validator("github", "gitlab")
    @classmethod
    def _project(cls, value: str) -> str:
        if value and not _PROJECT.fullmatch(value) and not value.isdecimal():
            raise ValueError("write it as owner/name")
        return value

    @field_validator("url")
    @classmethod
    def _an_address(cls, value: SecretStr | None) -> SecretStr | None:
        problem = ValueError("write it as https://host")
        try:
            parts = urlsplit(value.get_secret_value()) if value else None
            complete = parts is None or (
                parts.scheme in ("http", "https") and parts.hostname and parts.port != 0
            )
        except ValueError:  # its message may quote the address, and so a password
            raise problem from None
        if not complete or (parts and (parts.query or parts.fragment or parts.username)):
            raise problem
        return value

    @model_validator(mode="after")
    def _one_origin(self) -> Self:
        given = [name for name in ORIGINS if getattr(self, name)]
        if len(given) != 1:
            raise ValueError(f"say where changes are told: one of {', '.join(ORIGINS)}")
        return self

    @property
    def address(self) -> str:
        """The API's address, without a slash at its end."""
        default = GITHUB_URL if self.github else GITLAB_URL
        return (self.url.get_secret_value() if self.url else default).rstrip("/")
