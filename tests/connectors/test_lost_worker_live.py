"""A real BullMQ worker killed while it works: the whole way from Redis to the finding."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from redis import Redis

from connectors.bullmq import BullMQConnector, BullMQOptions
from tests.conformance.collecting import Collected, fetched
from tests.conformance.redis_queue import reader_url
from tests.connectors.queue_answers import last_minutes
from tests.connectors.workers.running import until
from tests.connectors.workers.starting import add_to_bullmq, bullmq, crash, numbered
from tests.servers.process import RunningServer
from timeline.analysis import Analysis, analyse
from timeline.detectors.delivered_again import DeliveredAgain, DeliveredAgainDetector
from timeline.detectors.lost_worker import LostWorker, LostWorkerDetector
from timeline.detectors.poison_job import PoisonJob, PoisonJobDetector
from timeline.event import Lane
from timeline.finding import Finding
from timeline.incident import Incident, SourceInfo
from timeline.keys import KeyRules
from timeline.order import Verdict
from timeline.store import Store
from timeline.window import SECOND_NS

pytestmark = pytest.mark.servers

DATABASE = 14
QUEUE = "resize"
LOCK_MS = 1_000
SOON = {"lockDuration": LOCK_MS, "stalledInterval": 400}
DETECTORS = (LostWorkerDetector(), DeliveredAgainDetector(), PoisonJobDetector())


@dataclass(frozen=True)
class Night:
    """Key of the job that its workers died with, when they were killed (ns UTC), what was seen."""

    job: str
    killed: tuple[int, int]
    before: Collected
    """Read while nobody had done anything but a healthy job."""
    orphaned: Collected
    """Read after the first worker was killed and before anybody noticed."""
    after: Collected
    """Read after a second worker took the job, was killed, and a third one noticed."""


@pytest.fixture(scope="module")
def redis(redis_server: RunningServer) -> Iterator[Redis]:
    with Redis.from_url(numbered(redis_server.url, DATABASE)) as client:
        client.flushdb()
        yield client
        client.flushdb()


@pytest.fixture(scope="module")
def night(
    redis: Redis, redis_server: RunningServer, tmp_path_factory: pytest.TempPathFactory
) -> Night:
    """One healthy job, then one that hangs until its worker is killed, twice over."""
    admin, url = numbered(redis_server.url, DATABASE), reader_url(redis_server, DATABASE)
    folder, killed = tmp_path_factory.mktemp("lost"), []
    completed, lock = f"bull:{QUEUE}:completed", f"bull:{QUEUE}:{{}}:lock"
    log = folder / "first.log"
    with bullmq(admin, QUEUE, log, "", name="w1", **SOON) as process:
        add_to_bullmq(admin, QUEUE, [{"name": "welcome_mail", "data": {"user_id": 1}}])
        until(lambda: redis.zcard(completed) == 1, "a healthy job", log)
        before = fetch(url)
        (job,) = add_to_bullmq(admin, QUEUE, [{"name": "hang", "data": {"user_id": 9}}])
        killed.append(_killed(process, log))
    until(lambda: not redis.exists(lock.format(job)), "the lock to expire", log)
    orphaned = fetch(url)
    log = folder / "second.log"
    with bullmq(admin, QUEUE, log, "", name="w2", maxStalledCount=5, **SOON) as process:
        killed.append(_killed(process, log))
    log = folder / "third.log"
    with bullmq(admin, QUEUE, log, "", name="w3", maxStalledCount=1, settled=1, **SOON):
        until(lambda: redis.zcard(f"bull:{QUEUE}:failed") == 1, "it is given up", log)
    return Night(f"job:{job}", (killed[0], killed[1]), before, orphaned, fetch(url))


def _killed(process: subprocess.Popen[bytes], log: Path) -> int:
    """Wait until the job hangs, then kill its worker; when that was (ns UTC)."""
    until(lambda: "hanging" in log.read_text(), "a job that hangs", log)
    at = time.time_ns()
    crash(process)
    return at


def fetch(url: str) -> Collected:
    options = {"url": url, "queues": [QUEUE], "lock_duration_s": LOCK_MS / 1_000}
    connector = BullMQConnector("jobs", BullMQOptions.model_validate(options), KeyRules())
    return fetched(connector, last_minutes())


def analysed(collected: Collected) -> Analysis:
    store = Store()
    for batch in collected.batches:
        store.add(batch)
    incident = Incident(
        last_minutes(),
        store.snapshot(),
        sources=(SourceInfo("jobs", Lane.QUEUE, "bullmq"),),
        collected_at=time.time_ns(),
    )
    analysis = analyse(incident, DETECTORS)
    assert analysis.not_evaluated == ()
    return analysis


def of(analysis: Analysis, kind: type[Finding]) -> list[Finding]:
    return [finding for finding in analysis.findings if isinstance(finding, kind)]


def test_a_healthy_worker_is_no_finding(night: Night) -> None:
    assert analysed(night.before).findings == ()


def test_a_killed_worker_is_found_by_its_expired_lock(night: Night) -> None:
    (finding,) = of(analysed(night.orphaned), LostWorker)
    assert isinstance(finding, LostWorker)
    assert finding.keys == (night.job,)
    assert finding.sign == "overdue"
    assert finding.verdict is Verdict.LIKELY, "nobody but the queue has said anything yet"
    assert finding.alive is not None
    assert finding.alive < night.killed[0] < finding.noticed
    assert "holding 1 job" in finding.sentence()
    assert "BullMQ runs it again" in finding.next_action


def test_every_killed_worker_is_an_interval_that_holds_the_kill(night: Night) -> None:
    found = [one for one in of(analysed(night.after), LostWorker) if isinstance(one, LostWorker)]
    intervals = sorted((one.alive or 0, one.noticed) for one in found)
    assert len(intervals) == 2
    for (alive, noticed), killed in zip(intervals, night.killed, strict=True):
        assert alive < killed < noticed
        assert noticed - alive < 30 * SECOND_NS
    assert {key for one in found for key in one.keys} == {night.job}


def test_the_second_run_is_told_and_the_run_that_only_fails_it_is_not(night: Night) -> None:
    (finding,) = of(analysed(night.after), DeliveredAgain)
    assert isinstance(finding, DeliveredAgain)
    (case,) = finding.cases
    assert (case.job, case.timeout) == (night.job, LOCK_MS * 1_000_000)
    assert case.first < night.killed[0] < case.second < night.killed[1]
    assert (finding.cause, finding.verdict) == ("lease", Verdict.CERTAIN)


def test_the_job_that_took_two_workers_is_the_poison(night: Night) -> None:
    (finding,) = of(analysed(night.after), PoisonJob)
    assert isinstance(finding, PoisonJob)
    assert finding.keys == (night.job,)
    assert len(finding.deaths) == 2
    assert finding.next_action.startswith(f"Set {night.job.removeprefix('job:')} aside")
