"""Queues in PostgreSQL against the conformance suite: four real ones, one on its schema."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import psycopg
import pytest

from connectors.sqlqueue.connector import SqlQueueConnector
from connectors.sqlqueue.delayed_job import DelayedJobConnector
from connectors.sqlqueue.graphile_worker import GraphileWorkerConnector
from connectors.sqlqueue.oban import ObanConnector
from connectors.sqlqueue.pg_boss import PgBossConnector
from connectors.sqlqueue.procrastinate import ProcrastinateConnector
from tests.conformance.subject import Subject
from tests.conformance.suite import ConnectorConformance
from tests.connectors.pg import Database, database_on
from tests.connectors.sqlqueue_schemas import OBAN
from tests.connectors.sqlqueue_world import (
    READS,
    Program,
    delayed_job,
    graphile,
    pg_boss,
    procrastinate,
    true,
)
from tests.connectors.workers.running import until
from tests.servers.process import RunningServer
from timeline.window import SECOND_NS, Window

HOSTILE = "broken\x1b[31m\u202estate\r\ngone"
BYPASS = "ALTER ROLE {role} BYPASSRLS"
"""The arguments of graphile-worker's jobs are behind row security."""


@dataclass(frozen=True)
class Installation:
    """What a queue left behind, the URL of a role that may only read it, and a job's id."""

    url: str
    password: str
    window: Window
    job: str


Jobs = list[list[object]]


@contextmanager
def worked(
    server: RunningServer,
    program: Program,
    schema: str,
    halves: tuple[Jobs, Jobs],
    settled: tuple[str, str],
    log: Path,
) -> Iterator[Installation]:
    """Jobs done, failed and scheduled on either side of the pin, by a real worker."""
    with database_on(server) as database:
        if program.produces in ("defer", "enqueue"):
            program.told(database.url, "schema")
        before = time.time_ns()
        first, *_ = program.enqueue(database.url, *halves[0])
        with program.working(database.url, log):
            until(lambda: true(database, settled[0]), "the first jobs", log)
            pin = time.time_ns()
            program.enqueue(database.url, *halves[1])
            until(lambda: true(database, settled[1]), "the later jobs", log)
        yield _installation(database, schema, Window(pin, before - 60 * SECOND_NS, _end()), first)


def _end() -> int:
    return time.time_ns() + SECOND_NS


def _installation(database: Database, schema: str, window: Window, job: str) -> Installation:
    grants = [grant.format(schema=schema) for grant in READS]
    url, password = database.role(*grants, *([BYPASS] if schema == "graphile_worker" else []))
    return Installation(url, password, window, job)


def subject_of(
    kind: type[SqlQueueConnector],
    made: Installation,
    server: RunningServer,
    keys: tuple[str, ...] = ("user:77", "user:80"),
) -> Subject:
    parts = urlsplit(made.url)

    def connections() -> int:
        with closing(psycopg.connect(server.url)) as admin:
            row = admin.execute(
                "SELECT count(*) FROM pg_stat_activity WHERE usename = %s", (parts.username,)
            ).fetchone()
        assert row is not None
        return int(row[0])

    def at_port(port: int) -> dict[str, object]:
        login = f"{parts.username}:{made.password}"
        return {"dsn": f"postgresql://{login}@127.0.0.1:{port}{parts.path}"}

    return Subject(
        connector_class=kind,
        options={"dsn": made.url},
        window=made.window,
        known_keys=(f"job:{made.job}", *keys),
        absent_key="user:4711",
        drivers=("psycopg", "polars"),
        secrets=(made.password,),
        hostile="gone",
        page_option="page_jobs",
        at_port=at_port,
        connections=connections,
    )


def halves(job: Callable[[str, dict[str, object], int], list[object]]) -> tuple[Jobs, Jobs]:
    """The same jobs for each system: (class, arguments, seconds to wait) in its own form."""
    early = [job("look_up", {"user_id": 77, "note": HOSTILE}, 0)]
    early += [job("welcome_mail", {"user_id": user}, 3600) for user in range(1, 5)]
    late = [job("look_up", {"user_id": 78, "note": HOSTILE}, 0)]
    late += [job("welcome_mail", {"user_id": user}, 3600) for user in range(80, 84)]
    return early, late


@pytest.fixture(scope="module")
def procrastinated(
    postgresql_server: RunningServer, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Installation]:
    log = tmp_path_factory.mktemp("procrastinate") / "worker.log"
    question = "SELECT count(*) = {} FROM procrastinate_events WHERE type = 'deferred_for_retry'"
    made = halves(lambda name, args, wait: [name, args, wait])
    settled = (question.format(1), question.format(2))
    with worked(postgresql_server, procrastinate(), "public", made, settled, log) as installation:
        yield installation


@pytest.mark.servers
class TestProcrastinate(ConnectorConformance):
    @pytest.fixture
    def subject(self, procrastinated: Installation, postgresql_server: RunningServer) -> Subject:
        return subject_of(ProcrastinateConnector, procrastinated, postgresql_server)


@pytest.fixture(scope="module")
def bossed(
    postgresql_server: RunningServer, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Installation]:
    log = tmp_path_factory.mktemp("pgboss") / "worker.log"
    question = "SELECT count(*) = {} FROM pgboss.job WHERE state = 'retry'"
    made = halves(
        lambda name, args, wait: [
            name.replace("_", "-"),
            args,
            {"startAfter": wait} if wait else {},
        ]
    )
    settled = (question.format(1), question.format(2))
    with worked(postgresql_server, pg_boss(), "pgboss", made, settled, log) as installation:
        yield installation


@pytest.mark.servers
class TestPgBoss(ConnectorConformance):
    @pytest.fixture
    def subject(self, bossed: Installation, postgresql_server: RunningServer) -> Subject:
        return subject_of(PgBossConnector, bossed, postgresql_server)


@pytest.fixture(scope="module")
def graphiled(
    postgresql_server: RunningServer, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Installation]:
    log = tmp_path_factory.mktemp("graphile") / "worker.log"
    question = (
        "SELECT count(*) = {} FROM graphile_worker._private_jobs WHERE last_error IS NOT NULL"
    )
    made = halves(
        lambda name, args, wait: [
            name,
            args,
            {"runAfterMs": wait * 1000} if wait else {"maxAttempts": 1},
        ]
    )
    settled = (question.format(1), question.format(2))
    with worked(
        postgresql_server, graphile(), "graphile_worker", made, settled, log
    ) as installation:
        yield installation


@pytest.mark.servers
class TestGraphileWorker(ConnectorConformance):
    @pytest.fixture
    def subject(self, graphiled: Installation, postgresql_server: RunningServer) -> Subject:
        return subject_of(GraphileWorkerConnector, graphiled, postgresql_server)


@pytest.fixture(scope="module")
def delayed(
    postgresql_server: RunningServer, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Installation]:
    """Its errors say `gone` in hostile characters by themselves; arguments are never read."""
    log = tmp_path_factory.mktemp("delayed_job") / "worker.log"
    question = "SELECT count(*) = {} FROM delayed_jobs WHERE last_error IS NOT NULL"
    classes = {"look_up": "GivesUp", "welcome_mail": "WelcomeMail"}
    early, late = halves(lambda name, args, wait: [classes[name], [args["user_id"]], wait])
    made = ([["LookUp", [7], 0], *early], late)
    settled = (question.format(2), question.format(3))
    with worked(postgresql_server, delayed_job(), "public", made, settled, log) as installation:
        yield installation


@pytest.mark.servers
class TestDelayedJob(ConnectorConformance):
    @pytest.fixture
    def subject(self, delayed: Installation, postgresql_server: RunningServer) -> Subject:
        return subject_of(DelayedJobConnector, delayed, postgresql_server, keys=())


@pytest.fixture(scope="module")
def obaned(postgresql_server: RunningServer) -> Iterator[Installation]:
    """Rows as Oban leaves them, on its published schema: no node of Oban runs here."""
    with database_on(postgresql_server) as database:
        database.run(*OBAN)
        with database.connected() as connection:
            connection.execute(
                "INSERT INTO oban_jobs (worker, args, state, attempt, errors, inserted_at,"
                " scheduled_at, attempted_at, discarded_at) SELECT 'Shop.LookUp',"
                " jsonb_build_object('user_id', CASE n WHEN 1 THEN 77 WHEN 8 THEN 80 ELSE n END,"
                " 'note', %s::text), 'discarded', 1, ARRAY[jsonb_build_object('at', now() - n *"
                " interval '10 s', 'attempt', 1, 'error', 'no user')], t, t, t, t"
                " FROM generate_series(1, 10) AS n,"
                " LATERAL (SELECT timezone('UTC', now() - n * interval '10 s')) AS s(t)",
                (HOSTILE,),
            )
        now = time.time_ns()
        window = Window(now - 55 * SECOND_NS, now - 3600 * SECOND_NS, now)
        yield _installation(database, "public", window, "8")


@pytest.mark.servers
class TestOban(ConnectorConformance):
    @pytest.fixture
    def subject(self, obaned: Installation, postgresql_server: RunningServer) -> Subject:
        return subject_of(ObanConnector, obaned, postgresql_server)
