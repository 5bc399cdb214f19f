"""Proof that reading disturbs nobody: what the server saw, and an application beside us."""

from __future__ import annotations

import asyncio
import re
import threading
import time
from collections.abc import Iterator
from contextlib import closing

import psycopg
import pytest

from tests.conformance.collecting import drained
from tests.connectors.pg import Database, connector, database_on, fetch, last_minutes, look_up
from tests.servers.pgbouncer import pgbouncer
from tests.servers.postgresql import logged_statements, postgresql
from tests.servers.process import RunningServer, ServerMissing
from tests.servers.pytest_fixtures import skip_or_fail
from timeline.window import Budget

pytestmark = pytest.mark.servers

SCHEMA = (
    "CREATE TABLE users (id bigserial PRIMARY KEY, status text, created_at timestamptz)",
    "CREATE TABLE mails (id bigserial PRIMARY KEY, user_id bigint, created_at timestamptz)",
    "INSERT INTO users (status, created_at) SELECT 'active', now() FROM generate_series(1, 30)",
    "INSERT INTO mails (user_id, created_at) SELECT n, now() FROM generate_series(1, 30) AS n",
    "CREATE TABLE clicks (id bigserial PRIMARY KEY, user_id bigint, created_at timestamptz)",
    "INSERT INTO clicks (user_id, created_at)"
    " SELECT n, now() - (5000 - n) * interval '1 minute' FROM generate_series(1, 5000) AS n",
    "VACUUM ANALYZE clicks",
    "CREATE TABLE versions (id bigserial PRIMARY KEY, item_type text, item_id bigint, event text,"
    " whodunnit text, object_changes jsonb, created_at timestamptz)",
    "CREATE TABLE shop_historicaluser (id bigint, status text, history_id bigserial PRIMARY KEY,"
    " history_date timestamptz, history_type text)",
    "INSERT INTO versions (item_type, item_id, event, created_at)"
    " SELECT 'User', n, 'update', now() FROM generate_series(1, 30) AS n",
    "INSERT INTO shop_historicaluser (id, status, history_date, history_type)"
    " SELECT n, 'a', now(), '~' FROM generate_series(1, 30) AS n",
)
OPENING = re.compile(
    r"BEGIN READ ONLY; SET LOCAL statement_timeout = \d+; SET LOCAL lock_timeout = \d+;"
    r" SET LOCAL idle_in_transaction_session_timeout = \d+; SET LOCAL row_security = off;"
    r" SET LOCAL jit = off"
)
READS = (
    "SELECT ",
    "EXPLAIN (FORMAT JSON) SELECT ",
    "WITH RECURSIVE search(",
    "WITH locks AS ( SELECT ",
    "WITH mine AS ( SELECT ",
)
WRITES = re.compile(
    r"\bFOR (?:UPDATE|SHARE|NO KEY|KEY)\b|\b(?:INTO|nextval|setval|pg_notify|pg_advisory\w*"
    r"|pg_cancel_backend|pg_terminate_backend|txid_current|pg_current_xact_id|lo_\w+)\b"
    r"|(?<!')\b(?:INSERT|UPDATE|DELETE|TRUNCATE|CREATE|ALTER|DROP|GRANT|LOCK TABLE)\s+\w",
    re.IGNORECASE,
)
"""What a SELECT must not hold, because READ ONLY does not stop all of it."""
FETCHES = 15
SLOWEST_WRITE_S = 1.0
"""One write of the application waits at most for a few of our reads in the pool of one."""


@pytest.fixture(scope="module")
def watched() -> Iterator[RunningServer]:
    """A server that logs every statement it is sent."""
    try:
        server = postgresql(log_statements=True)
    except ServerMissing as missing:
        skip_or_fail(missing)
    with server:
        yield server


def test_the_server_sees_nothing_but_short_reads(
    watched: RunningServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    with database_on(watched) as database:
        database.run(*SCHEMA)

        async def everything() -> None:
            reader = connector(database.url, page_rows=7)
            try:
                await reader.check()
                await reader.sample()
                await reader.clock()
                await drained(reader.fetch(last_minutes(), Budget()))
                await drained(reader.lookup(["user:3", "user:4711"], last_minutes(), Budget()))
            finally:
                await reader.close()

        asyncio.run(everything())
        monkeypatch.setattr("connectors.postgresql.tables.LARGE_BYTES", 0)
        monkeypatch.setattr("connectors.postgresql.plans.SCAN_COST_PAGES", 40)
        fetch(database.url)  # with plans looked at and the id bracket
        look_up(database.url, "user:3")
    statements = [" ".join(text.split()) for text in logged_statements(watched, "halfawake")]
    assert len(statements) > 50
    unexpected = [text for text in statements if not _harmless(text)]
    assert not unexpected
    for expected in ("EXPLAIN", "WITH RECURSIVE search(", "WITH locks AS", "WITH mine AS"):
        assert any(text.startswith(expected) for text in statements), f"{expected} was not sent"
    assert not [text for text in statements if WRITES.search(text)]
    assert _transactions_are_whole(statements)


def _harmless(statement: str) -> bool:
    return (
        statement == "COMMIT"
        or OPENING.fullmatch(statement) is not None
        or statement.startswith(READS)
    )


def _transactions_are_whole(statements: list[str]) -> bool:
    """Every read stands between BEGIN and COMMIT (one connection: the log keeps the order)."""
    open_now = False
    for statement in statements:
        if statement.startswith("BEGIN"):
            assert not open_now
            open_now = True
        else:
            assert open_now, statement
            open_now = statement != "COMMIT"
    return not open_now


def test_the_server_refuses_us_any_write(watched: RunningServer) -> None:
    """Even a superuser's session of ours cannot write: the transaction is read-only."""
    with database_on(watched) as database:
        database.run(*SCHEMA)

        async def write() -> None:
            reader = connector(database.url)
            try:
                await reader._session.read("DELETE FROM users")
            finally:
                await reader.close()

        with pytest.raises(Exception, match="read-only transaction"):
            asyncio.run(write())


def test_an_application_behind_a_pool_of_one_is_not_disturbed(
    postgresql_server: RunningServer,
) -> None:
    try:
        bouncer = pgbouncer(postgresql_server, pool_size=1)
    except ServerMissing as missing:
        skip_or_fail(missing)
    with bouncer, database_on(postgresql_server) as database:
        database.run(*SCHEMA)
        pooled = database.url.replace(_address(postgresql_server), _address(bouncer))
        application = _Application(pooled)
        application.start()
        try:
            for _ in range(FETCHES):
                collected = fetch(pooled)
                assert len(collected.events) >= 60
                assert look_up(pooled, "user:3").events
        finally:
            application.stop()
        assert application.errors == []
        assert application.writes > FETCHES
        assert max(application.latencies) < SLOWEST_WRITE_S
        with closing(psycopg.connect(pooled, autocommit=True, prepare_threshold=None)) as session:
            assert [_shown(session, name) for name in SESSION_SETTINGS] == [
                _shown_on(database, name) for name in SESSION_SETTINGS
            ]
            assert _shown(session, "default_transaction_read_only") == "off"


SESSION_SETTINGS = (
    "default_transaction_read_only",
    "transaction_read_only",
    "statement_timeout",
    "lock_timeout",
    "idle_in_transaction_session_timeout",
    "timezone",
    "row_security",
)


class _Application:
    """Writes in short transactions through the pooler until it is told to stop."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.errors: list[str] = []
        self.latencies: list[float] = []
        self.writes = 0
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._work, daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._stop.set()
        self._thread.join(timeout=10)

    def _work(self) -> None:
        try:
            with closing(psycopg.connect(self.url, prepare_threshold=None)) as connection:
                while not self._stop.is_set():
                    started = time.monotonic()
                    connection.execute("INSERT INTO users (status) VALUES ('new')")
                    connection.execute("UPDATE users SET status = 'seen' WHERE id = 1")
                    connection.commit()
                    self.latencies.append(time.monotonic() - started)
                    self.writes += 1
        except psycopg.Error as error:
            self.errors.append(str(error))


def _address(server: RunningServer) -> str:
    return server.url.rpartition("@")[2].partition("/")[0]


def _shown(session: psycopg.Connection, name: str) -> str:
    row = session.execute(f"SHOW {name}".encode()).fetchone()
    assert row is not None
    return str(row[0])


def _shown_on(database: Database, name: str) -> str:
    with database.connected() as session:
        return _shown(session, name)
