"""The SQLite connector against the conformance suite, in both journal modes."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import pytest

from connectors.sqlite import SQLiteConnector
from tests.conformance.subject import Subject
from tests.conformance.suite import ConnectorConformance
from timeline.keys import KeyRules, KeyType
from timeline.window import SECOND_NS, Window

HOSTILE = "broken\x1b[31m\u202estate\r\nnext"
SCHEMA = """
CREATE TABLE users (id integer PRIMARY KEY, public_name varchar(40), email varchar(80),
  status varchar(40), created_at datetime(6) NOT NULL, updated_at datetime(6) NOT NULL);
CREATE TABLE mails (id integer PRIMARY KEY, user_id integer REFERENCES users, state text,
  created_at integer NOT NULL);
"""


def _text(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).replace(tzinfo=None).isoformat(" ")


@pytest.fixture(params=["delete", "wal"])
def database(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[tuple[Path, Window]]:
    """A database with rows on both sides of the pin, held open by its application."""
    path, now = tmp_path / "app.sqlite3", time.time_ns()
    seconds = now / SECOND_NS
    with closing(sqlite3.connect(path)) as application:
        application.execute(f"PRAGMA journal_mode = {request.param}")
        application.executescript(SCHEMA)
        for n in range(1, 21):
            state = HOSTILE if n == 3 else "active"
            created, updated = _text(seconds - 3 * n), _text(seconds - n // 2 * 3)
            row = (n, f"u-{n}", f"secret{n}@example.org", state, created, updated)
            application.execute("INSERT INTO users VALUES (?, ?, ?, ?, ?, ?)", row)
        for n in range(1, 16):
            stamp = (now - 2 * n * SECOND_NS) // 1_000_000
            application.execute("INSERT INTO mails VALUES (?, ?, 'sent', ?)", (n, n, stamp))
        application.commit()
        yield path, Window(now - 15 * SECOND_NS, now - 3600 * SECOND_NS, now)


class TestSQLite(ConnectorConformance):
    @pytest.fixture
    def subject(self, database: tuple[Path, Window]) -> Subject:
        path, window = database
        return Subject(
            connector_class=SQLiteConnector,
            options={"path": str(path)},
            window=window,
            known_keys=("user:3", "row:users/3", "mail:4"),
            absent_key="user:4711",
            key_rules=KeyRules((KeyType("user", table="users", public_id="public_name"),)),
            drivers=("polars", "pymysql", "psycopg"),
            hostile="state␊next",
            page_option="page_rows",
        )
