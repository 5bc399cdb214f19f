"""delayed_job with a real worker on PostgreSQL: what its table tells, and what nobody may load.

One job succeeds, one fails and waits for its retry, one fails for good, one runs in a worker that
gets SIGKILL, and one is scheduled; on the table that the library's own migration makes.
"""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from connectors.sqlqueue.delayed_job import DelayedJobConnector
from tests.conformance.collecting import Collected
from tests.connectors.pg import Database, database_on
from tests.connectors.sqlqueue_world import (
    attributes,
    delayed_job,
    depth,
    fetch,
    life,
    look_up,
    reader,
)
from tests.connectors.workers.running import SOON_S, until
from tests.connectors.workers.starting import crash
from tests.servers.process import RunningServer
from timeline.coverage import Sight
from timeline.event import Event, Kind, Meaning
from timeline.window import SECOND_NS

pytestmark = pytest.mark.servers

BOMB = "--- !ruby/object:Trap\npath: {}\n"


@dataclass(frozen=True)
class Night:
    """A database after a worker was killed in it, ids of its jobs, and the worker's log."""

    database: Database
    reader: str
    succeeded: str
    retried: str
    failed: str
    scheduled: str
    killed: str
    log: str

    def fetched(self) -> Collected:
        return fetch(DelayedJobConnector, self.reader)


@pytest.fixture(scope="module")
def night(
    postgresql_server: RunningServer, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Night]:
    program, folder = delayed_job(), tmp_path_factory.mktemp("delayed_job")
    log, flag = folder / "worker.log", folder / "flag"
    with database_on(postgresql_server) as database:
        program.told(database.url, "schema")
        ids = program.enqueue(
            database.url,
            ["WelcomeMail", [4711], 0],
            ["LookUp", [7], 0],
            ["GivesUp", [8], 0],
            ["WelcomeMail", [9], 3600],
            ["Endless", [str(flag)], 0],
        )
        with program.working(database.url, log) as process:
            until(flag.exists, "the job that does not end", log)
            crash(process)
        yield Night(database, reader(database), *_five(ids), log.read_text())


def _five(ids: list[str]) -> tuple[str, str, str, str, str]:
    succeeded, retried, failed, scheduled, killed = ids
    return succeeded, retried, failed, scheduled, killed


def one(collected: Collected, job: str, kind: Kind) -> Event:
    (event,) = [e for e in collected.events if f"job:{job}" in e.keys and e.kind is kind]
    return event


def test_a_success_is_gone_and_never_called_missing(night: Night) -> None:
    assert re.search(r"Job WelcomeMail \(id=1\).* COMPLETED", night.log)
    assert life(night.fetched(), night.succeeded) == []
    missing = look_up(DelayedJobConnector, night.reader, f"job:{night.succeeded}")
    (remark,) = [r for r in missing.remarks if r.topic == "not-found"]
    assert "deletes a job's row when it succeeds" in remark.sentence
    assert next(c.sight for c in night.fetched().coverage) is Sight.NOW_ONLY


def test_a_retry_is_derived_and_right(night: Night) -> None:
    """Its time follows from the next run; the row's updated_at, which nobody reads, agrees."""
    collected = night.fetched()
    retried = one(collected, night.retried, Kind.JOB_RETRIED)
    assert retried.meaning is Meaning.DERIVED
    first, *rest = retried.body.partition(" failed on ")[2].split("␊")
    assert first.endswith(": User 7 ␛[31mgone⟨202e⟩")  # the message, not the end of a backtrace
    assert any("in `perform'" in line for line in rest)
    with night.database.connected() as connection:
        row = connection.execute(
            "SELECT (extract(epoch FROM updated_at) * 1000000)::bigint FROM delayed_jobs"
            " WHERE id = %s",
            (night.retried,),
        ).fetchone()
    assert row is not None
    assert abs(row[0] * 1_000 - retried.timestamp) < SECOND_NS
    assert night.retried in str(depth(collected, "mails")["next_due"])


def test_a_failure_for_good_knows_its_last_start(night: Night) -> None:
    collected = night.fetched()
    told = [kind for kind, _ in life(collected, night.failed)]
    assert told == [Kind.JOB_ENQUEUED, Kind.JOB_STARTED, Kind.JOB_DEAD]
    dead = one(collected, night.failed, Kind.JOB_DEAD)
    assert "failed for good on mails: nothing to be done" in dead.body
    assert attributes(dead)["error"] == "nothing to be done"


def test_a_killed_worker_keeps_its_lock(night: Night) -> None:
    collected = night.fetched()
    told = [kind for kind, _ in life(collected, night.killed)]
    assert told == [Kind.JOB_ENQUEUED, Kind.JOB_STARTED]
    started = one(collected, night.killed, Kind.JOB_STARTED)
    assert re.fullmatch(r"host:\S+ pid:\d+", str(attributes(started)["worker"]))
    mails = depth(collected, "mails")
    assert (mails["running"], mails["overdue"]) == (1, [])  # no heartbeat: alive for all we know
    with night.database.connected() as connection:
        hours = "UPDATE delayed_jobs SET locked_at = locked_at {} interval '5 hours' WHERE id = %s"
        connection.execute(hours.format("-").encode(), (night.killed,))
        try:
            assert depth(night.fetched(), "mails")["overdue"] == [night.killed]
        finally:
            connection.execute(hours.format("+").encode(), (night.killed,))


def test_a_scheduled_job(night: Night) -> None:
    ((kind, words),) = life(night.fetched(), night.scheduled)
    assert kind is Kind.JOB_ENQUEUED
    assert "WelcomeMail(YAML, " in words
    assert "to run at" in words


def test_no_handler_is_ever_loaded(night: Night, tmp_path: Path) -> None:
    """The same YAML goes off under delayed_job's own loader."""
    handler, trap = tmp_path / "handler.yml", tmp_path / "sprung"
    handler.write_text(BOMB.format(trap))
    loading = [*delayed_job().words, "load", str(handler)]
    subprocess.run(loading, timeout=SOON_S, check=True)
    assert trap.exists(), "a bomb that cannot go off would prove nothing"
    trap.unlink()
    with night.database.connected() as connection:
        row = connection.execute(
            "INSERT INTO delayed_jobs (handler, queue, run_at, created_at, updated_at)"
            " SELECT %s, 'mails', now, now, now FROM timezone('UTC', now()) AS now RETURNING id",
            (BOMB.format(trap),),
        ).fetchone()
        assert row is not None
        try:
            ((_, words),) = life(night.fetched(), str(row[0]))
            look_up(DelayedJobConnector, night.reader, f"job:{row[0]}", "user:4711")
        finally:
            connection.execute("DELETE FROM delayed_jobs WHERE id = %s", (row[0],))
    assert words.startswith(f"Trap(YAML, {len(BOMB.format(trap))} bytes, not opened)")
    assert not trap.exists()
