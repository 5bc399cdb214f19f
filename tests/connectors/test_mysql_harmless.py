"""Proof that reading disturbs nobody: what the server was sent, and that it refuses us a write."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterator
from urllib.parse import urlsplit

import pytest

from tests.conformance.collecting import drained
from tests.connectors.my import (
    MONITOR,
    READ_ALL,
    connection_to,
    connector,
    database_on,
    fetch,
    last_minutes,
)
from tests.servers.mariadb import logged_statements, mariadb
from tests.servers.process import RunningServer, ServerMissing
from tests.servers.pytest_fixtures import skip_or_fail
from timeline.problems import BadAnswer
from timeline.window import Budget

pytestmark = pytest.mark.servers

SCHEMA = (
    "CREATE TABLE users (id bigint PRIMARY KEY, status varchar(9), created_at timestamp(6))",
    "CREATE TABLE mails (id bigint PRIMARY KEY, user_id bigint, created_at timestamp(6))",
    "CREATE TABLE plans (id int PRIMARY KEY, status varchar(9)) WITH SYSTEM VERSIONING",
    "INSERT INTO users SELECT seq, 'active', now(6) FROM seq_1_to_30",
    "INSERT INTO mails SELECT seq, seq, now(6) FROM seq_1_to_30",
    "INSERT INTO plans SELECT seq, 'free' FROM seq_1_to_30",
)
SETTINGS = re.compile(
    r"SET SESSION time_zone = '\+00:00', SESSION lock_wait_timeout = \d+,"
    r" SESSION max_statement_time = [\d.]+"
)
FIXED = frozenset(
    [
        "SET NAMES utf8mb4",
        "START TRANSACTION WITH CONSISTENT SNAPSHOT, READ ONLY",
        "COMMIT",
        "SHOW GRANTS",
        "SHOW REPLICA STATUS",
        "Quit",
    ]
)


@pytest.fixture(scope="module")
def watched() -> Iterator[RunningServer]:
    """A server that logs every statement it is sent."""
    try:
        server = mariadb(log_statements=True)
    except ServerMissing as missing:
        skip_or_fail(missing)
    with server:
        yield server


def test_the_server_sees_nothing_but_short_reads(
    watched: RunningServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    with database_on(watched) as database:
        database.run(*SCHEMA)
        url, _ = database.account(READ_ALL, MONITOR)

        async def everything() -> None:
            reader = connector(url, page_rows=7)
            try:
                await reader.check()
                await reader.clock()
                await drained(reader.fetch(last_minutes(), Budget()))
                keys = ["user:3", "user:4711", "plan:4"]
                await drained(reader.lookup(keys, last_minutes(), Budget()))
            finally:
                await reader.close()

        asyncio.run(everything())
        monkeypatch.setattr("connectors.sql.tables.LARGE_ROWS", 0)
        monkeypatch.setattr("connectors.mysql.dialect.LARGE_ROWS", 0)
        fetch(url)  # with plans looked at and the key bracket
        user = str(urlsplit(url).username)
    statements = [" ".join(text.split()) for text in logged_statements(watched, user)]
    assert len(statements) > 50
    assert [text for text in statements if not _harmless(text)] == []
    assert any(text.startswith("EXPLAIN") for text in statements)
    assert any("ORDER BY t.`id` LIMIT 1" in text for text in statements), "the bracket was bisected"
    assert _transactions_are_whole(statements)


def _harmless(statement: str) -> bool:
    reading = statement.startswith(("SELECT ", "EXPLAIN FORMAT=TRADITIONAL SELECT "))
    locking = re.search(r"\bFOR UPDATE\b|\bLOCK IN SHARE MODE\b|\bINTO\b", statement)
    return statement in FIXED or bool(SETTINGS.fullmatch(statement)) or (reading and not locking)


def _transactions_are_whole(statements: list[str]) -> bool:
    """Every read stands between START TRANSACTION and COMMIT; settings stand before the first."""
    open_now = False
    for statement in statements:
        if statement.startswith("START"):
            assert not open_now
            open_now = True
        elif statement.startswith(("SET ", "Quit")):
            assert not open_now, statement
        else:
            assert open_now, statement
            open_now = statement != "COMMIT"
    return not open_now


def test_the_server_refuses_us_any_write(watched: RunningServer) -> None:
    """Even the administrator's session of ours cannot write: the transaction is read-only."""
    with database_on(watched) as database:
        database.run(*SCHEMA)

        async def write() -> None:
            reader = connector(database.url)
            try:
                await reader._session.read("DELETE FROM users")
            finally:
                await reader.close()

        with pytest.raises(BadAnswer, match="READ ONLY transaction"):
            asyncio.run(write())


def test_nothing_of_ours_outlives_the_session(watched: RunningServer) -> None:
    """Settings are the session's: another session, and the server, know nothing of them."""
    names = ("time_zone", "lock_wait_timeout", "max_statement_time", "tx_read_only", "autocommit")
    asked = f"SELECT {', '.join(f'@@global.{n}, @@session.{n}' for n in names)}"
    with database_on(watched) as database:
        database.run(*SCHEMA)
        answers = []
        for _ in range(2):
            with connection_to(watched.url) as connection, connection.cursor() as cursor:
                cursor.execute(asked)
                answers.append(cursor.fetchone())
            fetch(database.url)
    assert answers[0] == answers[1]
