"""Queues of Ruby, Elixir and Go on their published schemas, filled as their sources do it.

No worker of theirs runs here: each row is written as the library would leave it after one job that
ended, one that waits for a retry, one whose worker vanished and one that is scheduled.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from connectors.sqlqueue.connector import SqlQueueConnector
from connectors.sqlqueue.delayed_job import DelayedJobConnector
from connectors.sqlqueue.good_job import GoodJobConnector
from connectors.sqlqueue.oban import ObanConnector
from connectors.sqlqueue.que import QueConnector
from connectors.sqlqueue.river import RiverConnector
from connectors.sqlqueue.solid_queue import SolidQueueConnector
from tests.conformance.collecting import Collected
from tests.connectors.pg import Database, database_on
from tests.connectors.sqlqueue_schemas import (
    DELAYED_JOB,
    GOOD_JOB,
    OBAN,
    QUE,
    RIVER,
    SOLID_QUEUE,
)
from tests.connectors.sqlqueue_world import attributes, depth, fetch, life, look_up, reader
from tests.servers.process import RunningServer
from timeline.event import Event, Kind, Meaning

pytestmark = pytest.mark.servers

UUID = "00000000-0000-4000-8000-00000000000{}"
UTC = "timezone('UTC', now())"
"""Now, as an application writes it into a column without a zone."""
MINUTE = 60 * 10**9


def active_job(job_class: str, job_id: str, *arguments: object) -> str:
    """Active Job's envelope as a literal of SQL."""
    envelope = {"job_class": job_class, "job_id": job_id, "arguments": arguments, "executions": 0}
    return f"'{json.dumps(envelope)}'"


@contextmanager
def filled(server: RunningServer, *statements: str) -> Iterator[Database]:
    with database_on(server) as database:
        database.run(*statements)
        yield database


def told(kind: type[SqlQueueConnector], database: Database) -> Collected:
    return fetch(kind, reader(database))


def one(collected: Collected, job: str, kind: Kind) -> Event:
    (event,) = [e for e in collected.events if f"job:{job}" in e.keys and e.kind is kind]
    return event


def kinds(collected: Collected, job: str) -> list[Kind]:
    return [kind for kind, _ in life(collected, job)]


USER = {"_aj_globalid": "gid://shop/User/4711"}


def test_good_job(postgresql_server: RunningServer) -> None:
    done, retried, lost, later = (UUID.format(n) for n in (1, 2, 3, 4))
    process, gone = UUID.format(8), UUID.format(9)
    columns = (
        "INSERT INTO good_jobs (id, active_job_id, queue_name, job_class, serialized_params,"
        " scheduled_at, performed_at, finished_at, error, error_event, executions_count,"
        " locked_by_id, created_at, updated_at) VALUES "
    )
    attempts = (
        "INSERT INTO good_job_executions (active_job_id, job_class, queue_name, created_at,"
        " finished_at, error, error_event, process_id, updated_at) VALUES "
    )
    with filled(
        postgresql_server,
        *GOOD_JOB,
        "INSERT INTO good_job_processes (id, state, created_at, updated_at) VALUES"
        f" ('{process}', '{{\"hostname\": \"web-1\", \"pid\": 7}}', {UTC} - interval '1 hour',"
        f" {UTC} - interval '6 minutes')",
        columns
        + f"('{done}', '{done}', 'mails', 'WelcomeJob', {active_job('WelcomeJob', done, USER)},"
        f" {UTC} - interval '4 minutes', {UTC} - interval '3 minutes', {UTC} - interval '2"
        f" minutes', NULL, NULL, 1, NULL, {UTC} - interval '4 minutes', {UTC})",
        columns
        + f"('{retried}', '{retried}', 'mails', 'LookUpJob', {active_job('LookUpJob', retried, 7)},"
        f" {UTC} + interval '1 hour', NULL, NULL, 'LookupError: no user', 3, 1, NULL,"
        f" {UTC} - interval '4 minutes', {UTC})",
        columns + f"('{lost}', '{lost}', 'mails', 'HangJob', {active_job('HangJob', lost)},"
        f" {UTC} - interval '9 minutes', {UTC} - interval '8 minutes', NULL, NULL, NULL, 2,"
        f" '{process}', {UTC} - interval '9 minutes', {UTC})",
        columns
        + f"('{later}', '{later}', 'mails', 'WelcomeJob', {active_job('WelcomeJob', later)},"
        f" {UTC} + interval '2 hours', NULL, NULL, NULL, NULL, 0, NULL, {UTC}, {UTC})",
        attempts + f"('{done}', 'WelcomeJob', 'mails', {UTC} - interval '3 minutes',"
        f" {UTC} - interval '2 minutes', NULL, NULL, '{process}', {UTC}),"
        f" ('{retried}', 'LookUpJob', 'mails', {UTC} - interval '3 minutes',"
        f" {UTC} - interval '150 seconds', 'LookupError: no user', 3, '{process}', {UTC}),"
        f" ('{lost}', 'HangJob', 'mails', {UTC} - interval '9 minutes',"
        f" {UTC} - interval '8 minutes', 'GoodJob::InterruptError: Interrupted', 0, '{gone}',"
        f" {UTC}), ('{lost}', 'HangJob', 'mails', {UTC} - interval '479 s', NULL, NULL, NULL,"
        f" '{process}', {UTC})",
        # GoodJob writes one and the same instant into both
        "UPDATE good_jobs AS j SET performed_at = e.created_at FROM good_job_executions AS e"
        " WHERE e.active_job_id = j.id AND e.finished_at IS NULL",
    ) as database:
        collected = told(GoodJobConnector, database)
        assert kinds(collected, done) == [Kind.JOB_ENQUEUED, Kind.JOB_STARTED, Kind.JOB_FINISHED]
        assert "user:4711" in one(collected, done, Kind.JOB_FINISHED).keys
        assert one(collected, done, Kind.JOB_STARTED).actor == "web-1:7"
        failure = one(collected, retried, Kind.JOB_RETRIED)
        assert failure.body.endswith("LookupError: no user")
        assert kinds(collected, lost) == [
            Kind.JOB_ENQUEUED,
            Kind.JOB_STARTED,
            Kind.JOB_RETRIED,
            Kind.JOB_STARTED,
            Kind.CHANGE,
        ]
        noticed = one(collected, lost, Kind.JOB_RETRIED)
        assert noticed.meaning is Meaning.POLLED
        assert "its process died before" in noticed.body
        mails = depth(collected, "mails")
        assert (mails["running"], mails["overdue"]) == (1, [lost])
        assert "to run at" in one(collected, later, Kind.JOB_ENQUEUED).body
        (zone,) = [r for r in collected.remarks if r.topic == "zone-assumed"]
        assert "read as UTC" in zone.sentence


def test_solid_queue(postgresql_server: RunningServer) -> None:
    def job(number: int, job_class: str, finished: str = "NULL", *arguments: object) -> str:
        active = active_job(job_class, UUID.format(number), *arguments)
        return (
            "INSERT INTO solid_queue_jobs (id, queue_name, class_name, arguments, active_job_id,"
            f" scheduled_at, finished_at, created_at, updated_at) VALUES ({number}, 'mails',"
            f" '{job_class}', {active}, '{UUID.format(number)}', {UTC}, {finished},"
            f" {UTC} - interval '8 minutes', {UTC})"
        )

    pruned = json.dumps(
        {"exception_class": "SolidQueue::Processes::ProcessPrunedError", "message": "gone"},
        separators=(",", ":"),
    )
    with filled(
        postgresql_server,
        *SOLID_QUEUE,
        job(1, "WelcomeJob", f"{UTC} - interval '1 minute'", USER),
        job(2, "LookUpJob"),
        job(3, "HangJob"),
        job(4, "WelcomeJob"),
        job(5, "HangJob"),
        "INSERT INTO solid_queue_failed_executions (job_id, error, created_at) VALUES (2, '"
        + '{"exception_class":"LookupError","message":"no user"}'
        + f"', {UTC} - interval '2 minutes'), (5, '{pruned}', {UTC} - interval '2 minutes')",
        "INSERT INTO solid_queue_processes (id, kind, last_heartbeat_at, pid, hostname, created_at,"
        f" name) VALUES (1, 'Worker', {UTC} - interval '7 minutes', 7, 'web-1', {UTC}, 'worker-1')",
        "INSERT INTO solid_queue_claimed_executions (job_id, process_id, created_at) VALUES"
        f" (3, 1, {UTC} - interval '8 minutes')",
        "INSERT INTO solid_queue_scheduled_executions (job_id, queue_name, scheduled_at,"
        f" created_at) VALUES (4, 'mails', {UTC} + interval '1 hour', {UTC})",
    ) as database:
        collected = told(SolidQueueConnector, database)
        assert kinds(collected, "1") == [Kind.JOB_ENQUEUED, Kind.JOB_FINISHED]
        assert f"job:{UUID.format(1)}" in one(collected, "1", Kind.JOB_FINISHED).keys
        assert one(collected, "2", Kind.JOB_FAILED).meaning is Meaning.OCCURRED
        noticed = one(collected, "5", Kind.JOB_FAILED)
        assert noticed.meaning is Meaning.POLLED
        assert "noticed now, the process died before" in noticed.body
        assert kinds(collected, "3") == [Kind.JOB_ENQUEUED, Kind.JOB_STARTED, Kind.CHANGE]
        started = attributes(one(collected, "3", Kind.JOB_STARTED))
        assert started["worker"] == "web-1:7"
        mails = depth(collected, "mails")
        assert (mails["depth"], mails["running"], mails["overdue"]) == (0, 1, ["3"])
        assert isinstance(mails["next_due"], list)
        assert [due["job_id"] for due in mails["next_due"]] == ["4"]


def test_oban(postgresql_server: RunningServer) -> None:
    errors = (
        "ARRAY[jsonb_build_object('at', to_char(now() at time zone 'UTC' - interval '3 minutes',"
        " 'YYYY-MM-DD\"T\"HH24:MI:SS.US\"Z\"'), 'attempt', 1, 'error',"
        " '** (RuntimeError) no user')]"
    )
    columns = (
        "INSERT INTO oban_jobs (id, state, queue, worker, args, attempt, errors, inserted_at,"
        " scheduled_at, attempted_at, completed_at, discarded_at, attempted_by) VALUES "
    )
    begun = f"{UTC} - interval '5 minutes'"
    with filled(
        postgresql_server,
        *OBAN,
        columns + "(1, 'completed', 'mails', 'Shop.Welcome', '{\"user_id\": 4711}', 1, '{}',"
        f" {begun}, {begun}, {begun}, {UTC} - interval '4 minutes', NULL, '{{web@1,u1}}')",
        columns + f"(2, 'retryable', 'mails', 'Shop.LookUp', '{{}}', 1, {errors}, {begun},"
        f" {UTC} + interval '1 hour', {begun}, NULL, NULL, '{{web@1,u1}}')",
        columns
        + f"(3, 'executing', 'mails', 'Shop.Hang', '{{}}', 1, '{{}}', {UTC} - interval '2 hours',"
        f" {begun}, {UTC} - interval '90 minutes', NULL, NULL, '{{web@1,u1}}')",
        columns + f"(4, 'scheduled', 'mails', 'Shop.Welcome', '{{}}', 0, '{{}}', {begun},"
        f" {UTC} + interval '1 hour', NULL, NULL, NULL, NULL)",
        columns + f"(5, 'discarded', 'mails', 'Shop.LookUp', '{{}}', 1, {errors}, {begun}, {begun},"
        f" {begun}, NULL, {UTC} - interval '3 minutes', '{{web@1,u1}}')",
    ) as database:
        collected = told(ObanConnector, database)
        assert kinds(collected, "1") == [Kind.JOB_ENQUEUED, Kind.JOB_STARTED, Kind.JOB_FINISHED]
        inserted = one(collected, "1", Kind.JOB_ENQUEUED)
        started = one(collected, "1", Kind.JOB_STARTED)
        assert (inserted.clock, inserted.meaning) == ("", Meaning.TRANSACTION_START)
        assert (started.clock, started.actor) == ("worker?", "web@1")
        assert "user:4711" in started.keys
        retried = one(collected, "2", Kind.JOB_RETRIED)
        assert retried.body.endswith("failed on mails (attempt 1): ** (RuntimeError) no user")
        assert one(collected, "5", Kind.JOB_DEAD).body.endswith("no user")
        assert "to run at" in one(collected, "4", Kind.JOB_ENQUEUED).body
        running = one(collected, "3", Kind.JOB_STARTED)
        assert attributes(running)["now"] is True  # it began before the window
        assert depth(collected, "mails")["overdue"] == ["3"]


def test_river(postgresql_server: RunningServer) -> None:
    def errors(text: str) -> str:
        return (
            "ARRAY[jsonb_build_object('at', now() - interval '3 minutes', 'attempt', 1, 'error',"
            f" '{text}', 'trace', '')]"
        )

    columns = (
        "INSERT INTO river_job (id, state, kind, queue, args, attempt, max_attempts, errors,"
        " created_at, scheduled_at, attempted_at, finalized_at, attempted_by) VALUES "
    )
    begun = "now() - interval '5 minutes'"
    with filled(
        postgresql_server,
        *RIVER,
        "INSERT INTO river_migration (line, version) VALUES ('main', 5), ('main', 6)",
        columns + "(1, 'completed', 'welcome', 'mails', '{\"user_id\": 4711}', 1, 25, NULL,"
        f" {begun}, {begun}, {begun}, now() - interval '4 minutes', '{{client1}}')",
        columns
        + f"(2, 'retryable', 'look_up', 'mails', '{{}}', 1, 25, {errors('no user')}, {begun},"
        f" now() + interval '1 hour', {begun}, NULL, '{{client1}}')",
        columns + f"(3, 'running', 'hang', 'mails', '{{}}', 2, 25,"
        f" {errors('Stuck job rescued by JobRescuer')}, {begun}, {begun}, {begun}, NULL,"
        " '{client1,client2}')",
        columns + f"(4, 'scheduled', 'welcome', 'mails', '{{}}', 0, 25, NULL, {begun},"
        " now() + interval '1 hour', NULL, NULL, NULL)",
    ) as database:
        collected = told(RiverConnector, database)
        assert kinds(collected, "1") == [Kind.JOB_ENQUEUED, Kind.JOB_STARTED, Kind.JOB_FINISHED]
        assert one(collected, "1", Kind.JOB_STARTED).clock == ""
        assert one(collected, "1", Kind.JOB_FINISHED).clock == "worker?"
        assert one(collected, "2", Kind.JOB_RETRIED).body.endswith("(attempt 1): no user")
        rescued = one(collected, "3", Kind.JOB_RETRIED)
        assert rescued.meaning is Meaning.POLLED
        assert "may still have run" in rescued.body
        assert one(collected, "3", Kind.JOB_STARTED).actor == "client2"
        assert "to run at" in one(collected, "4", Kind.JOB_ENQUEUED).body
        assert not [r for r in collected.remarks if r.topic == "zone-assumed"]


PERFORMABLE = """--- !ruby/object:Delayed::PerformableMethod
object: !ruby/object:{}
  id: 4
method_name: :welcome!
args:
- 4711
"""
WRAPPED = """--- !ruby/object:ActiveJob::QueueAdapters::DelayedJobAdapter::JobWrapper
job_data:
  job_class: WelcomeJob
  job_id: 00000000-0000-4000-8000-000000000003
  arguments:
  - _aj_globalid: gid://shop/User/4711
"""
HOSTILE = "--- !ruby/object:Gem::Requirement\nx: |\n  \n  job_class: Kernel`rm`\n"


def test_delayed_job(postgresql_server: RunningServer) -> None:
    with filled(postgresql_server, *DELAYED_JOB) as database:
        with database.connected() as connection:
            for handler, rest in (
                (PERFORMABLE.format("User"), "0, NULL, now() + interval '1 hour', NULL, NULL"),
                (
                    PERFORMABLE.format("User"),
                    "2, 'LookupError: no user', now() - interval '1 minute' + interval '21 s',"
                    " NULL, NULL",
                ),
                (WRAPPED, "0, NULL, now(), now() - interval '5 hours', 'host:web-1 pid:7'"),
                (HOSTILE, "0, NULL, now(), NULL, NULL"),
                ("--- !ruby/struct:NewsletterJob\na: 1\n", "0, NULL, now(), NULL, NULL"),
            ):
                connection.execute(
                    "INSERT INTO delayed_jobs (handler, queue, created_at, updated_at, attempts,"
                    " last_error, run_at, locked_at, locked_by)"
                    f" SELECT %s, 'mails', {UTC} - interval '2 minutes', {UTC}, r.a, r.e,"
                    " timezone('UTC', r.d), timezone('UTC', r.l::timestamptz), r.w"
                    f" FROM (VALUES ({rest})) AS r(a, e, d, l, w)",
                    (handler,),
                )
        collected = told(DelayedJobConnector, database)
        bodies = [words for job in "12345" for _, words in life(collected, job)]
        assert bodies[0].startswith("User#welcome!(YAML, ")
        assert "to run at" in bodies[0]
        retried = one(collected, "2", Kind.JOB_RETRIED)
        assert retried.meaning is Meaning.DERIVED
        assert retried.body.endswith("LookupError: no user")
        # two failures: 2^4 + 5 s before its next run, which is a minute ago
        enqueued = one(collected, "2", Kind.JOB_ENQUEUED)
        assert abs(retried.timestamp - enqueued.timestamp - MINUTE) < 2 * 10**9
        locked = one(collected, "3", Kind.JOB_STARTED)
        assert "WelcomeJob(YAML, " in locked.body
        assert f"job:{UUID.format(3)}" in locked.keys
        assert depth(collected, "mails")["overdue"] == ["3"]
        everything = " ".join(f"{e.body} {e.attributes}" for e in collected.events)
        assert "4711" not in everything
        assert "rm" not in everything.replace("performed", "")
        assert "a job without a class(YAML" not in bodies[-1]
        assert bodies[-1].startswith("NewsletterJob(YAML, ")


def test_que(postgresql_server: RunningServer) -> None:
    with filled(
        postgresql_server,
        *QUE,
        "INSERT INTO que_jobs (id, job_class, args, run_at, error_count, last_error_message,"
        " finished_at) VALUES (1, 'Welcome', '[4711]', now() - interval '3 minutes', 0, NULL,"
        " now() - interval '2 minutes'), (2, 'LookUp', '[7]', now() + interval '10 s', 2,"
        " 'LookupError: no user', NULL), (3, 'Hang', '[]', now() - interval '1 minute', 0, NULL,"
        " NULL), (4, 'Welcome', '[5]', now() + interval '1 hour', 0, NULL, NULL)",
    ) as database:
        url = reader(database)
        with database.connected() as worker:
            worker.execute("SELECT pg_advisory_lock(3)")
            collected = fetch(QueConnector, url, arguments={"Welcome": ["user_id"]})
            assert depth(collected, "default")["running"] == 1
        finished = one(collected, "1", Kind.JOB_FINISHED)
        assert finished.keys == ("job:1", "user:4711")
        due = one(collected, "1", Kind.JOB_ENQUEUED)
        assert due.meaning is Meaning.DERIVED
        assert "keeps no time of enqueueing" in due.body
        retried = one(collected, "2", Kind.JOB_RETRIED)
        assert retried.meaning is Meaning.DERIVED  # 2^4 + 3 s before its next run
        assert abs(retried.timestamp - finished.timestamp - 111 * 10**9) < 2 * 10**9
        assert kinds(collected, "4") == []  # scheduled: no stamp of the past is kept
        assert attributes(one(collected, "3", Kind.JOB_ENQUEUED))["status"] == "ready"
        # a killed worker's lock goes with its connection: the job is simply due again
        after = fetch(QueConnector, url)
        assert depth(after, "default")["running"] == 0
        missing = look_up(QueConnector, url, "job:99")
        assert any("deletes a job's row" in r.sentence for r in missing.remarks)
