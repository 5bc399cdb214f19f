"""What a person reads when PostgreSQL refuses, stalls or ends the connection; and what survives."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Iterator
from urllib.parse import quote, urlsplit

import psycopg
import pytest
from pydantic import ValidationError

from connectors.postgresql import PostgreSQLOptions
from tests.conformance.collecting import drained, fetched
from tests.connectors.pg import Database, connector, database_on, fetch, last_minutes, look_up, rows
from tests.servers.process import RunningServer
from timeline.coverage import Sight
from timeline.event import SEVERITY_WARN, Kind, Meaning
from timeline.problems import AccessRefused, Misconfigured, Overloaded, SourceProblem
from timeline.window import Budget

pytestmark = pytest.mark.servers

USERS = "CREATE TABLE users (id bigserial PRIMARY KEY, status text, created_at timestamptz)"
FILLED = "INSERT INTO users (status, created_at) VALUES ('a', now()), ('b', now())"
READ_ALL = "GRANT SELECT ON ALL TABLES IN SCHEMA public TO {role}"


@pytest.fixture
def database(postgresql_server: RunningServer) -> Iterator[Database]:
    with database_on(postgresql_server) as created:
        created.run(USERS, FILLED)
        yield created


def problem(url: str) -> SourceProblem:
    with pytest.raises(SourceProblem) as caught:
        fetch(url)
    return caught.value


def test_a_wrong_password(database: Database) -> None:
    url, password = database.role()
    refused = problem(url.replace(password, "wrong-secret"))
    assert isinstance(refused, AccessRefused)
    assert "password" in refused.sentence()
    assert "wrong-secret" not in refused.sentence()
    assert refused.__cause__ is None
    assert refused.__context__ is None, "the driver's error holds the password"


def test_an_unknown_database(database: Database) -> None:
    refused = problem(urlsplit(database.url)._replace(path="/nowhere").geturl())
    assert isinstance(refused, Misconfigured)
    assert "nowhere" in refused.sentence()


def test_no_connection_left(database: Database) -> None:
    url, _ = database.role("ALTER ROLE {role} CONNECTION LIMIT 0")
    refused = problem(url)
    assert isinstance(refused, Overloaded)
    assert "evidence" in refused.remedy


def test_a_dsn_that_is_none_is_not_quoted() -> None:
    refused = problem("postgresql//u:hidden-secret@h/db")
    assert isinstance(refused, Misconfigured)
    assert "hidden-secret" not in repr(refused) + refused.sentence()


def test_an_option_error_does_not_quote_the_dsn() -> None:
    with pytest.raises(ValidationError) as caught:
        PostgreSQLOptions.model_validate({"dsn": {"text": "hidden-secret"}, "zone": "Nowhere"})
    assert "hidden-secret" not in str(caught.value)
    assert "Nowhere" in str(caught.value)


def test_a_password_may_stand_beside_the_dsn(database: Database) -> None:
    url, password = database.role(READ_ALL)
    bare = url.replace(f":{quote(password)}@", "@")
    assert len(rows(fetch(bare, password=password), Kind.ROW_INSERTED)) == 2


def test_a_missing_table_costs_only_itself(database: Database) -> None:
    collected = fetch(database.url, tables=["users", "nowhere", "sales.orders"])
    assert len(rows(collected, Kind.ROW_INSERTED)) == 2
    reasons = [entry.reason for entry in collected.coverage if entry.sight is Sight.PARTIAL]
    assert any("nowhere" in reason for reason in reasons)
    assert any("sales.orders" in reason for reason in reasons)


def test_a_table_we_may_not_read_costs_only_itself(database: Database) -> None:
    database.run("CREATE TABLE pay (id serial PRIMARY KEY, created_at timestamptz)")
    url, _ = database.role("GRANT SELECT ON users TO {role}")
    collected = fetch(url, tables=["users", "pay"])
    assert len(rows(collected, Kind.ROW_INSERTED)) == 2
    (gap,) = [e for e in collected.coverage if "pay" in e.reason]
    assert "GRANT SELECT ON pay" in gap.remedy


def test_column_rights_are_respected(database: Database) -> None:
    url, _ = database.role("GRANT SELECT (id, created_at) ON users TO {role}")
    found = rows(fetch(url), Kind.ROW_INSERTED)
    assert len(found) == 2
    assert all("status" not in (event.attributes or "") for event in found.values())


def test_hidden_rows_are_said(database: Database) -> None:
    url, _ = database.role(
        READ_ALL,
        "ALTER TABLE users ENABLE ROW LEVEL SECURITY",
        "CREATE POLICY mine ON users TO {role} USING (status = 'a')",
    )
    collected = fetch(url)
    assert not rows(collected, Kind.ROW_INSERTED), "half of a table looks like all of it"
    assert all(entry.sight is not Sight.FULL for entry in collected.coverage)
    (gap,) = [entry for entry in collected.coverage if "row security" in entry.reason]
    assert "users is not read" in gap.reason
    assert "BYPASSRLS" in gap.remedy
    everything = fetch(database.url)
    assert len(rows(everything, Kind.ROW_INSERTED)) == 2, "its owner is not filtered"


def test_rows_hidden_behind_a_view_are_an_error(database: Database) -> None:
    url, _ = database.role(
        "ALTER TABLE users ENABLE ROW LEVEL SECURITY",
        "GRANT CREATE ON SCHEMA public TO {role}",
        READ_ALL,
    )
    with psycopg.connect(url, autocommit=True) as owner:
        owner.execute("CREATE VIEW all_users AS SELECT * FROM users")
    collected = fetch(url, tables=[{"name": "all_users", "pk": "id"}])
    assert not rows(collected, Kind.ROW_INSERTED)
    assert any("Row security would hide" in entry.reason for entry in collected.coverage)


def test_a_slow_table_costs_only_itself(database: Database) -> None:
    database.run(
        "CREATE VIEW slow AS SELECT id, created_at, pg_sleep(3)::text AS status FROM users"
    )
    started = time.monotonic()
    collected = fetch(
        database.url, tables=[{"name": "slow", "pk": "id"}, "users"], statement_timeout_ms=200
    )
    assert time.monotonic() - started < 3
    assert set(rows(collected, Kind.ROW_INSERTED)) == {"users/1", "users/2"}
    assert any("statement_timeout" in entry.reason for entry in collected.coverage)


def test_a_locked_table_costs_only_itself(database: Database) -> None:
    database.run("CREATE TABLE orders (id serial PRIMARY KEY, created_at timestamptz)")
    with database.connected() as migration:
        migration.execute("BEGIN")
        migration.execute("LOCK TABLE orders IN ACCESS EXCLUSIVE MODE")
        collected = fetch(database.url, tables=["orders", "users"])
        migration.execute("ROLLBACK")
    assert len(rows(collected, Kind.ROW_INSERTED)) == 2
    assert any("lock" in entry.reason for entry in collected.coverage)


def test_no_time_left_is_said(database: Database) -> None:
    collected = fetched(connector(database.url), last_minutes(), Budget(seconds=0))
    (remark,) = [remark for remark in collected.remarks if remark.topic == "cut"]
    assert "users.created_at" in remark.sentence
    assert any(entry.sight is Sight.PARTIAL for entry in collected.coverage)


def test_a_connection_ended_between_reads_is_opened_again(database: Database) -> None:
    async def twice() -> int:
        reader = connector(database.url)
        try:
            await drained(reader.fetch(last_minutes(), Budget()))
            with database.connected() as admin:
                admin.execute(
                    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                    " WHERE application_name = 'halfawake' AND datname = current_database()"
                )
            return len((await drained(reader.fetch(last_minutes(), Budget()))).events)
        finally:
            await reader.close()

    assert asyncio.run(twice()) >= 2


def test_cancelling_a_long_statement_ends_it_on_the_server(database: Database) -> None:
    database.run(
        "CREATE VIEW slow AS SELECT id, created_at, pg_sleep(60)::text AS status FROM users"
    )

    async def cancelled() -> float:
        reader = connector(
            database.url, tables=[{"name": "slow", "pk": "id"}], statement_timeout_ms=60_000
        )
        task = asyncio.create_task(drained(reader.fetch(last_minutes(), Budget())))
        while not _running(database):  # noqa: ASYNC110  # the server is what is waited for
            await asyncio.sleep(0.05)
        started = time.monotonic()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        return time.monotonic() - started

    assert asyncio.run(cancelled()) < 1.0
    until = time.monotonic() + 2
    while _running(database) and time.monotonic() < until:
        time.sleep(0.05)
    assert not _running(database)


def _running(database: Database) -> int:
    with database.connected() as admin:
        row = admin.execute(
            "SELECT count(*) FROM pg_stat_activity WHERE query LIKE '%slow%'"
            " AND state = 'active' AND application_name = 'halfawake'"
        ).fetchone()
    assert row is not None
    return int(row[0])


def test_open_transactions_and_lock_waits_are_seen_now(database: Database) -> None:
    with database.connected() as blocker:
        blocker.execute("SET application_name = 'web'")
        blocker.execute("BEGIN")
        blocker.execute("UPDATE users SET status = 'ann@example.org' WHERE id = 1")
        waiter = threading.Thread(target=_update, args=(database.url,), daemon=True)
        waiter.start()
        _until(lambda: _waiting(database))
        collected = fetch(database.url)
        blocker.execute("ROLLBACK")
        waiter.join(timeout=5)
    begun = [event for event in collected.events if event.kind is Kind.TXN_BEGIN]
    (web,) = [event for event in begun if event.actor == "web"]
    assert "idle in transaction" in web.body
    assert "ann@example.org" not in web.body + (web.attributes or "")
    assert any(key.startswith("txn:") for key in web.keys)
    (wait,) = [event for event in collected.events if event.kind is Kind.LOG]
    assert wait.severity_number == SEVERITY_WARN
    assert wait.meaning is Meaning.POLLED
    assert "worker" in wait.body
    assert "blocked by pid" in wait.body


def _update(url: str) -> None:
    with psycopg.connect(url, application_name="worker") as connection:
        connection.execute("UPDATE users SET status = 'x' WHERE id = 1")


def _waiting(database: Database) -> bool:
    with database.connected() as admin:
        row = admin.execute(
            "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'"
            " AND datname = current_database()"
        ).fetchone()
    return row is not None and row[0] > 0


def _until(condition: object, within_s: float = 5.0) -> None:
    assert callable(condition)
    until = time.monotonic() + within_s
    while not condition():
        assert time.monotonic() < until
        time.sleep(0.02)


def test_check_says_what_the_role_could_do(database: Database) -> None:
    reading, _ = database.role(READ_ALL)
    writing, _ = database.role(READ_ALL, "GRANT DELETE ON users TO {role}")

    async def report(url: str) -> tuple[bool | None, str]:
        reader = connector(url)
        try:
            checked = await reader.check()
        finally:
            await reader.close()
        return checked.writes_refused, " ".join(
            (*checked.rights, *checked.facts, *checked.cannot_see)
        )

    assert asyncio.run(report(reading))[0] is True
    refused, words = asyncio.run(report(writing))
    assert refused is False
    assert "could write to public.users" in words
    assert "pg_read_all_stats" in words
    assert "track_commit_timestamp is off" in words


@pytest.mark.parametrize("indexed", [True, False])
def test_a_large_table_is_never_read_from_end_to_end(
    database: Database, monkeypatch: pytest.MonkeyPatch, indexed: bool
) -> None:
    monkeypatch.setattr("connectors.postgresql.tables.LARGE_BYTES", 100_000)
    monkeypatch.setattr("connectors.postgresql.plans.SCAN_COST_PAGES", 100)
    database.run(
        "CREATE TABLE orders (id bigserial PRIMARY KEY, user_id int, created_at timestamptz,"
        " updated_at timestamptz)",
        "INSERT INTO orders (user_id, created_at, updated_at)"
        " SELECT n, now() - (60000 - n) * interval '1 second', now()"
        " FROM generate_series(1, 60000) AS n",
        "ANALYZE orders",
    )
    if indexed:
        database.run("CREATE INDEX ON orders (created_at)", "CREATE INDEX ON orders (user_id)")
    collected = fetch(database.url, tables=["orders"])
    found = rows(collected, Kind.ROW_INSERTED)
    assert 290 <= len(found) <= 300, "five minutes of one row a second"
    reasons = " ".join(entry.reason for entry in collected.coverage)
    assert "orders.updated_at: not read: no index on updated_at" in reasons
    assert ("found by its ids (orders_pkey" in reasons) is not indexed
    looked = look_up(database.url, "user:4711", tables=["orders"])
    assert bool(looked.events) is indexed
    assert any("user_id has no index" in e.reason for e in looked.coverage) is not indexed
