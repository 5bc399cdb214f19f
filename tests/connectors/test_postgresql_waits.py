"""Who waits for whom, right now: chains to their root, idle transactions, prepared ones, slots."""

from __future__ import annotations

import contextlib
import json
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import psycopg
import pytest

from connectors.postgresql.waits import Wait, WaitGraph
from tests.connectors.pg import Database, database_on, fetch, restarted
from tests.servers.postgresql import postgresql
from tests.servers.process import RunningServer, ServerMissing
from tests.servers.pytest_fixtures import skip_or_fail
from timeline.event import SEVERITY_WARN, Event, Kind, Meaning

USERS = "CREATE TABLE users (id bigserial PRIMARY KEY, status text, created_at timestamptz)"
FILLED = "INSERT INTO users (status, created_at) VALUES ('a', now()), ('b', now())"
WAITERS = 3


@pytest.fixture
def database(postgresql_server: RunningServer) -> Iterator[Database]:
    with database_on(postgresql_server) as created:
        created.run(USERS, FILLED)
        yield created


def waiting_for(pid: int, *blockers: int) -> Wait:
    return Wait(pid, "transactionid", "ShareLock", "users", "700", None, blockers)


def test_a_chain_ends_at_who_waits_for_nobody() -> None:
    graph = WaitGraph([waiting_for(3, 2), waiting_for(2, 1), waiting_for(4, 2, 9)])
    assert graph.roots(3) == [1]
    assert graph.chain(3) == [3, 2, 1]
    assert graph.roots(4) == [1, 9]
    assert graph.chain(4) == [4, 9], "the shortest way"
    assert graph.blocked_by(1) == [2, 3, 4]
    assert graph.pids == [1, 2, 3, 4, 9]
    assert not graph.deadlocked(3)


def test_a_circle_has_no_root_and_does_not_turn_for_ever() -> None:
    graph = WaitGraph([waiting_for(1, 2), waiting_for(2, 1), waiting_for(3, 1)])
    assert graph.roots(1) == []
    assert graph.deadlocked(1)
    assert graph.deadlocked(2)
    assert not graph.deadlocked(3), "it waits behind a deadlock and is no part of it"
    assert graph.chain(1) == [1, 2]


def test_a_prepared_transaction_is_a_root_without_a_session() -> None:
    graph = WaitGraph([waiting_for(5, 0)])
    assert graph.roots(5) == [0]
    assert graph.pids == [5]


@pytest.mark.servers
def test_a_queue_of_locks_is_told_down_to_its_root(database: Database) -> None:
    """An idle transaction holds a row, a migration waits for it, everybody waits behind that."""
    with _holding(database) as holder, _queue(database):
        events = fetch(database.url).events
    (root,) = [event for event in events if event.kind is Kind.TXN_BEGIN and event.actor == "web"]
    waits = {told["blocked_pid"]: (event, told) for event, told in _waits(events)}
    assert len(waits) == 1 + WAITERS
    pids = sorted(waits)
    told = json.loads(root.attributes or "{}")
    assert told["pid"] == holder
    assert told["blocks"] == pids
    assert told["state"] == "idle in transaction"
    assert told["holds"] == ["RowExclusiveLock on users"]
    assert told["backend_xid"]
    assert "idle in transaction for" in root.body
    assert f"blocks {1 + WAITERS} sessions" in root.body
    assert root.severity_number == SEVERITY_WARN
    migration = next(
        pid for pid, (_, told) in waits.items() if told["lock_mode"] == "AccessExclusiveLock"
    )
    for pid, (event, told) in waits.items():
        assert told["root_pid"] == holder
        assert told["root_pids"] == [holder]
        assert told["lock"] == "relation"
        assert told["relation"] == "users"
        assert told["waits_since"] < told["seen_at"]
        assert told["now"] is True
        assert not told["deadlock"]
        expected = [pid, holder] if pid == migration else [pid, migration, holder]
        assert told["chain"] == expected
        assert event.meaning is Meaning.POLLED
        if pid != migration:
            assert "the chain ends at" in event.body
            assert "web" in event.body


@pytest.mark.servers
def test_a_wait_for_a_row_names_the_table_and_the_transaction(database: Database) -> None:
    with _holding(database) as holder:
        update = threading.Thread(
            target=_statement,
            args=(database.url, "worker", "UPDATE users SET status = 'ann@example.org'"),
            daemon=True,
        )
        update.start()
        _until(lambda: _waiting(database) == 1)
        events = fetch(database.url).events
    update.join(timeout=5)
    ((event, told),) = _waits(events)
    (root,) = [e for e in events if e.kind is Kind.TXN_BEGIN and e.actor == "web"]
    assert told["blocking_pids"] == [holder]
    assert told["lock"] == "transactionid"
    assert told["relation"] == "users"
    assert "ann@example.org" not in event.body + (event.attributes or "")
    shared = {key for key in event.keys if key.startswith("txn:")} & set(root.keys)
    assert shared, "the waiter carries the key of the transaction that it waits for"


@pytest.mark.servers
def test_waits_are_seen_without_the_right_to_see_statements(database: Database) -> None:
    url, _ = database.role("GRANT SELECT ON ALL TABLES IN SCHEMA public TO {role}")
    with _holding(database) as holder, _queue(database):
        collected = fetch(url, tables=["users"])
    waits = _waits(collected.events)
    assert len(waits) == 1 + WAITERS
    assert {told["root_pid"] for _, told in waits} == {holder}
    (root,) = [
        e
        for e in collected.events
        if f"pid {holder}" in e.body
        and "blocks" in e.body
        and e.kind is Kind.LOG
        and "hidden from this role" in e.body
    ]
    assert root.severity_number == SEVERITY_WARN
    assert any(remark.topic == "rights" for remark in collected.remarks)


@pytest.mark.servers
def test_connection_slots_are_counted_by_whom(database: Database) -> None:
    with contextlib.ExitStack() as stack:
        for _ in range(4):
            stack.enter_context(
                psycopg.connect(database.url, application_name="greedy", autocommit=True)
            )
        events = fetch(database.url).events
    (slots,) = [e for e in events if "connections used" in e.body]
    told = json.loads(slots.attributes or "{}")
    with database.connected() as session:
        row = session.execute("SHOW max_connections").fetchone()
    assert row is not None
    assert told["max"] == int(row[0])
    assert told["used"] >= 5, "the four and ours"
    greedy = [group for group in told["by"] if group["application_name"] == "greedy"]
    assert sum(group["connections"] for group in greedy) == 4
    assert slots.kind is Kind.METRIC
    assert told["now"] is True


@pytest.mark.servers
def test_a_forgotten_prepared_transaction_is_told() -> None:
    try:
        server = postgresql()
    except ServerMissing as missing:
        skip_or_fail(missing)
    with server:
        database = Database(server.url)
        database.run(USERS, FILLED, "ALTER SYSTEM SET max_prepared_transactions = 5")
        with restarted(server):
            with database.connected() as session:
                session.execute("BEGIN")
                session.execute("UPDATE users SET status = 'x' WHERE id = 1")
                session.execute("PREPARE TRANSACTION 'order-77'")
            blocked = threading.Thread(
                target=_statement,
                args=(server.url, "worker", "UPDATE users SET status = 'y' WHERE id = 1"),
                daemon=True,
            )
            blocked.start()
            _until(lambda: _waiting(database) == 1)
            events = fetch(server.url).events
            database.run("ROLLBACK PREPARED 'order-77'")
            blocked.join(timeout=5)
    (prepared,) = [e for e in events if "is prepared as order-77" in e.body]
    ((event, told),) = _waits(events)
    assert told["blocking_pids"] == [0]
    assert "a prepared transaction" in event.body
    assert set(prepared.keys) & set(event.keys), "joined by the transaction id"


def _waits(events: list[Event]) -> list[tuple[Event, dict[str, Any]]]:
    told = [(event, json.loads(event.attributes or "{}")) for event in events]
    return [(event, content) for event, content in told if "blocked_pid" in content]


@contextlib.contextmanager
def _holding(database: Database) -> Iterator[int]:
    """A session named web that holds a row in an idle transaction; its pid."""
    with database.connected() as web:
        web.execute("SET application_name = 'web'")
        web.execute("BEGIN")
        web.execute("UPDATE users SET status = 'held' WHERE id = 1")
        yield web.info.backend_pid
        web.execute("ROLLBACK")


@contextlib.contextmanager
def _queue(database: Database) -> Iterator[None]:
    """A migration that waits for the row's transaction, and readers that wait behind it."""
    alter = "ALTER TABLE users ADD COLUMN plan text"
    threads = [
        threading.Thread(target=_statement, args=(database.url, "deploy", alter), daemon=True)
    ]
    threads[0].start()
    _until(lambda: _waiting(database) == 1)
    for _ in range(WAITERS):
        read = ("reader", "SELECT count(*) FROM users")
        threads.append(threading.Thread(target=_statement, args=(database.url, *read), daemon=True))
        threads[-1].start()
    _until(lambda: _waiting(database) == 1 + WAITERS)
    yield
    with database.connected() as admin:
        admin.execute(
            "SELECT pg_cancel_backend(pid) FROM pg_stat_activity WHERE wait_event_type = 'Lock'"
            " AND datname = current_database()"
        )
    for thread in threads:
        thread.join(timeout=5)


def _statement(url: str, application: str, statement: str) -> None:
    with (
        contextlib.suppress(psycopg.Error),
        psycopg.connect(url, application_name=application) as connection,
    ):
        connection.execute(statement.encode())


def _waiting(database: Database) -> int:
    with database.connected() as admin:
        row = admin.execute(
            "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'"
            " AND datname = current_database()"
        ).fetchone()
    assert row is not None
    return int(row[0])


def _until(condition: Callable[[], bool], within_s: float = 10.0) -> None:
    until = time.monotonic() + within_s
    while not condition():
        assert time.monotonic() < until
        time.sleep(0.02)
