"""The MySQL connector against the conformance suite, on a real MariaDB server."""

from __future__ import annotations

import time
from collections.abc import Iterator
from urllib.parse import urlsplit

import pytest

from connectors.mysql import MySQLConnector
from tests.conformance.subject import Subject
from tests.conformance.suite import ConnectorConformance
from tests.connectors.my import MONITOR, READ_ALL, Database, connection_to, database_on
from tests.servers.process import RunningServer
from timeline.keys import KeyRules, KeyType
from timeline.window import SECOND_NS, Window

HOSTILE = "broken\x1b[31m\u202estate\r\nnext"
SCHEMA = (
    "CREATE TABLE users (id bigint AUTO_INCREMENT PRIMARY KEY, public_name varchar(40),"
    " email varchar(80), status varchar(40), created_at datetime(6) NOT NULL,"
    " updated_at datetime(6) NOT NULL)",
    "CREATE TABLE mails (id bigint AUTO_INCREMENT PRIMARY KEY, user_id bigint, state varchar(9),"
    " created_at timestamp(3) NOT NULL DEFAULT current_timestamp(3),"
    " FOREIGN KEY (user_id) REFERENCES users (id))",
    "CREATE TABLE plans (id int PRIMARY KEY, status varchar(9)) WITH SYSTEM VERSIONING",
)


def _filled(database: Database) -> None:
    database.run(*SCHEMA)
    with database.connected() as connection, connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO users (public_name, email, status, created_at, updated_at)"
            " SELECT concat('u-', seq), concat('secret', seq, '@example.org'),"
            " IF(seq = 3, %s, 'active'), utc_timestamp(6) - INTERVAL seq * 3 SECOND,"
            " utc_timestamp(6) - INTERVAL floor(seq / 2) * 3 SECOND FROM seq_1_to_20",
            (HOSTILE,),
        )
        cursor.execute(
            "INSERT INTO mails (user_id, state, created_at)"
            " SELECT seq, 'sent', now(3) - INTERVAL seq * 2 SECOND FROM seq_1_to_15"
        )
        cursor.execute("INSERT INTO plans VALUES (1, 'free'), (2, 'paid')")
        cursor.execute("UPDATE plans SET status = 'paid' WHERE id = 1")
        cursor.execute("DELETE FROM plans WHERE id = 2")


@pytest.fixture(scope="module")
def database(mariadb_server: RunningServer) -> Iterator[tuple[str, str, Window]]:
    """A database of its own, the URL of an account that may only read it, and its password."""
    with database_on(mariadb_server) as created:
        _filled(created)
        now = time.time_ns()
        window = Window(now - 15 * SECOND_NS, now - 3600 * SECOND_NS, now)
        yield (*created.account(READ_ALL, MONITOR), window)


@pytest.mark.servers
class TestMySQL(ConnectorConformance):
    @pytest.fixture
    def subject(self, database: tuple[str, str, Window], mariadb_server: RunningServer) -> Subject:
        url, password, window = database
        parts = urlsplit(url)

        def connections() -> int:
            with connection_to(mariadb_server.url) as admin, admin.cursor() as cursor:
                cursor.execute(
                    "SELECT count(*) FROM information_schema.processlist WHERE user = %s",
                    (parts.username,),
                )
                row = cursor.fetchone()
            assert row is not None
            return int(row[0])

        def at_port(port: int) -> dict[str, object]:
            login = f"{parts.username}:{password}"
            return {"url": f"mysql://{login}@127.0.0.1:{port}{parts.path}"}

        return Subject(
            connector_class=MySQLConnector,
            options={"url": url},
            window=window,
            known_keys=("user:3", "row:users/3", "mail:4", "plan:2"),
            absent_key="user:4711",
            key_rules=KeyRules((KeyType("user", table="users", public_id="public_name"),)),
            drivers=("pymysql", "polars", "cryptography"),
            secrets=(password,),
            hostile="state␊next",
            page_option="page_rows",
            at_port=at_port,
            connections=connections,
        )
