"""What a real Sidekiq leaves behind: successes, retries, a killed process, scheduled jobs."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from redis import Redis

from connectors.contract import CheckReport
from connectors.queues.active_job import iso_ns
from connectors.sidekiq import SidekiqConnector, SidekiqOptions
from connectors.sidekiq.processes import SILENT_AFTER_NS
from tests.conformance.collecting import Collected, fetched, looked_up
from tests.conformance.redis_queue import reader_url
from tests.connectors.workers.redis_watch import only_reads
from tests.connectors.workers.running import push, sidekiq, until
from tests.connectors.workers.starting import numbered
from tests.servers.process import RunningServer
from timeline.coverage import Sight
from timeline.event import Event, Kind, Meaning, Precision
from timeline.keys import KeyRules
from timeline.problems import NothingHere
from timeline.window import MINUTE_NS, SECOND_NS, Budget, Window

pytestmark = pytest.mark.servers

DATABASE = 11
ARGUMENTS = {name: ["user_id"] for name in ("WelcomeMail", "LookUp", "PassesOnRetry", "Endless")}


@dataclass(frozen=True)
class Scene:
    """Ids of real jobs, what happened to them, and when (ns UTC)."""

    begun: int
    killed: int
    endless: str
    succeeded: str
    retried: str
    passed: str
    scheduled: str
    dead: str


@pytest.fixture(scope="module")
def url(redis_server: RunningServer) -> str:
    """The least-privilege user's URL."""
    return reader_url(redis_server, DATABASE)


@pytest.fixture(scope="module")
def redis(redis_server: RunningServer) -> Iterator[Redis]:
    with Redis.from_url(numbered(redis_server.url, DATABASE)) as client:
        client.flushdb()
        yield client
        client.flushdb()


@pytest.fixture(scope="module")
def scene(
    redis: Redis, redis_server: RunningServer, tmp_path_factory: pytest.TempPathFactory
) -> Scene:
    """One process killed while it runs a job; another does its jobs and signs off."""
    admin = numbered(redis_server.url, DATABASE)
    begun, folder = time.time_ns(), tmp_path_factory.mktemp("sidekiq")
    log: Path = folder / "killed.log"
    with sidekiq(admin, ["long"], log) as process:
        (endless,) = push(admin, ("Endless", [4711], 0, "long"))
        until(lambda: _works(redis), "a job on record as running", log)
        os.kill(process.pid, signal.SIGKILL)
        killed = time.time_ns()
        process.wait(10)
    log = folder / "other.log"
    with sidekiq(admin, ["default"], log):
        ids = push(
            admin,
            ("WelcomeMail", [1]),
            ("LookUp", [77]),
            ("PassesOnRetry", [5]),
            ("WelcomeMail", [80], 1200),
            ("GivesUp", [6]),
        )
        until(lambda: redis.get("test:tries:5") == b"2", "the second attempt", log)
        until(lambda: redis.zcard("retry") == 1 and redis.zcard("dead") == 1, "the rest", log)
    return Scene(begun, killed, endless, *ids)


def _works(redis: Redis) -> bool:
    return any(redis.hlen(key) for key in redis.scan_iter("*:workers"))


def connector(url: str, **options: object) -> SidekiqConnector:
    given = {"url": url, "arguments": ARGUMENTS, **options}
    return SidekiqConnector("jobs", SidekiqOptions.model_validate(given), KeyRules())


def last_minutes(minutes: int = 5) -> Window:
    now = time.time_ns()
    return Window(now - SECOND_NS, now - minutes * MINUTE_NS, now)


def fetch(url: str, **options: object) -> Collected:
    return fetched(connector(url, **options), last_minutes(), Budget())


def of(collected: Collected, jid: str) -> list[Event]:
    events = [event for event in collected.events if f"job:{jid}" in event.keys]
    return sorted(events, key=lambda event: (event.timestamp, event.seq))


def details(event: Event) -> dict[str, object]:
    told: dict[str, object] = json.loads(event.attributes or "{}")
    return told


def test_a_success_leaves_a_count_and_is_not_visible(scene: Scene, url: str) -> None:
    collected = fetch(url)
    assert of(collected, scene.succeeded) == []
    assert {entry.sight for entry in collected.coverage} == {Sight.NOW_ONLY}
    assert "nothing of jobs that succeeded" in collected.coverage[0].reason
    found = looked_up(connector(url), (f"job:{scene.succeeded}",), last_minutes())
    (remark,) = found.remarks
    assert scene.succeeded in remark.sentence
    assert "no such job among those" in remark.sentence


def test_a_failure_waits_for_its_retry_with_its_error(scene: Scene, url: str) -> None:
    enqueued, failed = of(fetch(url), scene.retried)
    assert (enqueued.kind, enqueued.meaning, enqueued.clock) == (
        Kind.JOB_ENQUEUED,
        Meaning.SENT,
        "client?",
    )
    assert (failed.kind, failed.precision) == (Kind.JOB_RETRIED, Precision.MICROSECOND)
    assert "KeyError: User 77 ␛[31mgone" in failed.body
    assert "sidekiq_worker.rb" in failed.body, "the backtrace was unpacked"
    told = details(failed)
    assert (told["attempt"], told["retries_left"], told["retry_count"]) == (1, 5, 0)
    assert "user:77" in failed.keys
    due = iso_ns(str(told["due_at"])) or 0
    assert 600 * SECOND_NS <= due - failed.timestamp < 620 * SECOND_NS


def test_a_retry_that_passed_is_not_visible_but_counted(scene: Scene, url: str) -> None:
    collected = fetch(url)
    assert of(collected, scene.passed) == []
    (day,) = [event for event in collected.events if "attempts ended" in event.body]
    assert details(day)["now"] is True
    assert (details(day)["processed"], details(day)["failed"]) == (5, 3)


def test_a_death_tells_its_error(scene: Scene, url: str) -> None:
    enqueued, died = of(fetch(url), scene.dead)
    assert (enqueued.kind, died.kind) == (Kind.JOB_ENQUEUED, Kind.JOB_DEAD)
    assert died.body.startswith("GivesUp(6) died on default after 1 failed attempt: ArgumentError")


def test_a_scheduled_job_is_told_with_its_due_time(scene: Scene, url: str) -> None:
    collected = fetch(url)
    (created,) = of(collected, scene.scheduled)
    assert created.body.startswith("WelcomeMail(80) scheduled on default for ")
    depth = next(e for e in collected.events if e.body.startswith("all queues now"))
    assert scene.scheduled in [due["job_id"] for due in _due(depth)]
    assert details(depth)["counts"] == {"retry": 1, "schedule": 1, "dead": 1}


def _due(depth: Event) -> list[dict[str, str]]:
    due = details(depth)["next_due"]
    assert isinstance(due, list)
    return due


def test_only_reads_are_sent(scene: Scene, url: str, redis: Redis) -> None:
    with only_reads(redis) as commands:
        fetch(url)
        looked_up(connector(url), ("user:77", "job:x"), last_minutes())
    assert {"LLEN", "ZRANGEBYSCORE", "HSCAN", "HMGET"} <= commands


def test_a_killed_process_is_silence_between_two_instants(scene: Scene, url: str) -> None:
    enqueued, started = sorted(of(fetch(url), scene.endless), key=lambda event: event.kind)
    assert (enqueued.kind, started.kind) == (Kind.JOB_ENQUEUED, Kind.JOB_STARTED)
    assert started.precision is Precision.SECOND
    assert started.timestamp <= scene.killed
    assert "last_heartbeat" in details(started)
    while time.time_ns() <= scene.killed + SILENT_AFTER_NS:
        time.sleep(0.5)
    collected = fetch(url)
    (beat,) = [event for event in collected.events if "last heartbeat" in event.body]
    assert scene.begun < beat.timestamp <= scene.killed
    (silent,) = [remark for remark in collected.remarks if remark.topic == "worker-silent"]
    assert "at some instant between" in silent.sentence
    (orphaned,) = [remark for remark in collected.remarks if remark.topic == "orphaned"]
    assert "Endless(4711)" in orphaned.sentence
    assert len(of(collected, scene.endless)) == 2
    depth = next(e for e in collected.events if e.body.startswith("long now"))
    assert details(depth)["overdue"] == [scene.endless]


def test_what_a_killed_process_ran_is_then_not_visible(
    scene: Scene, url: str, redis: Redis
) -> None:
    for key in list(redis.scan_iter("*:workers")):
        identity = key.removesuffix(b":workers")
        assert 0 < redis.ttl(identity) <= 60
        redis.pexpire(key, 1)  # what Redis itself does a minute after the last heartbeat
        redis.pexpire(identity, 1)
    time.sleep(0.05)
    collected = fetch(url)
    assert of(collected, scene.endless) == []
    (silent,) = [remark for remark in collected.remarks if remark.topic == "worker-silent"]
    assert "without signing off" in silent.sentence
    assert "not visible" in silent.sentence
    assert looked_up(connector(url), ("user:4711",), last_minutes()).events == []


def test_check_states_what_is_there_and_what_is_forgotten(scene: Scene, url: str) -> None:

    report = asyncio.run(_checked(connector(url)))
    assert report.system.startswith("Sidekiq of unknown version")
    assert any("1 in the retry set" in fact for fact in report.facts)
    assert any("succeeded" in sentence for sentence in report.cannot_see)
    with pytest.raises(NothingHere, match="no keys of Sidekiq"):
        asyncio.run(_checked(connector(numbered(url, 15))))


async def _checked(asked: SidekiqConnector) -> CheckReport:
    try:
        return await asked.check()
    finally:
        await asked.close()
