"""What a real Resque worker (node-resque) leaves behind: success, failures, a kill, a schedule."""

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
from connectors.resque import ResqueConnector, ResqueOptions
from connectors.resque.workers import silent_after
from tests.conformance.collecting import Collected, fetched, looked_up
from tests.conformance.redis_queue import reader_url
from tests.connectors.workers.redis_watch import only_reads
from tests.connectors.workers.running import RESQUE_ZONE, push_to_resque, resque, until
from tests.connectors.workers.starting import numbered
from tests.servers.process import RunningServer
from timeline.coverage import Sight
from timeline.event import Event, Kind, Meaning, Precision
from timeline.keys import KeyRules
from timeline.problems import NothingHere
from timeline.window import MINUTE_NS, SECOND_NS, Budget, Window

pytestmark = pytest.mark.servers

DATABASE = 13
ARGUMENTS = {name: ["user_id"] for name in ("WelcomeMail", "LookUp", "RetriedLookUp", "Endless")}
HEARTBEAT_S = 1
"""Our workers beat every 0.2 s; a second is the option's smallest value."""


@dataclass(frozen=True)
class Scene:
    """When real jobs ran and when their worker was killed (ns UTC)."""

    begun: int
    killed: int


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
    """One worker does its jobs and signs off; another is killed while it runs one."""
    admin = numbered(redis_server.url, DATABASE)
    begun, folder = time.time_ns(), tmp_path_factory.mktemp("resque")
    log = folder / "other.log"
    with resque(admin, ["default"], log):
        push_to_resque(
            admin,
            ("default", "WelcomeMail", [1]),
            ("default", "LookUp", [77]),
            ("default", "RetriedLookUp", [5]),
            ("default", "WelcomeMail", [80], 1_200_000),
        )
        until(lambda: redis.llen("resque:failed") == 1, "a failure", log)
        until(lambda: redis.zcard("resque:delayed_queue_schedule") == 2, "the schedule", log)
    log = folder / "killed.log"
    with resque(admin, ["long"], log) as process:
        push_to_resque(admin, ("long", "Endless", [4711]))
        until(lambda: _works(redis), "a job on record as running", log)
        time.sleep(0.5)  # one heartbeat at least
        os.kill(process.pid, signal.SIGKILL)
        killed = time.time_ns()
        process.wait(10)
    push_to_resque(admin, ("idle", "WelcomeMail", [90]), ("idle", "WelcomeMail", [90]))
    return Scene(begun, killed)


def _works(redis: Redis) -> bool:
    return any(
        b"Endless" in (redis.get(key) or b"") for key in redis.scan_iter("resque:worker:*:long")
    )


def connector(url: str, **options: object) -> ResqueConnector:
    given = {"url": url, "arguments": ARGUMENTS, "heartbeat_s": HEARTBEAT_S, **options}
    return ResqueConnector("jobs", ResqueOptions.model_validate(given), KeyRules())


def last_minutes(minutes: int = 5) -> Window:
    now = time.time_ns()
    return Window(now - SECOND_NS, now - minutes * MINUTE_NS, now)


def fetch(url: str, **options: object) -> Collected:
    return fetched(connector(url, **options), last_minutes(), Budget())


def of(collected: Collected, user: int) -> list[Event]:
    return [event for event in collected.events if f"user:{user}" in event.keys]


def details(event: Event) -> dict[str, object]:
    told: dict[str, object] = json.loads(event.attributes or "{}")
    return told


def test_a_success_is_not_visible(scene: Scene, url: str) -> None:
    collected = fetch(url)
    assert of(collected, 1) == []
    assert {entry.sight for entry in collected.coverage} == {Sight.NOW_ONLY}
    assert "nothing of jobs that succeeded" in collected.coverage[0].reason
    depth = next(e for e in collected.events if e.body.startswith("all queues now"))
    counts = details(depth)["counts"]
    assert isinstance(counts, dict)
    assert (counts["processed"], counts["failed"]) == (1, 2)
    (remark,) = looked_up(connector(url), ("user:1",), last_minutes()).remarks
    assert "no such job among those" in remark.sentence


def test_a_failure_is_on_record_with_its_error(scene: Scene, url: str) -> None:
    (failed,) = of(fetch(url), 77)
    assert (failed.kind, failed.precision) == (Kind.JOB_FAILED, Precision.SECOND)
    assert scene.begun - SECOND_NS < failed.timestamp < scene.killed
    assert failed.body.startswith("LookUp(77) failed on default: Error: User 77 ␛[31mgone⟨202e⟩")
    assert "resque_worker.mjs" in failed.body
    found = looked_up(connector(url), ("user:77",), last_minutes())
    assert [event.ref for event in found.events] == [failed.ref]


def test_a_retry_is_told_with_its_last_error_when_the_zone_is_known(scene: Scene, url: str) -> None:
    without = fetch(url)
    (undated,) = [remark for remark in without.remarks if remark.topic == "undated"]
    assert "zone" in undated.sentence
    collected = fetch(url, zone=RESQUE_ZONE)
    (failed,) = [event for event in of(collected, 5) if event.kind is Kind.JOB_RETRIED]
    assert scene.begun - SECOND_NS < failed.timestamp < scene.killed
    assert "comes due again at" in failed.body
    assert details(failed)["attempt"] == 1


def test_a_scheduled_job_comes_due(scene: Scene, url: str) -> None:
    collected = fetch(url)
    (seen,) = of(collected, 80)
    assert (seen.meaning, details(seen)["now"]) == (Meaning.POLLED, True)
    assert "is on the schedule of default for " in seen.body
    depth = next(e for e in collected.events if e.body.startswith("all queues now"))
    due = details(depth)["next_due"]
    assert isinstance(due, list)
    assert [one["job_id"] for one in due] == ["RetriedLookUp(5)", "WelcomeMail(80)"]


def test_waiting_jobs_are_seen_now_and_equal_ones_apart(scene: Scene, url: str) -> None:
    waiting = of(fetch(url), 90)
    assert [event.meaning for event in waiting] == [Meaning.POLLED] * 2
    assert len({event.ref for event in waiting}) == 2
    assert "number 1 of 2 (Resque keeps no time of it; seen now)" in waiting[0].body


def test_only_reads_are_sent(scene: Scene, url: str, redis: Redis) -> None:
    with only_reads(redis) as commands:
        fetch(url)
        looked_up(connector(url), ("user:77", "job:x"), last_minutes())
    assert {"LRANGE", "SSCAN", "ZRANGEBYSCORE", "HGET"} <= commands


def test_a_killed_worker_is_silence_between_two_instants(scene: Scene, url: str) -> None:
    while time.time_ns() <= scene.killed + silent_after(HEARTBEAT_S) + SECOND_NS:
        time.sleep(0.2)
    collected = fetch(url)
    (started,) = of(collected, 4711)
    assert (started.kind, started.precision) == (Kind.JOB_STARTED, Precision.SECOND)
    assert started.timestamp <= scene.killed
    assert "last_heartbeat" in details(started)
    (beat,) = [event for event in collected.events if "last heartbeat" in event.body]
    assert beat.timestamp <= scene.killed + SECOND_NS
    (silent,) = [remark for remark in collected.remarks if remark.topic == "worker-silent"]
    assert "at some instant between" in silent.sentence
    (orphaned,) = [remark for remark in collected.remarks if remark.topic == "orphaned"]
    assert "Endless(4711)" in orphaned.sentence


def test_a_lost_job_is_filed_when_somebody_notices(
    scene: Scene, url: str, redis: Redis, redis_server: RunningServer, tmp_path: Path
) -> None:
    log = tmp_path / "noticing.log"
    with resque(numbered(redis_server.url, DATABASE), ["other"], log, stuck_ms=1_000):
        until(lambda: redis.llen("resque:failed") == 2, "the lost job among the failed", log)
    (lost,) = of(fetch(url), 4711)
    assert (lost.kind, lost.meaning, lost.clock) == (
        Kind.JOB_FAILED,
        Meaning.INGESTED,
        "worker?",
    )
    assert "Endless(4711) was lost with its worker on long" in lost.body
    assert lost.timestamp > scene.killed


def test_check_states_what_is_there_and_what_is_forgotten(scene: Scene, url: str) -> None:
    report = asyncio.run(_checked(connector(url)))
    assert report.system.startswith("Resque on Redis")
    assert "queues: default, idle, long" in report.facts
    assert any("succeeded" in sentence for sentence in report.cannot_see)
    with pytest.raises(NothingHere, match="no keys of Resque"):
        asyncio.run(_checked(connector(url, namespace="other")))


async def _checked(asked: ResqueConnector) -> CheckReport:
    try:
        return await asked.check()
    finally:
        await asked.close()
