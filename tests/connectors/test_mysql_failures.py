"""What a person reads when the server refuses, stalls or ends the connection; what is seen now."""

from __future__ import annotations

import asyncio
import json
import threading
import time
from collections.abc import Iterator
from urllib.parse import quote, urlsplit

import pymysql
import pytest
from pydantic import ValidationError

from connectors.contract import CheckReport
from connectors.mysql import MySQLConnector, MySQLOptions
from tests.conformance.collecting import drained, fetched
from tests.connectors.my import (
    MONITOR,
    READ_ALL,
    Database,
    connection_to,
    connector,
    database_on,
    fetch,
    last_minutes,
    rows,
)
from tests.servers.mariadb import mariadb
from tests.servers.process import RunningServer, ServerMissing
from tests.servers.pytest_fixtures import skip_or_fail
from timeline.coverage import Sight
from timeline.event import SEVERITY_WARN, Kind, Meaning
from timeline.keys import KeyRules
from timeline.problems import AccessRefused, Misconfigured, NothingHere, Overloaded, SourceProblem
from timeline.window import Budget

pytestmark = pytest.mark.servers

USERS = "CREATE TABLE users (id bigint PRIMARY KEY, status varchar(40), created_at timestamp(6))"
FILLED = "INSERT INTO users VALUES (1, 'a', now(6)), (2, 'b', now(6))"
SLOW = "CREATE VIEW slow AS SELECT id, created_at, sleep(30) AS status FROM users"


@pytest.fixture
def database(mariadb_server: RunningServer) -> Iterator[Database]:
    with database_on(mariadb_server) as created:
        created.run(USERS, FILLED)
        yield created


def problem(url: str, **options: object) -> SourceProblem:
    with pytest.raises(SourceProblem) as caught:
        fetch(url, None, **options)
    return caught.value


def report(url: str) -> CheckReport:
    async def check() -> CheckReport:
        reader = connector(url)
        try:
            return await reader.check()
        finally:
            await reader.close()

    return asyncio.run(check())


def test_a_wrong_password(database: Database) -> None:
    url, password = database.account(READ_ALL)
    refused = problem(url.replace(password, "wrong-secret"))
    assert isinstance(refused, AccessRefused)
    assert "wrong-secret" not in refused.sentence()
    assert refused.__cause__ is None
    assert refused.__context__ is None, "the driver's error holds the password"


def test_an_unknown_database(database: Database) -> None:
    refused = problem(urlsplit(database.url)._replace(path="/nowhere").geturl())
    assert isinstance(refused, Misconfigured)
    assert "nowhere" in refused.sentence()


def test_no_connection_left(database: Database) -> None:
    url, _ = database.account(READ_ALL, "ALTER USER {user} WITH MAX_USER_CONNECTIONS 1")
    with connection_to(url):
        refused = problem(url)
    assert isinstance(refused, Overloaded)
    assert "evidence" in refused.remedy


@pytest.mark.parametrize("place", ["mysql://u:hidden-secret@h:99999/db", "pg://u:hidden-secret@h"])
def test_a_url_that_is_none_is_not_quoted(place: str) -> None:
    with pytest.raises(ValidationError) as caught:
        MySQLOptions.model_validate({"url": place})
    assert "hidden-secret" not in str(caught.value)
    assert "mysql://" in str(caught.value)


def test_a_password_may_stand_beside_the_url(database: Database) -> None:
    url, password = database.account(READ_ALL)
    bare = url.replace(f":{quote(password)}@", "@")
    assert len(rows(fetch(bare, password=password), Kind.ROW_INSERTED)) == 2


def test_a_missing_table_costs_only_itself(database: Database) -> None:
    collected = fetch(database.url, tables=["users", "nowhere", "sales.orders"])
    assert len(rows(collected, Kind.ROW_INSERTED)) == 2
    reasons = [entry.reason for entry in collected.coverage if entry.sight is Sight.PARTIAL]
    assert any("nowhere" in reason for reason in reasons)
    assert any("sales.orders" in reason for reason in reasons)


def test_a_table_we_may_not_read_costs_only_itself(database: Database) -> None:
    database.run("CREATE TABLE pay (id int PRIMARY KEY, created_at timestamp)")
    url, _ = database.account("GRANT SELECT ON {db}.users TO {user}")
    collected = fetch(url, tables=["users", "pay"])
    assert len(rows(collected, Kind.ROW_INSERTED)) == 2
    (gap,) = [entry for entry in collected.coverage if "pay" in entry.reason]
    assert "GRANT SELECT ON pay" in gap.remedy


def test_column_rights_are_respected(database: Database) -> None:
    url, _ = database.account("GRANT SELECT (id, created_at) ON {db}.users TO {user}")
    found = rows(fetch(url), Kind.ROW_INSERTED)
    assert len(found) == 2
    assert all("status" not in (event.attributes or "") for event in found.values())


def test_a_database_without_stamps_is_not_ours(mariadb_server: RunningServer) -> None:
    with database_on(mariadb_server) as empty, pytest.raises(NothingHere):
        report(empty.url)


def test_a_slow_table_costs_only_itself(database: Database) -> None:
    database.run(SLOW)
    started = time.monotonic()
    slow = {"name": "slow", "pk": "id"}
    collected = fetch(database.url, tables=[slow, "users"], statement_timeout_ms=200)
    assert time.monotonic() - started < 4
    assert len(rows(collected, Kind.ROW_INSERTED)) == 2
    assert any("statement_timeout_ms" in entry.reason for entry in collected.coverage)


def test_a_view_whose_plan_is_hidden_is_not_read(database: Database) -> None:
    database.run("CREATE VIEW names AS SELECT id, created_at FROM users")
    url, _ = database.account(READ_ALL)
    collected = fetch(url, tables=[{"name": "names", "pk": "id"}])
    (gap,) = [entry for entry in collected.coverage if "names" in entry.reason]
    assert "SHOW VIEW" in gap.remedy


def test_a_locked_table_costs_only_itself(database: Database) -> None:
    database.run("CREATE TABLE orders (id int PRIMARY KEY, created_at timestamp)")
    with database.connected() as migration, migration.cursor() as cursor:
        cursor.execute("LOCK TABLES orders WRITE")
        collected = fetch(database.url, tables=["orders", "users"])
    assert len(rows(collected, Kind.ROW_INSERTED)) == 2
    assert any("lock" in entry.reason for entry in collected.coverage)


def test_no_time_left_is_said(database: Database) -> None:
    collected = fetched(connector(database.url), last_minutes(), Budget(seconds=0))
    (remark,) = [remark for remark in collected.remarks if remark.topic == "cut"]
    assert "users.created_at" in remark.sentence
    assert any(entry.sight is Sight.PARTIAL for entry in collected.coverage)


def test_a_connection_ended_between_reads_is_opened_again(database: Database) -> None:
    url, _ = database.account(READ_ALL)

    async def twice() -> int:
        reader = connector(url)
        try:
            await drained(reader.fetch(last_minutes(), Budget()))
            database.run(f"KILL USER {urlsplit(url).username}")
            return len((await drained(reader.fetch(last_minutes(), Budget()))).events)
        finally:
            await reader.close()

    assert asyncio.run(twice()) >= 2


def test_cancelling_a_long_statement_frees_us_at_once(database: Database) -> None:
    """The server's own bound ends the statement: to KILL it would be a command that acts."""
    database.run(SLOW)
    url, _ = database.account(READ_ALL, "GRANT SHOW VIEW ON {db}.* TO {user}")
    user = urlsplit(url).username

    def running() -> bool:
        with database.connected() as admin, admin.cursor() as cursor:
            asked = (
                "SELECT 1 FROM information_schema.processlist"
                " WHERE user = %s AND state = 'User sleep'"
            )
            return bool(cursor.execute(asked, (user,)))

    async def cancelled() -> float:
        table = {"name": "slow", "pk": "id"}
        reader = connector(url, tables=[table], statement_timeout_ms=3_000)
        task = asyncio.create_task(drained(reader.fetch(last_minutes(), Budget())))
        while not running():  # the server is what is waited for
            assert not task.done(), "the read ended before it could be cancelled"
            await asyncio.sleep(0.05)
        started = time.monotonic()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        return time.monotonic() - started

    assert asyncio.run(cancelled()) < 1.0
    until = time.monotonic() + 5
    while running() and time.monotonic() < until:
        time.sleep(0.05)
    assert not running()


TRX_CACHE_S = 0.15
"""innodb_trx is refreshed only when nobody has read it for a tenth of a second (MariaDB)."""


def _waiting(database: Database, state: str) -> None:
    until = time.monotonic() + 5
    while time.monotonic() < until:
        with database.connected() as admin, admin.cursor() as cursor:
            asked = (
                "SELECT count(*) FROM information_schema.innodb_trx WHERE trx_state = 'LOCK WAIT'"
                if state == "row"
                else "SELECT count(*) FROM information_schema.processlist"
                " WHERE state LIKE 'Waiting for table metadata lock'"
            )
            cursor.execute(asked)
            row = cursor.fetchone()
            if row and row[0]:
                return
        time.sleep(TRX_CACHE_S)
    raise AssertionError("nobody came to wait")


def _attempt(database: Database, statement: str) -> threading.Thread:
    def work() -> None:
        with database.connected() as waiter, waiter.cursor() as cursor:
            cursor.execute(statement)

    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    return thread


def test_open_transactions_and_lock_waits_are_seen_now(database: Database) -> None:
    url, _ = database.account(READ_ALL, MONITOR)
    with database.connected() as blocker, blocker.cursor() as cursor:
        cursor.execute("BEGIN")
        cursor.execute("UPDATE users SET status = 'held' WHERE id = 1")
        held = time.time_ns()
        waiter = _attempt(database, "UPDATE users SET status = 'ann@example.org' WHERE id = 1")
        _waiting(database, "row")
        time.sleep(1.2)
        collected = fetch(url)
        number = int(blocker.thread_id())  # type: ignore[no-untyped-call]  # of the stubs
        cursor.execute("ROLLBACK")
        waiter.join(timeout=5)
    begun = {json.loads(e.attributes or "{}")["connection"]: e
             for e in collected.events if e.kind is Kind.TXN_BEGIN}  # fmt: skip
    assert "idle for" in begun[number].body
    assert "1 rows modified" in begun[number].body
    assert abs(begun[number].timestamp - held) < 2_000_000_000
    assert begun[number].meaning is Meaning.OCCURRED
    (wait,) = [event for event in collected.events if event.kind is Kind.LOG]
    assert wait.severity_number == SEVERITY_WARN
    assert wait.meaning is Meaning.POLLED
    assert f"blocked by connection {number}" in wait.body
    assert ".users" in wait.body
    assert "ann@example.org" not in wait.body + (wait.attributes or "")


def test_a_wait_for_a_table_is_seen_now(database: Database) -> None:
    """An ALTER TABLE waits behind a reader, and everybody behind the ALTER TABLE."""
    url, _ = database.account(READ_ALL, MONITOR)
    with database.connected() as reader, reader.cursor() as cursor:
        cursor.execute("BEGIN")
        cursor.execute("SELECT * FROM users")
        waiter = _attempt(database, "ALTER TABLE users ADD COLUMN more int")
        _waiting(database, "table")
        collected = fetch(url, tables=["users"])
        cursor.execute("ROLLBACK")
        waiter.join(timeout=5)
    (wait,) = [event for event in collected.events if event.kind is Kind.LOG]
    assert "Waiting for table metadata lock" in wait.body
    assert "ALTER TABLE users" in wait.body
    assert not rows(collected, Kind.ROW_INSERTED), "we wait behind nobody"
    assert any("lock" in entry.reason for entry in collected.coverage)


def test_without_the_right_to_look_that_is_said(database: Database) -> None:
    url, _ = database.account(READ_ALL)
    collected = fetch(url)
    assert len(rows(collected, Kind.ROW_INSERTED)) == 2
    said = " ".join(remark.sentence for remark in collected.remarks if remark.topic == "rights")
    assert "GRANT PROCESS" in said
    assert "whether this is a replica" in said


def test_check_says_what_the_account_could_do(database: Database) -> None:
    reading, password = database.account(READ_ALL, MONITOR)
    writing, _ = database.account(READ_ALL, "GRANT DELETE ON {db}.users TO {user}")
    good, bad = report(reading), report(writing)
    assert good.system.startswith("MariaDB 10.")
    assert good.writes_refused is True
    assert bad.writes_refused is False
    assert any("DELETE" in fact for fact in bad.facts)
    assert any("GRANT PROCESS" in words for words in bad.cannot_see)
    assert not any("PROCESS" in words for words in good.cannot_see)
    assert "IDENTIFIED" not in repr(bad)
    assert password not in repr(good)


def test_what_a_role_may_do_counts(database: Database) -> None:
    database.run("CREATE OR REPLACE ROLE halfawake_editors")
    database.run(f"GRANT INSERT ON {database.name}.users TO halfawake_editors")
    url, _ = database.account(
        READ_ALL,
        "GRANT halfawake_editors TO {user}",
        "SET DEFAULT ROLE halfawake_editors FOR {user}",
    )
    try:
        assert report(url).writes_refused is False
    finally:
        database.run("DROP ROLE halfawake_editors")


def test_stamps_of_transactions_are_read_in_the_servers_zone() -> None:
    """innodb_trx has them in the server's zone, whatever the session's zone is."""
    try:
        server = mariadb(environment={"TZ": "Asia/Kathmandu"})
    except ServerMissing as missing:
        skip_or_fail(missing)
    with server, database_on(server) as database:
        database.run(USERS, FILLED)
        with database.connected() as blocker, blocker.cursor() as cursor:
            cursor.execute("BEGIN")
            cursor.execute("UPDATE users SET status = 'held' WHERE id = 1")
            held = time.time_ns()
            (begun,) = [e for e in fetch(database.url).events if e.kind is Kind.TXN_BEGIN]
            cursor.execute("ROLLBACK")
        assert abs(begun.timestamp - held) < 2_000_000_000
        assert len(rows(fetch(database.url), Kind.ROW_INSERTED)) == 2
        (started,) = [e for e in fetch(database.url).events if e.kind is Kind.CHANGE]
        assert 0 < held - started.timestamp < 60_000_000_000


def test_a_socket_is_a_way_in(database: Database, mariadb_server: RunningServer) -> None:
    if mariadb_server.folder is None:
        pytest.skip("this server was started by somebody else: its socket is not known")
    parts = urlsplit(database.url)
    options = {
        "host": str(mariadb_server.folder / "s.sock"),
        "user": parts.username,
        "password": parts.password,
        "database": database.name,
        "tls": "off",
    }
    validated = MySQLOptions.model_validate(options)
    collected = fetched(MySQLConnector("db", validated, KeyRules()), last_minutes())
    assert len(rows(collected, Kind.ROW_INSERTED)) == 2


def test_the_driver_cannot_be_asked_for_a_local_file(database: Database) -> None:
    """A server that lies may ask for any file of ours (LOAD DATA LOCAL); ours gives none."""

    async def local_infile() -> bool:
        reader = connector(database.url)
        try:
            await reader.clock()
            connection = reader._session._connection
            assert isinstance(connection, pymysql.Connection)
            return bool(connection.client_flag & pymysql.constants.CLIENT.LOCAL_FILES)
        finally:
            await reader.close()

    assert asyncio.run(local_infile()) is False
