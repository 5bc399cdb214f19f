"""A real lock queue on a real PostgreSQL, read by the connector and told by the detector."""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Callable, Iterator

import psycopg
import pytest

from tests.conformance.collecting import fetched
from tests.connectors.pg import SOURCE, Database, connector, database_on
from tests.servers.process import RunningServer
from timeline.analysis import Analysis, analyse
from timeline.detectors.connections_exhausted import ConnectionsExhaustedDetector
from timeline.detectors.lock_queue import IDLE, LockQueue, LockQueueDetector
from timeline.event import Lane
from timeline.facts.locks import SHORT_WAIT_NS
from timeline.incident import Incident, SourceInfo
from timeline.order import Verdict
from timeline.store import Store
from timeline.window import SECOND_NS, Budget, Window

USERS = "CREATE TABLE users (id bigserial PRIMARY KEY, status text, created_at timestamptz)"
FILLED = "INSERT INTO users (status, created_at) VALUES ('a', now()), ('b', now())"
MIGRATION = "ALTER TABLE users ADD COLUMN plan text"
READERS = 3
WITHIN_S = 10.0


@pytest.fixture
def database(postgresql_server: RunningServer) -> Iterator[Database]:
    with database_on(postgresql_server) as created:
        created.run(USERS, FILLED)
        yield created


@pytest.mark.servers
def test_a_queue_behind_an_idle_transaction_names_its_session(database: Database) -> None:
    with idle_transaction(database) as idle_pid, queue_behind_it(database) as migration_pid:
        time.sleep(1.2 * SHORT_WAIT_NS / SECOND_NS)
        analysis = analysed(database)
    (finding,) = analysis.findings
    assert isinstance(finding, LockQueue)
    assert finding.verdict is Verdict.CERTAIN
    assert finding.root is not None
    assert (finding.root.session, finding.root_kind) == (str(idle_pid), IDLE)
    assert finding.root.holds == ("RowExclusiveLock on users",)
    assert len(finding.waiters) == 1 + READERS
    assert finding.waiters[0].session == finding.gate == str(migration_pid)
    assert finding.depth == 2
    assert finding.longest >= SHORT_WAIT_NS
    assert f"pid {idle_pid} (web)" in finding.sentence()
    assert f"pid {idle_pid} (web)" in analysis.next_action
    orders = [step.order for step in finding.steps[1:]]
    assert orders[0] is not None
    assert orders[0].verdict is Verdict.CERTAIN
    assert "secret" not in finding.sentence(), "literals of statements stay on the server"


@pytest.mark.servers
def test_an_idle_transaction_that_holds_up_nobody_is_no_queue(database: Database) -> None:
    with idle_transaction(database):
        time.sleep(1.2 * SHORT_WAIT_NS / SECOND_NS)
        assert analysed(database).findings == ()


def analysed(database: Database) -> Analysis:
    """What halfawake says of the last minutes, read by the connector as any source is."""
    now = time.time_ns()
    window = Window(now - SECOND_NS, now - 300 * SECOND_NS, now)
    store = Store()
    for batch in fetched(connector(database.url), window, Budget()).batches:
        store.add(batch)
    incident = Incident(
        window,
        store.snapshot(),
        sources=(SourceInfo(SOURCE, Lane.DATABASE, "postgresql (primary)"),),
        collected_at=time.time_ns(),
    )
    analysis = analyse(incident, (LockQueueDetector(), ConnectionsExhaustedDetector()))
    assert [skipped.term for skipped in analysis.not_evaluated] == ["connections-exhausted"]
    return analysis


@contextlib.contextmanager
def idle_transaction(database: Database) -> Iterator[int]:
    """A session named web that changed a row and forgot to commit; its pid."""
    with database.connected() as web:
        web.execute("SET application_name = 'web'")
        web.execute("BEGIN")
        web.execute("UPDATE users SET status = 'secret' WHERE id = 1")
        yield web.info.backend_pid
        web.execute("ROLLBACK")


@contextlib.contextmanager
def queue_behind_it(database: Database) -> Iterator[int]:
    """A migration that waits for the row's table, and readers behind it; the migration's pid."""
    statements = (("deploy", MIGRATION), *[("reader", "SELECT count(*) FROM users")] * READERS)
    threads: list[threading.Thread] = []
    for application, statement in statements:
        arguments = (database.url, application, statement)
        threads.append(threading.Thread(target=run_once, args=arguments, daemon=True))
        threads[-1].start()
        wait_until(lambda: len(waiting(database)) == len(threads))
    yield next(pid for pid, application in waiting(database) if application == "deploy")
    database.run(
        "SELECT pg_cancel_backend(pid) FROM pg_stat_activity WHERE wait_event_type = 'Lock'"
        " AND datname = current_database()"
    )
    for thread in threads:
        thread.join(timeout=WITHIN_S)


def run_once(url: str, application: str, statement: str) -> None:
    with (
        contextlib.suppress(psycopg.Error),
        psycopg.connect(url, application_name=application) as connection,
    ):
        connection.execute(statement.encode())


def waiting(database: Database) -> list[tuple[int, str]]:
    with database.connected() as admin:
        return admin.execute(
            "SELECT pid, application_name FROM pg_stat_activity WHERE wait_event_type = 'Lock'"
            " AND datname = current_database()"
        ).fetchall()


def wait_until(condition: Callable[[], bool]) -> None:
    until = time.monotonic() + WITHIN_S
    while not condition():
        assert time.monotonic() < until
        time.sleep(0.02)
