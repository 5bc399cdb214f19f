"""What queues in PostgreSQL may look like when something is wrong, and what is then said."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from pydantic import ValidationError

from connectors.contract import CheckReport
from connectors.discovery import Place
from connectors.sqlqueue import SqlQueueOptions
from connectors.sqlqueue.connector import SqlQueueConnector
from connectors.sqlqueue.delayed_job import DelayedJobConnector
from connectors.sqlqueue.oban import ObanConnector
from connectors.sqlqueue.pg_boss import PgBossConnector
from connectors.sqlqueue.procrastinate import ProcrastinateConnector
from connectors.sqlqueue.que import QueConnector
from connectors.sqlqueue.river import RiverConnector
from connectors.sqlqueue.solid_queue import SolidQueueConnector
from tests.connectors.pg import database_on
from tests.connectors.sqlqueue_schemas import DELAYED_JOB, OBAN, QUE, RIVER, SOLID_QUEUE
from tests.connectors.sqlqueue_world import connector_of, depth, fetch, life, reader, true
from tests.connectors.workers.running import until
from tests.servers.process import RunningServer
from timeline.coverage import Sight
from timeline.event import Kind
from timeline.problems import AccessRefused, BadAnswer, NothingHere
from timeline.window import MINUTE_NS, SECOND_NS

servers = pytest.mark.servers


def checked(kind: type[SqlQueueConnector], url: str, **options: object) -> CheckReport:
    async def check() -> CheckReport:
        connector = connector_of(kind, url, **options)
        try:
            return await connector.check()
        finally:
            await connector.close()

    return asyncio.run(check())


@servers
def test_no_tables_there(postgresql_server: RunningServer) -> None:
    with database_on(postgresql_server) as database, pytest.raises(NothingHere) as caught:
        checked(PgBossConnector, database.url)
    assert "no table job of pg-boss" in caught.value.what
    assert "schema pgboss" in caught.value.where


@servers
def test_tables_in_another_schema_are_named(postgresql_server: RunningServer) -> None:
    with database_on(postgresql_server) as database:
        database.run("CREATE SCHEMA jobs")
        database.run(*(text.replace("oban_job", "jobs.oban_job") for text in OBAN))
        with pytest.raises(NothingHere) as caught:
            checked(ObanConnector, database.url)
        assert "It is in jobs" in caught.value.remedy
        report = checked(ObanConnector, database.url, schema="jobs")
        assert "jobs are read from jobs.oban_jobs" in " ".join(report.facts)


@servers
def test_a_table_of_another_product(postgresql_server: RunningServer) -> None:
    with database_on(postgresql_server) as database:
        database.run("CREATE TABLE que_jobs (id bigint, name text)")
        with pytest.raises(BadAnswer, match="lacks a column"):
            checked(QueConnector, database.url)


@servers
def test_rights(postgresql_server: RunningServer) -> None:
    with database_on(postgresql_server) as database:
        database.run(*RIVER)
        stranger, _ = database.role()
        with pytest.raises(AccessRefused) as caught:
            checked(RiverConnector, stranger)
        assert "GRANT" in caught.value.remedy
        report = checked(RiverConnector, reader(database))
        assert report.writes_refused is True
        assert report.system.startswith("River on PostgreSQL")
        assert checked(RiverConnector, database.url).writes_refused is False
        database.run(*SOLID_QUEUE)
        partly, _ = database.role("GRANT SELECT ON solid_queue_jobs TO {role}")
        with pytest.raises(AccessRefused, match="what became of the jobs") as caught:
            checked(SolidQueueConnector, partly)
        assert "solid_queue_failed_executions: no right to SELECT" in caught.value.where
        wrong = reader(database).replace("@", "x@")
        with pytest.raises(AccessRefused, match="password"):
            checked(RiverConnector, wrong)


@servers
def test_row_security_is_no_empty_queue(postgresql_server: RunningServer) -> None:
    with database_on(postgresql_server) as database:
        database.run(*QUE, "ALTER TABLE que_jobs ENABLE ROW LEVEL SECURITY")
        with pytest.raises(AccessRefused) as caught:
            fetch(QueConnector, reader(database))
        assert "row security would hide rows" in caught.value.where


@servers
def test_an_older_schema_tells_what_it_has(postgresql_server: RunningServer) -> None:
    """Columns and tables that later versions added simply are not there."""
    with database_on(postgresql_server) as database:
        database.run(
            *SOLID_QUEUE,
            "DROP TABLE solid_queue_blocked_executions",
            "ALTER TABLE solid_queue_jobs DROP COLUMN active_job_id",
            "INSERT INTO solid_queue_jobs (queue_name, class_name, arguments, finished_at,"
            " created_at, updated_at) SELECT 'mails', 'Welcome', '[1]', t, t, t"
            " FROM (SELECT timezone('UTC', now())) AS s(t)",
        )
        told = life(fetch(SolidQueueConnector, reader(database)), "1")
        assert [kind for kind, _ in told] == [Kind.JOB_ENQUEUED, Kind.JOB_FINISHED]


@servers
def test_stamps_that_cannot_be_utc_are_doubted(postgresql_server: RunningServer) -> None:
    with database_on(postgresql_server) as database:
        database.run(
            *DELAYED_JOB,
            "INSERT INTO delayed_jobs (handler, created_at, run_at) SELECT '--- 1', t, t"
            " FROM (SELECT timezone('Asia/Kolkata', now())) AS s(t)",
        )
        doubted = fetch(DelayedJobConnector, reader(database))
        (remark,) = [r for r in doubted.remarks if r.topic == "clock"]
        assert "ahead of the server's clock" in remark.sentence
        right = fetch(DelayedJobConnector, reader(database), zone="Asia/Kolkata")
        assert not [r for r in right.remarks if r.topic in ("clock", "zone-assumed")]
        assert life(right, "1")[0][0] is Kind.JOB_ENQUEUED


@servers
def test_hostile_arguments(postgresql_server: RunningServer) -> None:
    """Deep, huge and strange JSON: cut, counted or closed, and the rest is still told."""
    with database_on(postgresql_server) as database:
        with database.connected() as connection:
            for statement in RIVER:
                connection.execute(statement.encode())
            for args in (
                "[" * 4000 + "]" * 4000,
                '{"a": "' + "x" * 9_000_000 + '"}',
                "7",
                '"\\u202e"',
            ):
                connection.execute(
                    "INSERT INTO river_job (kind, args, max_attempts, created_at)"
                    " VALUES ('k', %s, 3, now())",
                    (args,),
                )
            connection.execute(
                "INSERT INTO river_job (kind, args, max_attempts, created_at, scheduled_at)"
                " VALUES ('k', '1', 3, 'infinity', '-infinity')"
            )
        collected = fetch(RiverConnector, reader(database))
        bodies = {job: life(collected, job)[0][1] for job in "1234"}
        assert len(bodies["1"]) < 400
        assert "too large to fetch" in bodies["2"]
        assert bodies["3"].startswith("k(7) inserted")
        assert "\u202e" not in bodies["4"]
        assert life(collected, "5") == []
        assert any(r.topic == "opaque" for r in collected.remarks)


@servers
def test_a_large_table_is_searched_by_its_ids(
    postgresql_server: RunningServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("connectors.sqlqueue.places.LARGE_BYTES", 0)
    monkeypatch.setattr("connectors.postgresql.plans.SCAN_COST_PAGES", 300)
    with database_on(postgresql_server) as database:
        database.run(
            *OBAN,
            "INSERT INTO oban_jobs (worker, state, inserted_at, scheduled_at, completed_at)"
            " SELECT 'W', 'completed', t, t, t FROM generate_series(1, 20000) AS n,"
            " LATERAL (SELECT timezone('UTC', now()) - (20000 - n) * interval '1 minute') AS s(t)",
            "INSERT INTO oban_jobs (worker, state) VALUES ('W', 'available')",
            "ANALYZE oban_jobs",
        )
        collected = fetch(ObanConnector, reader(database))
        inserted = [e for e in collected.events if e.kind is Kind.JOB_ENQUEUED]
        assert len(inserted) in (10, 11)  # the last ten minutes and the job that waits
        cuts = " ".join(r.sentence for r in collected.remarks if r.topic == "cut")
        assert "oban_jobs.completed_at: not read, no index serves" in cuts
        assert "inserted_at" not in cuts
        assert depth(collected, "default")["depth"] == 1


@servers
def test_silence_is_worth_no_more_than_what_is_kept(postgresql_server: RunningServer) -> None:
    """Once rows are deleted: back to a success still there, and never past the product's rule."""
    with database_on(postgresql_server) as database:
        job = (
            "INSERT INTO river_job (kind, args, max_attempts, state, created_at, finalized_at)"
            " VALUES ('k', '1', 3, 'completed', now() - interval '9 minutes',"
            " now() - interval '{}')"
        )
        database.run(*RIVER, job.format("9 minutes"))
        url = reader(database)
        untouched = fetch(RiverConnector, url)
        database.run("DELETE FROM river_job")
        deleted = "SELECT n_tup_del > 0 FROM pg_stat_user_tables WHERE relname = 'river_job'"
        until(lambda: true(database, deleted), "the server has not counted", Path("/dev/null"))
        assert fetch(RiverConnector, url).coverage[0].sight is Sight.NOW_ONLY
        database.run(job.format("5 minutes"), job.format("1 minute"))
        known = fetch(RiverConnector, url).coverage
    forgotten, kept, ahead = known
    assert (forgotten.sight, kept.sight) == (Sight.NOW_ONLY, Sight.FULL)
    assert ahead.sight is Sight.BLIND  # the window ends a little later than now
    (finished,) = [e for e in untouched.events if e.kind is Kind.JOB_FINISHED]
    assert abs(kept.start - finished.timestamp - 4 * MINUTE_NS) < 30 * SECOND_NS
    assert "after 24 hours" in forgotten.reason


@servers
def test_more_jobs_than_may_be_read(postgresql_server: RunningServer) -> None:
    with database_on(postgresql_server) as database:
        database.run(
            *QUE,
            "INSERT INTO que_jobs (job_class, run_at) SELECT 'W', now() - n * interval '1 s'"
            " FROM generate_series(10, 309) AS n",
        )
        collected = fetch(QueConnector, reader(database), max_jobs=100)
        told = [e for e in collected.events if e.kind is Kind.JOB_ENQUEUED]
        assert len(told) == 100
        newest = max(event.timestamp for event in told)
        assert newest - min(event.timestamp for event in told) == 99 * 10**9  # nearest to T
        assert any("more than 100 rows by run_at before T" in r.sentence for r in collected.remarks)
        assert depth(collected, "default")["depth"] == 300


def test_candidates() -> None:
    place = Place(
        {"DATABASE_URL": "postgres://u:secret@db/shop", "QUEUE_DATABASE_URL": "mysql://db/q"},
        Path("/nonexistent"),
        Path("/nonexistent"),
    )
    (found,) = ProcrastinateConnector.candidates(place)
    assert found.options == {"dsn": "${DATABASE_URL}"}
    assert "secret" not in repr(found)
    assert [c.found_in for c in SolidQueueConnector.candidates(place)] == [
        "the variable DATABASE_URL"
    ]
    elsewhere = Place({"DATABASE_URL": "mysql://db/shop"}, place.folder, place.home)
    assert list(PgBossConnector.candidates(elsewhere)) == []


def test_options() -> None:
    with pytest.raises(ValidationError, match="say where the database is"):
        SqlQueueOptions.model_validate({})
    with pytest.raises(ValidationError, match="time zone"):
        SqlQueueOptions.model_validate({"dsn": "postgresql://db/x", "zone": "Mars/Olympus"})
    assert "secret" not in repr(
        SqlQueueOptions.model_validate({"dsn": "postgresql://u:secret@h/d"})
    )
