"""Proof that reading queues in PostgreSQL changes nothing: what the server saw of all nine."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from connectors.sqlqueue.connector import SqlQueueConnector
from connectors.sqlqueue.delayed_job import DelayedJobConnector
from connectors.sqlqueue.good_job import GoodJobConnector
from connectors.sqlqueue.graphile_worker import GraphileWorkerConnector
from connectors.sqlqueue.oban import ObanConnector
from connectors.sqlqueue.pg_boss import PgBossConnector
from connectors.sqlqueue.procrastinate import ProcrastinateConnector
from connectors.sqlqueue.que import QueConnector
from connectors.sqlqueue.river import RiverConnector
from connectors.sqlqueue.solid_queue import SolidQueueConnector
from tests.conformance.collecting import drained
from tests.connectors.pg import database_on
from tests.connectors.sqlqueue_schemas import (
    DELAYED_JOB,
    GOOD_JOB,
    OBAN,
    QUE,
    RIVER,
    SOLID_QUEUE,
)
from tests.connectors.sqlqueue_world import (
    around_now,
    connector_of,
    graphile,
    pg_boss,
    procrastinate,
)
from tests.connectors.test_postgresql_harmless import OPENING, WRITES
from tests.servers.postgresql import logged_statements, postgresql
from tests.servers.process import RunningServer, ServerMissing
from tests.servers.pytest_fixtures import skip_or_fail
from timeline.window import Budget

pytestmark = pytest.mark.servers

READS = ("SELECT ", "EXPLAIN (FORMAT JSON) SELECT ", "WITH mine AS ( SELECT ")
CALLS = re.compile(r"\b(?:graphile_worker|pgboss)\.\w+ ?\(|\b(?:procrastinate|river|que)_\w+ ?\(")
"""A function of a queue's own: every one of them changes something."""
EVERY: tuple[type[SqlQueueConnector], ...] = (
    ProcrastinateConnector,
    PgBossConnector,
    GraphileWorkerConnector,
    GoodJobConnector,
    SolidQueueConnector,
    ObanConnector,
    DelayedJobConnector,
    QueConnector,
    RiverConnector,
)


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
    watched: RunningServer, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    with database_on(watched) as database:
        for schema in (GOOD_JOB, SOLID_QUEUE, OBAN, DELAYED_JOB, QUE, RIVER):
            database.run(*schema)
        procrastinate().told(database.url, "schema")
        procrastinate().enqueue(database.url, ["welcome_mail", {"user_id": 1}, 0])
        pg_boss().enqueue(database.url, ["welcome-mail", {"user_id": 1}])
        graphile().enqueue(database.url, ["welcome_mail", {"user_id": 1}])
        before = _rows(database.url)
        for kind in EVERY:
            asyncio.run(_everything(kind, database.url))
        monkeypatch.setattr("connectors.postgresql.plans.SCAN_COST_PAGES", -1)
        for kind in EVERY:  # every plan is refused, so that the search by ids is sent as well
            asyncio.run(_everything(kind, database.url))
        assert _rows(database.url) == before
    statements = [" ".join(text.split()) for text in logged_statements(watched, "halfawake")]
    assert len(statements) > 500
    unexpected = [text for text in statements if not _harmless(text)]
    assert not unexpected
    for expected in ("EXPLAIN", "WITH mine AS"):
        assert any(text.startswith(expected) for text in statements), f"{expected} was not sent"
    assert any("ORDER BY e.id LIMIT 1" in text for text in statements), "no search by ids"
    reads = [text for text in statements if text.startswith(READS)]
    assert not [text for text in reads if WRITES.search(text) or CALLS.search(text)]
    assert not [text for text in reads if "LIMIT" not in text and not _bounded(text)]


async def _everything(kind: type[SqlQueueConnector], url: str) -> None:
    connector = connector_of(kind, url)
    try:
        await connector.check()
        await connector.clock()
        await drained(connector.fetch(around_now(), Budget()))
        await drained(connector.lookup(["job:1", "user:4711"], around_now(), Budget()))
    finally:
        await connector.close()


def _harmless(statement: str) -> bool:
    return (
        statement == "COMMIT"
        or OPENING.fullmatch(statement) is not None
        or statement.startswith(READS)
    )


def _bounded(statement: str) -> bool:
    """One row by nature: the server about itself, its clock, the account's rights."""
    return statement.startswith(
        ("SELECT current_setting", "SELECT (extract(epoch FROM clock_timestamp())", "WITH mine AS")
    )


def _rows(url: str) -> list[object]:
    """Every row of the queues that were filled."""
    import psycopg

    tables = (
        "pgboss.job",
        "pgboss.queue",
        "graphile_worker._private_jobs",
        "procrastinate_jobs",
        "procrastinate_events",
    )
    with psycopg.connect(url) as connection:
        return [
            connection.execute(f"SELECT r::text FROM {table} AS r ORDER BY 1".encode()).fetchall()
            for table in tables
        ]
