"""Celery with broker and results in PostgreSQL, and a real worker: what the tables can still tell.

One task succeeds, one fails and is retried, one fails for good, one is held for its eta, one runs
in a worker that gets SIGKILL, and one was never taken. The worker's host, the database and we are
in three zones.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conformance.collecting import Collected, drained
from tests.connectors.celery_sql_world import (
    WORKER_ZONE,
    Night,
    celery_on_postgresql,
    checked,
    connector,
    fetch,
    look_up,
    night,
    said,
)
from tests.connectors.pg import database_on
from tests.connectors.sqlqueue_world import around_now, attributes, depth, life
from tests.connectors.test_postgresql_harmless import OPENING, WRITES
from tests.servers.postgresql import logged_statements, postgresql
from tests.servers.process import RunningServer, ServerMissing
from tests.servers.pytest_fixtures import skip_or_fail
from timeline.coverage import Sight
from timeline.event import Event, Kind, Meaning
from timeline.window import Budget

pytestmark = pytest.mark.servers

READS = ("SELECT ", "EXPLAIN (FORMAT JSON) SELECT ", "WITH mine AS ( SELECT ")
Folders = pytest.TempPathFactory


@pytest.fixture(scope="module")
def tracked(postgresql_server: RunningServer, tmp_path_factory: Folders) -> Iterator[Night]:
    """Extended results, and `task_track_started`."""
    with night(postgresql_server, tmp_path_factory.mktemp("celery"), TRACK_STARTED="1") as made:
        yield made


@pytest.fixture(scope="module")
def plain(postgresql_server: RunningServer, tmp_path_factory: Folders) -> Iterator[Night]:
    """Celery's defaults, and results that are pickled."""
    variables = {"RESULT_EXTENDED": "0", "RESULT_SERIALIZER": "pickle"}
    with night(postgresql_server, tmp_path_factory.mktemp("plain"), **variables) as made:
        yield made


@pytest.fixture(scope="module")
def django(postgresql_server: RunningServer, tmp_path_factory: Folders) -> Iterator[Night]:
    variables = {"TRACK_STARTED": "1", "RESULTS": "django"}
    with night(postgresql_server, tmp_path_factory.mktemp("django"), **variables) as made:
        yield made


def one(collected: Collected, job: str, kind: Kind) -> Event:
    (event,) = [e for e in collected.events if f"job:{job}" in e.keys and e.kind is kind]
    return event


def sight_at(collected: Collected, instant: int) -> set[Sight]:
    return {c.sight for c in collected.coverage if c.start <= instant < c.end}


class TestTracked:
    def test_a_success(self, tracked: Night) -> None:
        collected = tracked.fetched()
        told = life(collected, tracked.succeeded)
        assert [kind for kind, _ in told] == [Kind.LOG, Kind.JOB_FINISHED]
        taken, finished = (words for _, words in told)
        assert taken == "welcome_mail(user_id=4711) was taken from celery by a worker"
        assert finished == "welcome_mail(user_id=4711) succeeded"
        event = one(collected, tracked.succeeded, Kind.JOB_FINISHED)
        assert event.keys == (f"job:{tracked.succeeded}", "user:4711")
        assert attributes(event)["worker"].startswith("celery@")  # type: ignore[attr-defined]  # text

    def test_stamps_without_a_zone_are_placed_right(self, tracked: Night) -> None:
        """The message's is the worker's local time, the result's that of the database's zone."""
        collected, now = tracked.fetched(), time.time_ns()
        for kind in (Kind.LOG, Kind.JOB_FINISHED):
            assert tracked.before < one(collected, tracked.succeeded, kind).timestamp < now
        assert "read as America/St_Johns, this database's TimeZone" in said(
            collected, "zone-assumed"
        )
        assert "kombu_message" not in said(collected, "zone-assumed")

    def test_a_wrong_zone_is_doubted(self, tracked: Night) -> None:
        guessed = fetch(tracked.reader)
        assert "Set taken_zone" in said(guessed, "zone-assumed")
        assert "the newest timestamp of public.kombu_message is" in said(guessed, "clock")
        wrong = tracked.fetched(zone="Pacific/Auckland")
        assert not [e for e in wrong.events if e.kind is Kind.JOB_FINISHED]

    def test_a_failure_and_a_retry(self, tracked: Night) -> None:
        collected = tracked.fetched()
        failed = one(collected, tracked.failed, Kind.JOB_FAILED)
        assert "LookupError: User 77" in failed.body
        assert "\x1b" not in failed.body
        told = [kind for kind, _ in life(collected, tracked.retried)]
        assert told == [Kind.LOG, Kind.JOB_RETRIED, Kind.JOB_ENQUEUED]
        again = one(collected, tracked.retried, Kind.JOB_ENQUEUED)
        assert "waits again on celery now" in again.body
        assert (again.meaning, attributes(again)["now"]) == (Meaning.POLLED, True)
        assert attributes(again)["attempt"] == 2

    def test_a_killed_worker_leaves_a_task_that_started(self, tracked: Night) -> None:
        collected = tracked.fetched()
        told = [kind for kind, _ in life(collected, tracked.killed)]
        assert told == [Kind.LOG, Kind.JOB_STARTED]
        started = one(collected, tracked.killed, Kind.JOB_STARTED)
        assert started.meaning is Meaning.POLLED  # Celery keeps no time of this state
        assert attributes(started)["now"] is True
        assert depth(collected, "celery")["running"] == 1

    def test_what_waits_and_what_is_held(self, tracked: Night) -> None:
        collected = tracked.fetched()
        held = one(collected, tracked.held, Kind.LOG)
        assert "which holds it until" in held.body
        assert [kind for kind, _ in life(collected, tracked.waiting)] == [Kind.JOB_ENQUEUED]
        celery = depth(collected, "celery")
        assert celery["depth"] == 2
        assert [due["job_id"] for due in celery["next_due"]] == [tracked.retried]  # type: ignore[attr-defined]  # a list

    def test_silence_is_worth_what_is_kept(self, tracked: Night) -> None:
        collected = tracked.fetched()
        taken = one(collected, tracked.killed, Kind.LOG).timestamp
        assert sight_at(collected, taken) == {Sight.FULL}
        assert said(collected, "no-result") == ""

    def test_look_ups(self, tracked: Night) -> None:
        found = look_up(
            tracked.reader, [f"job:{tracked.killed}", "user:77"], taken_zone=WORKER_ZONE
        )
        assert {e.kind for e in found.events} == {Kind.LOG, Kind.JOB_STARTED, Kind.JOB_FAILED}
        assert not [r for r in found.remarks if r.topic == "not-found"]
        missing = look_up(tracked.reader, ["job:nowhere"])
        assert "neither a result of this id" in said(missing, "not-found")

    def test_check(self, tracked: Night) -> None:
        report = checked(tracked.reader, taken_zone=WORKER_ZONE)
        assert report.system.startswith("Celery on PostgreSQL")
        assert report.writes_refused is True
        facts = " ".join(report.facts)
        assert "messages are read from public.kombu_message" in facts
        assert "celery (2 waiting)" in facts
        assert "then that it did, not when" in report.cannot_see[0]


class TestPlain:
    def test_a_task_without_a_result_is_said(self, plain: Night) -> None:
        """Without tracking, a task that runs, and one lost with its worker, look the same."""
        collected = plain.fetched()
        assert [kind for kind, _ in life(collected, plain.killed)] == [Kind.LOG]
        remark = said(collected, "no-result")
        assert remark.startswith("1 messages were taken")
        assert f"mailers.hang {plain.killed}" in remark
        taken = one(collected, plain.killed, Kind.LOG).timestamp
        assert sight_at(collected, taken) == {Sight.NOW_ONLY}

    def test_ends_are_known_by_their_ids_alone(self, plain: Night) -> None:
        collected = plain.fetched()
        finished = one(collected, plain.succeeded, Kind.JOB_FINISHED)
        assert finished.body == f"task {plain.succeeded} succeeded"
        assert "attempt" not in attributes(finished)

    def test_a_retry_has_no_time(self, plain: Night) -> None:
        retried = one(plain.fetched(), plain.retried, Kind.JOB_RETRIED)
        assert retried.meaning is Meaning.POLLED
        assert "Celery keeps no time of this state" in retried.body
        assert "LookupError" in retried.body


class TestDjango:
    def test_lives(self, django: Night) -> None:
        collected = django.fetched()
        told = [kind for kind, _ in life(collected, django.succeeded)]
        assert told == [Kind.LOG, Kind.JOB_STARTED, Kind.JOB_FINISHED]
        told = [kind for kind, _ in life(collected, django.killed)]
        assert told == [Kind.LOG, Kind.JOB_STARTED]
        started = one(collected, django.killed, Kind.JOB_STARTED)
        assert (started.clock, started.meaning) == ("", Meaning.OCCURRED)
        assert django.before < started.timestamp < time.time_ns()
        failed = one(collected, django.failed, Kind.JOB_FAILED)
        assert "user:77" in failed.keys
        assert "LookupError: User 77" in failed.body
        assert said(collected, "zone-assumed") == ""  # its stamps have a zone
        assert depth(collected, "celery")["running"] == 0
        assert "1 more tasks are started" in " ".join(e.body for e in collected.events)

    def test_results_alone(self, django: Night) -> None:
        url, _ = django.database.role(
            "GRANT USAGE ON SCHEMA public TO {role}",
            "GRANT SELECT ON django_celery_results_taskresult TO {role}",
        )
        collected = fetch(url)
        assert "kombu_message: no right to SELECT" in said(collected, "rights")
        assert Kind.JOB_FINISHED in {e.kind for e in collected.events}
        assert Kind.METRIC not in {e.kind for e in collected.events}
        ended = one(collected, django.succeeded, Kind.JOB_FINISHED).timestamp
        assert sight_at(collected, ended) == {Sight.NOW_ONLY}


def test_the_server_sees_nothing_but_short_reads(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    try:
        server = postgresql(log_statements=True)
    except ServerMissing as missing:
        skip_or_fail(missing)

    async def everything(url: str) -> None:
        made = connector(url)
        try:
            await made.check()
            await drained(made.fetch(around_now(), Budget()))
            await drained(made.lookup(["job:1", "user:4711"], around_now(), Budget()))
        finally:
            await made.close()

    with server, database_on(server) as database:
        program = celery_on_postgresql(RESULTS="django")
        program.told(database.url, "schema")
        program.enqueue(database.url, ["welcome_mail", {"user_id": 1}, {}])
        asyncio.run(everything(database.url))
        monkeypatch.setattr("connectors.sqlqueue.places.LARGE_BYTES", -1)
        asyncio.run(everything(database.url))
        statements = [" ".join(text.split()) for text in logged_statements(server, "halfawake")]
    assert len(statements) > 100
    assert any(text.startswith("EXPLAIN") for text in statements)
    unexpected = [
        text
        for text in statements
        if text != "COMMIT" and not OPENING.fullmatch(text) and not text.startswith(READS)
    ]
    assert not unexpected
    reads = [text for text in statements if text.startswith(READS)]
    assert not [text for text in reads if WRITES.search(text)]
