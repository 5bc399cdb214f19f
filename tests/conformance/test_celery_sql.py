"""Celery in PostgreSQL against the conformance suite: a real worker's messages and results."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from urllib.parse import urlsplit

import psycopg
import pytest

from connectors.celery_sql import CelerySqlConnector
from tests.conformance.subject import Subject
from tests.conformance.suite import ConnectorConformance
from tests.connectors.celery_sql_world import WORKER_ZONE, celery_on_postgresql
from tests.connectors.pg import Database, database_on
from tests.connectors.sqlqueue_world import READS, true
from tests.connectors.workers.running import until
from tests.servers.process import RunningServer
from timeline.window import SECOND_NS, Window

HOSTILE = "broken\x1b[31m\u202estate\r\ngone"
ENDED = "SELECT count(*) = {} FROM celery_taskmeta WHERE status IN ('SUCCESS', 'FAILURE')"


@dataclass(frozen=True)
class Worked:
    """What a worker left behind, a reader's URL and password, and a task's id."""

    url: str
    password: str
    window: Window
    task: str


@pytest.fixture(scope="module")
def worked(
    postgresql_server: RunningServer, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Worked]:
    program, log = celery_on_postgresql(), tmp_path_factory.mktemp("celery") / "worker.log"
    with database_on(postgresql_server) as database:
        before = time.time_ns()
        first, *_ = program.enqueue(database.url, *_tasks(77))
        with program.working(database.url, log):
            until(lambda: _ended(database.url, 3), "the first tasks", log)
            pin = time.time_ns()
            program.enqueue(database.url, *_tasks(80))
            until(lambda: _ended(database.url, 6), "the later tasks", log)
        url, password = database.role(*(grant.format(schema="public") for grant in READS))
        window = Window(pin, before - 60 * SECOND_NS, time.time_ns() + SECOND_NS)
        yield Worked(url, password, window, first)


def _tasks(user: int) -> list[list[object]]:
    mails: list[list[object]] = [["welcome_mail", {"user_id": user + n}, {}] for n in (1, 2)]
    return [["gives_up", {"user_id": user, "note": HOSTILE}, {}], *mails]


def _ended(url: str, count: int) -> bool:
    try:
        return true(Database(url), ENDED.format(count))
    except psycopg.errors.UndefinedTable:
        return False  # the worker makes it with the first result


@pytest.mark.servers
class TestCelerySql(ConnectorConformance):
    @pytest.fixture
    def subject(self, worked: Worked, postgresql_server: RunningServer) -> Subject:
        parts = urlsplit(worked.url)

        def connections() -> int:
            with closing(psycopg.connect(postgresql_server.url)) as admin:
                row = admin.execute(
                    "SELECT count(*) FROM pg_stat_activity WHERE usename = %s", (parts.username,)
                ).fetchone()
            assert row is not None
            return int(row[0])

        def at_port(port: int) -> dict[str, object]:
            login = f"{parts.username}:{worked.password}"
            return {"dsn": f"postgresql://{login}@127.0.0.1:{port}{parts.path}"}

        return Subject(
            connector_class=CelerySqlConnector,
            options={"dsn": worked.url, "taken_zone": WORKER_ZONE},
            window=worked.window,
            known_keys=(f"job:{worked.task}", "user:77", "user:81"),
            absent_key="user:4711",
            drivers=("psycopg", "polars", "sqlalchemy", "celery", "kombu"),
            secrets=(worked.password,),
            hostile="gone",
            page_option="page_jobs",
            at_port=at_port,
            connections=connections,
        )
