"""What a real PostgreSQL server writes in its three ways, read as files: the same story thrice."""

from __future__ import annotations

import contextlib
import re
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from tests.connectors.logs.reading import load
from tests.servers.postgresql import postgresql
from tests.servers.process import RunningServer, ServerMissing
from tests.servers.pytest_fixtures import skip_or_fail
from timeline.event import Event
from timeline.window import MINUTE_NS, Window

pytestmark = pytest.mark.servers
SETTINGS = {
    "logging_collector": "on",
    "log_destination": "stderr,csvlog,jsonlog",
    "log_directory": "..",
    "log_filename": "postgresql.log",
    "log_line_prefix": "%m [%p] %q%u@%d ",
    "log_lock_waits": "on",
    "deadlock_timeout": "100ms",
    "log_connections": "on",
    "log_checkpoints": "on",
    "max_connections": "8",
    "superuser_reserved_connections": "1",
    "timezone": "UTC",
    "log_timezone": "UTC",
}
WAYS = ("postgresql.log", "postgresql.csv", "postgresql.json")


@pytest.fixture(scope="module")
def server() -> Iterator[RunningServer]:
    try:
        running = postgresql(settings=SETTINGS)
    except ServerMissing as missing:
        skip_or_fail(missing)
    try:
        _trouble(running.url)
        yield running
    finally:
        running.stop()


def _trouble(url: str) -> None:
    """A lock wait, a deadlock, a cancelled statement, too many clients, a checkpoint."""
    with psycopg.connect(url, autocommit=True) as one, psycopg.connect(url, autocommit=True) as two:
        one.execute("CREATE TABLE users (id int PRIMARY KEY, name text UNIQUE)")
        one.execute("INSERT INTO users VALUES (1, 'a'), (2, 'b')")
        one.execute("CHECKPOINT")
        one.execute("BEGIN; UPDATE users SET name = 'x' WHERE id = 1")
        two.execute("BEGIN; UPDATE users SET name = 'y' WHERE id = 2")

        waiting = threading.Thread(target=lambda: _quietly(two, "z", 1))
        waiting.start()
        time.sleep(0.3)
        _quietly(one, "w", 2)
        waiting.join(10)
        one.execute("ROLLBACK")
        two.execute("ROLLBACK")
        one.execute("SET statement_timeout = '50ms'")
        with pytest.raises(psycopg.errors.QueryCanceled):
            one.execute("SELECT pg_sleep(5)")
        with pytest.raises(psycopg.errors.UniqueViolation):
            one.execute("INSERT INTO users VALUES (9, 'a')")
    held = []
    try:
        with pytest.raises(psycopg.OperationalError, match=r"too many|remaining"):
            for _ in range(12):
                held.append(psycopg.connect(url))
    finally:
        for connection in held:
            connection.close()
    time.sleep(0.3)


def _quietly(connection: psycopg.Connection[tuple[object, ...]], name: str, row: int) -> None:
    with contextlib.suppress(psycopg.errors.DeadlockDetected):
        connection.execute("UPDATE users SET name = %s\nWHERE id = %s", (name, row))


def _events(server: RunningServer, way: str) -> list[Event]:
    assert server.folder is not None
    path = Path(server.folder) / way
    now = time.time_ns()
    loaded = load(path, window=Window(now, now - 10 * MINUTE_NS, now + MINUTE_NS))
    assert loaded.undated == []
    assert "broken-line" not in loaded.topics()
    return loaded.events


def _bare(event: Event) -> str:
    """The message alone: the three ways differ in what stands in front of it and below it."""
    first = event.body.partition("␊")[0]
    return re.sub(r"^\[\d+\] (?:\w+@\w+ )?(?:\[unknown\]@\[unknown\] )?", "", first)


def test_the_three_ways_tell_the_same_messages(server: RunningServer) -> None:
    told = [
        [(event.timestamp, event.severity_number, _bare(event)) for event in _events(server, way)]
        for way in WAYS
    ]
    assert len(told[0]) > 15
    # Until its collector runs, the server writes to the terminal alone; from then on all agree.
    assert sorted(told[0]) == sorted(told[1]) == sorted(told[2])


@pytest.mark.parametrize("way", WAYS)
def test_a_deadlock_is_one_event_with_both_transactions(server: RunningServer, way: str) -> None:
    (deadlock,) = [e for e in _events(server, way) if "deadlock detected" in e.body]
    assert deadlock.severity_number == 17
    assert "␊DETAIL:  Process" in deadlock.body
    # A csvlog column with line breaks ends the reading of columns; what follows is shown as written
    label = "" if way.endswith(".csv") else "HINT:  "
    assert f"{label}See server log for query details." in deadlock.body
    assert "while updating tuple" in deadlock.body
    assert re.search(r"UPDATE users SET name = \$1␊ ?WHERE id = \$2", deadlock.body)
    assert len({key for key in deadlock.keys if key.startswith("txn:")}) >= 2


@pytest.mark.parametrize("way", WAYS)
def test_the_lock_wait_and_its_end_share_the_transaction(server: RunningServer, way: str) -> None:
    events = _events(server, way)
    (wait,) = [e for e in events if "still waiting for ShareLock on transaction" in e.body]
    (got,) = [e for e in events if "acquired ShareLock on transaction" in e.body]
    shared = set(wait.keys) & set(got.keys)
    assert any(key.startswith("txn:") for key in shared)
    assert wait.timestamp < got.timestamp


@pytest.mark.parametrize("way", WAYS)
def test_levels_are_the_servers(server: RunningServer, way: str) -> None:
    events = _events(server, way)

    def severity(text: str) -> set[int]:
        return {event.severity_number for event in events if text in event.body}

    assert severity("canceling statement due to statement timeout") == {17}
    assert severity("duplicate key value") == {17}
    assert severity("sorry, too many clients") | severity("remaining connection slots") == {21}
    assert severity("connection authorized: user=") == {9}
    assert severity("checkpoint starting") == {9}
