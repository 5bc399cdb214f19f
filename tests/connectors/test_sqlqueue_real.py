"""Procrastinate, pg-boss and graphile-worker with real workers: what each can still tell.

In each system one job succeeds, one fails and waits for its retry, one fails for good, one runs in
a worker that gets SIGKILL, and one is scheduled.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from connectors.sqlqueue.connector import SqlQueueConnector
from connectors.sqlqueue.graphile_worker import GraphileWorkerConnector
from connectors.sqlqueue.pg_boss import PgBossConnector
from connectors.sqlqueue.procrastinate import ProcrastinateConnector
from tests.conformance.collecting import Collected
from tests.connectors.pg import Database, database_on
from tests.connectors.sqlqueue_world import (
    Program,
    attributes,
    depth,
    fetch,
    graphile,
    life,
    look_up,
    pg_boss,
    procrastinate,
    reader,
    true,
)
from tests.connectors.workers.running import until
from tests.connectors.workers.starting import crash
from tests.servers.process import RunningServer
from timeline.coverage import Sight
from timeline.event import Event, Kind, Meaning

pytestmark = pytest.mark.servers
HOUR_S = 3600


@dataclass(frozen=True)
class Night:
    """What happened: a database, and the ids of the five jobs."""

    database: Database
    done: str
    retried: str
    given_up: str
    killed: str
    scheduled: str

    def fetched(self, kind: type[SqlQueueConnector], schema: str = "public") -> Collected:
        return fetch(kind, reader(self.database, schema))


@contextmanager
def night(
    server: RunningServer, program: Program, jobs: list[list[object]], settled: str, folder: Path
) -> Iterator[Night]:
    """Run `jobs` (done, retried, given up, scheduled, killed) until `settled` answers true."""
    log, flag = folder / "worker.log", folder / "running"
    with database_on(server) as database:
        if program.produces == "defer":
            program.told(database.url, "schema")
        *first, hanging = jobs
        done, retried, given_up, scheduled = program.enqueue(database.url, *first)
        with program.working(database.url, log) as worker:
            until(lambda: true(database, settled), "the jobs are not settled", log)
            (killed,) = program.enqueue(database.url, hanging)
            until(flag.exists, "the last job does not run", log)
            time.sleep(0.2)
            crash(worker)
        yield Night(database, done, retried, given_up, killed, scheduled)


def _one(collected: Collected, job: str, kind: Kind) -> Event:
    (event,) = [e for e in collected.events if f"job:{job}" in e.keys and e.kind is kind]
    return event


@pytest.fixture(scope="module")
def procrastinated(
    postgresql_server: RunningServer, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Night]:
    folder = tmp_path_factory.mktemp("procrastinate")
    jobs: list[list[object]] = [
        ["welcome_mail", {"user_id": 1}, 0],
        ["look_up", {"user_id": 4711}, 0],
        ["gives_up", {"user_id": 6}, 0],
        ["welcome_mail", {"user_id": 5}, HOUR_S],
        ["hang", {"flag": str(folder / "running")}, 0],
    ]
    settled = "SELECT count(*) = 1 FROM procrastinate_events WHERE type = 'failed'"
    with night(postgresql_server, procrastinate(), jobs, settled, folder) as made:
        yield made


class TestProcrastinate:
    def test_the_whole_life_of_every_job(self, procrastinated: Night) -> None:
        collected = procrastinated.fetched(ProcrastinateConnector)
        title = "welcome_mail(user_id=1)"
        assert life(collected, procrastinated.done) == [
            (Kind.JOB_ENQUEUED, f"{title} deferred to mails"),
            (Kind.JOB_STARTED, f"{title} started on mails"),
            (Kind.JOB_FINISHED, f"{title} succeeded on mails"),
        ]
        assert [kind for kind, _ in life(collected, procrastinated.retried)] == [
            Kind.JOB_ENQUEUED,
            Kind.JOB_STARTED,
            Kind.JOB_RETRIED,
        ]
        assert [kind for kind, _ in life(collected, procrastinated.given_up)] == [
            Kind.JOB_ENQUEUED,
            Kind.JOB_STARTED,
            Kind.JOB_FAILED,
        ]
        assert [kind for kind, _ in life(collected, procrastinated.killed)] == [
            Kind.JOB_ENQUEUED,
            Kind.JOB_STARTED,
        ]

    def test_a_scheduled_job_has_no_past_but_its_deferral(self, procrastinated: Night) -> None:
        """Its `scheduled` event holds the time it is to run: that is no past."""
        collected = procrastinated.fetched(ProcrastinateConnector)
        ((kind, words),) = life(collected, procrastinated.scheduled)
        assert kind is Kind.JOB_ENQUEUED
        assert "to run at" in words
        told = depth(collected, "mails")
        assert told["depth"] == 0
        assert told["running"] == 1
        due = told["next_due"]
        assert isinstance(due, list)
        assert {entry["job_id"] for entry in due} == {
            procrastinated.scheduled,
            procrastinated.retried,
        }

    def test_stamps_are_the_start_of_the_transaction(self, procrastinated: Night) -> None:
        collected = procrastinated.fetched(ProcrastinateConnector)
        event = _one(collected, procrastinated.done, Kind.JOB_FINISHED)
        assert (event.meaning, event.clock) == (Meaning.TRANSACTION_START, "")

    def test_a_silent_worker_is_an_interval(self, procrastinated: Night) -> None:
        """The heartbeat is set back, as if half a minute had passed since the kill."""
        procrastinated.database.run(
            "UPDATE procrastinate_workers SET last_heartbeat = last_heartbeat - interval '1 minute'"
        )
        collected = procrastinated.fetched(ProcrastinateConnector)
        beat = _one(collected, procrastinated.killed, Kind.CHANGE)
        assert "last heartbeat of worker" in beat.body
        assert attributes(beat)["seen_at"]
        assert depth(collected, "mails")["overdue"] == [procrastinated.killed]
        (remark,) = [r for r in collected.remarks if r.topic == "orphaned"]
        assert "no heartbeat for 30 s" in remark.sentence

    def test_deleted_jobs_end_the_claim_that_all_is_kept(self, procrastinated: Night) -> None:
        whole = procrastinated.fetched(ProcrastinateConnector)
        kept, ahead = (entry.sight for entry in whole.coverage)
        assert (kept, ahead) == (Sight.FULL, Sight.BLIND)  # the window ends later than now
        database = procrastinated.database
        database.run(
            "INSERT INTO procrastinate_jobs (queue_name, task_name) VALUES ('mails', 'x')",
            "DELETE FROM procrastinate_jobs WHERE task_name = 'x'",
        )
        until(
            lambda: true(
                database,
                "SELECT n_tup_del > 0 FROM pg_stat_user_tables WHERE relname ="
                " 'procrastinate_jobs'",
            ),
            "the server has not counted",
            Path("/dev/null"),
        )
        after = procrastinated.fetched(ProcrastinateConnector)
        assert after.coverage[0].sight is Sight.NOW_ONLY
        assert "1 rows were deleted" in after.coverage[0].reason

    def test_a_job_by_its_argument(self, procrastinated: Night) -> None:
        url = reader(procrastinated.database)
        found = look_up(ProcrastinateConnector, url, "user:4711")
        assert {e.keys[0] for e in found.events} == {f"job:{procrastinated.retried}"}


@pytest.fixture(scope="module", params=["", "-10"], ids=["12", "10"])
def boss(
    request: pytest.FixtureRequest,
    postgresql_server: RunningServer,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Night]:
    folder = tmp_path_factory.mktemp("pgboss")
    jobs: list[list[object]] = [
        ["welcome-mail", {"user_id": 1}],
        ["look-up", {"user_id": 4711}],
        ["gives-up", {"user_id": 6}],
        ["welcome-mail", {"user_id": 5}, {"startAfter": HOUR_S}],
        ["hang", {"flag": str(folder / "running")}],
    ]
    settled = "SELECT count(*) = 3 FROM pgboss.job WHERE state IN ('completed', 'failed', 'retry')"
    with night(postgresql_server, pg_boss(request.param), jobs, settled, folder) as made:
        yield made


class TestPgBoss:
    def test_the_last_attempt_of_every_job(self, boss: Night) -> None:
        collected = boss.fetched(PgBossConnector, "pgboss")
        title = "welcome-mail(user_id=1)"
        assert life(collected, boss.done) == [
            (Kind.JOB_ENQUEUED, f"{title} enqueued on welcome-mail"),
            (Kind.JOB_STARTED, f"{title} started on welcome-mail (attempt 1)"),
            (Kind.JOB_FINISHED, f"{title} completed on welcome-mail"),
        ]
        failed = _one(collected, boss.given_up, Kind.JOB_FAILED)
        assert failed.body.endswith("Error: User 6 not found")
        killed = [kind for kind, _ in life(collected, boss.killed)]
        assert killed == [Kind.JOB_ENQUEUED, Kind.JOB_STARTED]
        assert depth(collected, "hang")["running"] == 1

    def test_a_failure_is_derived_from_the_next_start(self, boss: Night) -> None:
        collected = boss.fetched(PgBossConnector, "pgboss")
        retried = _one(collected, boss.retried, Kind.JOB_RETRIED)
        started = _one(collected, boss.retried, Kind.JOB_STARTED)
        assert retried.meaning is Meaning.DERIVED
        assert "derived" in retried.body
        assert 0 < retried.timestamp - started.timestamp < 10 * 10**9

    def test_a_scheduled_job_comes_due(self, boss: Night) -> None:
        collected = boss.fetched(PgBossConnector, "pgboss")
        ((kind, words),) = life(collected, boss.scheduled)
        assert (kind, "to run at" in words) == (Kind.JOB_ENQUEUED, True)
        due = depth(collected, "welcome-mail")["next_due"]
        assert isinstance(due, list)
        assert [entry["job_id"] for entry in due] == [boss.scheduled]

    def test_a_killed_worker_shows_by_its_heartbeat(self, boss: Night) -> None:
        """The stamps are set back, as if an hour had passed since the kill."""
        with boss.database.connected() as connection:
            columns = connection.execute(
                "SELECT count(*) FROM information_schema.columns WHERE table_schema = 'pgboss' AND"
                " table_name = 'job' AND column_name = 'heartbeat_on'"
            ).fetchone()
        beats = columns is not None and columns[0]
        boss.database.run(
            "UPDATE pgboss.job SET started_on = started_on - interval '1 minute'"
            + (", heartbeat_on = heartbeat_on - interval '1 minute'" if beats else "")
            + " WHERE name = 'hang'"
        )
        collected = boss.fetched(PgBossConnector, "pgboss")
        if beats:
            assert depth(collected, "hang")["overdue"] == [boss.killed]
            assert _one(collected, boss.killed, Kind.CHANGE).meaning is Meaning.OCCURRED
        else:  # schema 24 knows no heartbeat: within its time limit, nothing tells
            assert depth(collected, "hang")["overdue"] == []


@pytest.fixture(scope="module")
def graphiled(
    postgresql_server: RunningServer, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Night]:
    folder = tmp_path_factory.mktemp("graphile")
    jobs: list[list[object]] = [
        ["welcome_mail", {"user_id": 1}],
        ["look_up", {"user_id": 4711}],
        ["gives_up", {"user_id": 6}, {"maxAttempts": 1}],
        ["welcome_mail", {"user_id": 5}, {"runAfterMs": HOUR_S * 1000}],
        ["hang", {"flag": str(folder / "running")}],
    ]
    settled = (
        "SELECT count(*) = 2 AND (SELECT count(*) FROM graphile_worker._private_jobs) = 3"
        " FROM graphile_worker._private_jobs WHERE last_error IS NOT NULL"
    )
    with night(postgresql_server, graphile(), jobs, settled, folder) as made:
        yield made


class TestGraphileWorker:
    def test_a_job_that_succeeded_is_not_visible(self, graphiled: Night) -> None:
        url = reader(graphiled.database, "graphile_worker")
        assert life(fetch(GraphileWorkerConnector, url), graphiled.done) == []
        found = look_up(GraphileWorkerConnector, url, f"job:{graphiled.done}")
        (remark,) = [r for r in found.remarks if r.topic == "not-found"]
        assert "deletes a job's row as soon as it succeeds" in remark.sentence
        assert "did not run" not in remark.sentence

    def test_failures_are_derived_from_the_back_off(self, graphiled: Night) -> None:
        collected = graphiled.fetched(GraphileWorkerConnector, "graphile_worker")
        retried = _one(collected, graphiled.retried, Kind.JOB_RETRIED)
        added = _one(collected, graphiled.retried, Kind.JOB_ENQUEUED)
        assert retried.meaning is Meaning.DERIVED
        assert retried.body.endswith("User 4711 not found")
        assert 0 < retried.timestamp - added.timestamp < 30 * 10**9
        failed = _one(collected, graphiled.given_up, Kind.JOB_FAILED)
        assert "no retry is left" in failed.body

    def test_a_killed_worker_only_holds_its_lock(self, graphiled: Night) -> None:
        collected = graphiled.fetched(GraphileWorkerConnector, "graphile_worker")
        told = [kind for kind, _ in life(collected, graphiled.killed)]
        assert told == [Kind.JOB_ENQUEUED, Kind.JOB_STARTED]
        assert depth(collected, "default")["running"] == 1
        assert depth(collected, "default")["overdue"] == []
        graphiled.database.run(
            "UPDATE graphile_worker._private_jobs SET locked_at = locked_at - interval '5 hours'"
            f" WHERE id = {int(graphiled.killed)}"
        )
        later = graphiled.fetched(GraphileWorkerConnector, "graphile_worker")
        assert depth(later, "default")["overdue"] == [graphiled.killed]

    def test_arguments_behind_row_security_are_said(self, graphiled: Night) -> None:
        as_reader = graphiled.fetched(GraphileWorkerConnector, "graphile_worker")
        assert any("row security" in r.sentence for r in as_reader.remarks)
        assert "user:4711" not in {key for event in as_reader.events for key in event.keys}
        as_owner = fetch(GraphileWorkerConnector, graphiled.database.url)
        assert not [r for r in as_owner.remarks if r.topic == "rights"]
        assert "user:4711" in {key for event in as_owner.events for key in event.keys}
