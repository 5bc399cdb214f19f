"""What the MySQL and MariaDB tests share: a database of their own, accounts, one-call reads."""

from __future__ import annotations

import contextlib
import secrets
import time
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from urllib.parse import urlsplit

import pymysql

from connectors.mysql import MySQLConnector, MySQLOptions
from tests.conformance.collecting import Collected, fetched, looked_up
from tests.servers.process import RunningServer
from timeline.event import Event, Kind
from timeline.keys import KeyRules
from timeline.window import SECOND_NS, Budget, Window

SOURCE = "db"


def connection_to(url: str) -> pymysql.Connection:
    parts = urlsplit(url)
    return pymysql.connect(
        host=parts.hostname or "",
        port=parts.port or 3306,
        user=parts.username,
        password=parts.password or "",
        database=parts.path.removeprefix("/") or None,
        autocommit=True,
    )


@dataclass(frozen=True)
class Database:
    """One database; `url` is the administrator's."""

    url: str
    name: str

    def run(self, *statements: str) -> None:
        """Run statements as the administrator, each in a transaction of its own."""
        with self.connected() as connection, connection.cursor() as cursor:
            for statement in statements:
                cursor.execute(statement)

    @contextlib.contextmanager
    def connected(self) -> Iterator[pymysql.Connection]:
        with closing(connection_to(self.url)) as connection:
            yield connection

    def account(self, *grants: str) -> tuple[str, str]:
        """URL and password of a new account; `{user}` and `{db}` stand for the names in grants."""
        name, password = f"u_{secrets.token_hex(4)}", secrets.token_hex(12)
        self.run(
            f"CREATE USER {name} IDENTIFIED BY '{password}'",
            *(grant.format(user=name, db=self.name) for grant in grants),
        )
        parts = urlsplit(self.url)
        login = f"{name}:{password}@{parts.hostname}:{parts.port}"
        return parts._replace(netloc=login).geturl(), password


READ_ALL = "GRANT SELECT ON {db}.* TO {user}"
MONITOR = "GRANT PROCESS, SLAVE MONITOR ON *.* TO {user}"


@contextlib.contextmanager
def database_on(server: RunningServer) -> Iterator[Database]:
    """A new database, dropped at the end."""
    name = f"test_{secrets.token_hex(4)}"
    administrator = Database(server.url, "test")
    administrator.run(f"CREATE DATABASE {name} CHARACTER SET utf8mb4")
    try:
        yield Database(urlsplit(server.url)._replace(path=f"/{name}").geturl(), name)
    finally:
        administrator.run(f"DROP DATABASE {name}")


def connector(url: str, **options: object) -> MySQLConnector:
    return MySQLConnector(SOURCE, MySQLOptions.model_validate({"url": url, **options}), KeyRules())


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
