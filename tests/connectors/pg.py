"""What the PostgreSQL tests share: a database of their own, roles, and one-call reads."""

from __future__ import annotations

import contextlib
import secrets
import signal
import time
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from urllib.parse import urlsplit

import psycopg
from psycopg import sql

from connectors.postgresql import PostgreSQLConnector, PostgreSQLOptions
from tests.conformance.collecting import Collected, fetched, looked_up
from tests.servers.accounts import unprivileged_account
from tests.servers.postgresql import find_bin_folder, server_version
from tests.servers.process import RunningServer, start
from timeline.event import Event, Kind
from timeline.keys import KeyRules
from timeline.window import SECOND_NS, Budget, Window

SOURCE = "db"


@dataclass(frozen=True)
class Database:
    """One database; `url` is its owner's (a superuser)."""

    url: str

    def run(self, *statements: str) -> None:
        """Run statements as the owner, each in a transaction of its own."""
        with self.connected() as connection:
            for statement in statements:
                connection.execute(statement.encode())

    @contextlib.contextmanager
    def connected(self) -> Iterator[psycopg.Connection]:
        with closing(psycopg.connect(self.url, autocommit=True)) as connection:
            yield connection

    def role(self, *grants: str) -> tuple[str, str]:
        """URL and password of a new role with these grants (`{role}` stands for its name)."""
        name, password = f"role_{secrets.token_hex(4)}", secrets.token_hex(12)
        self.run(
            f"CREATE ROLE {name} LOGIN PASSWORD '{password}'",
            *(grant.format(role=name) for grant in grants),
        )
        parts = urlsplit(self.url)
        login = f"{name}:{password}@{parts.hostname}:{parts.port}"
        return parts._replace(netloc=login).geturl(), password


@contextlib.contextmanager
def database_on(server: RunningServer, template: str = "") -> Iterator[Database]:
    """A new database, dropped at the end. `template` is more SQL for CREATE DATABASE."""
    name = f"test_{secrets.token_hex(4)}"
    with closing(psycopg.connect(server.url, autocommit=True)) as admin:
        admin.execute(f"CREATE DATABASE {name} {template}".encode())
        try:
            yield Database(urlsplit(server.url)._replace(path=f"/{name}").geturl())
        finally:
            admin.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))


def connector(url: str, **options: object) -> PostgreSQLConnector:
    validated = PostgreSQLOptions.model_validate({"dsn": url, **options})
    return PostgreSQLConnector(SOURCE, validated, KeyRules())


def last_minutes(minutes: int = 5) -> Window:
    """A window that ends now and is pinned a second ago."""
    now = time.time_ns()
    return Window(now - SECOND_NS, now - minutes * 60 * SECOND_NS, now)


def fetch(url: str, window: Window | None = None, **options: object) -> Collected:
    return fetched(connector(url, **options), window or last_minutes(), Budget())


def look_up(url: str, *keys: str, **options: object) -> Collected:
    return looked_up(connector(url, **options), keys, last_minutes())


def rows(collected: Collected, kind: Kind) -> dict[str, Event]:
    """Events of one kind by the row they are about (`users/4711`)."""
    return {e.ref.partition("#")[0]: e for e in collected.events if e.kind is kind}


def restarted(server: RunningServer) -> RunningServer:
    """The same cluster on the same port, started again."""
    server.stop()
    assert server.folder is not None
    port = str(urlsplit(server.url).port)
    return start(
        "PostgreSQL",
        [
            find_bin_folder() / "postgres",
            *("-D", server.folder / "data", "-p", port, "-k", server.folder),
        ],
        url=server.url,
        folder=server.folder,
        probe=server_version,
        timeout_seconds=30,
        account=unprivileged_account(),
        stop_signal=signal.SIGINT,
    )
