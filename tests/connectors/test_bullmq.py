"""What a real BullMQ leaves behind: success, retry, a killed worker, a schedule, a pause."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from redis import Redis

from connectors.bullmq import BullMQConnector, BullMQOptions
from connectors.discovery import Place
from connectors.queues.payload import iso_ns
from tests.conformance.collecting import Collected, fetched, looked_up
from tests.conformance.redis_queue import reader_url
from tests.connectors.queue_answers import checked, depth, last_minutes, of, remark, told
from tests.connectors.workers.redis_watch import only_reads
from tests.connectors.workers.running import until
from tests.connectors.workers.starting import (
    add_to_bullmq,
    bullmq,
    crash,
    numbered,
    pause_bullmq,
)
from tests.servers.process import RunningServer
from timeline.coverage import CoverageMap, Sight
from timeline.event import Event, Kind, Meaning
from timeline.keys import KeyRules
from timeline.problems import AccessRefused, NothingHere
from timeline.window import MINUTE_NS, SECOND_NS, Window

pytestmark = pytest.mark.servers

DATABASE = 7
QUEUE = "mail"
LOCK_MS = 1_000
SOON = {"lockDuration": LOCK_MS, "stalledInterval": 400}


@dataclass(frozen=True)
class Scene:
    """Ids of real jobs by what became of them, what was seen in between, and when (ns UTC)."""

    begun: int
    killed_at: int
    major: int
    ids: dict[str, str]
    orphaned: Collected
    """A fetch after the worker was killed and before another one noticed."""
    after: Collected

    def events(self, which: str, *kinds: Kind) -> list[Event]:
        return of(self.after, f"job:{self.ids[which]}", *kinds)


@pytest.fixture(scope="module")
def redis(redis_server: RunningServer) -> Iterator[Redis]:
    with Redis.from_url(numbered(redis_server.url, DATABASE)) as client:
        client.flushdb()
        yield client
        client.flushdb()


@pytest.fixture(scope="module")
def url(redis_server: RunningServer) -> str:
    """The least-privilege user's URL."""
    return reader_url(redis_server, DATABASE)


@pytest.fixture(scope="module", params=["", "-4"], ids=["BullMQ 6", "BullMQ 4"])
def scene(
    request: pytest.FixtureRequest,
    redis: Redis,
    redis_server: RunningServer,
    url: str,
    tmp_path_factory: pytest.TempPathFactory,
) -> Scene:
    """One worker does its jobs and is killed in the last; another finds the stalled one."""
    redis.flushdb()
    admin, series = numbered(redis_server.url, DATABASE), request.param
    folder, begun = tmp_path_factory.mktemp("bullmq"), time.time_ns()
    wanted: dict[str, dict[str, object]] = {
        "succeeded": {"name": "welcome_mail", "data": {"user_id": 1}},
        "removed": {
            "name": "welcome_mail",
            "data": {"user_id": 2},
            "opts": {"removeOnComplete": True},
        },
        "retried": {
            "name": "look_up",
            "data": {"user_id": 77},
            "opts": {"attempts": 2, "backoff": 300},
        },
        "retried at once": {"name": "look_up", "data": {"user_id": 78}, "opts": {"attempts": 2}},
        "scheduled": {"name": "welcome_mail", "data": {"user_id": 5}, "opts": {"delay": 600_000}},
    }
    log = folder / "first.log"
    with bullmq(admin, QUEUE, log, series, name="w1", **SOON) as process:
        ids = dict(
            zip(wanted, add_to_bullmq(admin, QUEUE, [*wanted.values()], series), strict=True)
        )
        until(lambda: redis.zcard(f"bull:{QUEUE}:failed") == 2, "both have failed", log)
        hang = {"name": "hang", "data": {"user_id": 9}}
        (ids["killed"],) = add_to_bullmq(admin, QUEUE, [hang], series)
        until(lambda: "hanging" in log.read_text(), "a job that hangs", log)
        killed_at = time.time_ns()
        crash(process)
    lock = f"bull:{QUEUE}:{ids['killed']}:lock"
    until(lambda: not redis.exists(lock), "the lock to expire", log)
    orphaned = fetch(url, lock_duration_s=LOCK_MS / 1_000)
    log = folder / "second.log"
    with bullmq(admin, QUEUE, log, series, settled=1, maxStalledCount=0, **SOON):
        until(lambda: redis.zcard(f"bull:{QUEUE}:failed") == 3, "it is given up", log)
    until(lambda: not redis.exists(f"bull:{QUEUE}:stalled-check"), "the last check", log)
    major = 4 if series else 6
    return Scene(
        begun, killed_at, major, ids, orphaned, fetch(url, lock_duration_s=LOCK_MS / 1_000)
    )


def connector(url: str, **options: object) -> BullMQConnector:
    given = {"url": url, "queues": [QUEUE], **options}
    return BullMQConnector("jobs", BullMQOptions.model_validate(given), KeyRules())


def fetch(url: str, **options: object) -> Collected:
    return fetched(connector(url, **options), last_minutes())


def test_a_success_is_told_whole_by_the_stream(scene: Scene) -> None:
    added, started, finished = scene.events("succeeded")
    assert [e.kind for e in (added, started, finished)] == [
        Kind.JOB_ENQUEUED,
        Kind.JOB_STARTED,
        Kind.JOB_FINISHED,
    ]
    assert {e.clock for e in (added, started, finished)} == {""}, "Redis' own clock"
    assert scene.begun < added.timestamp < started.timestamp <= finished.timestamp
    assert added.body == "welcome_mail(user_id=1) added to mail"
    assert "user:1" in finished.keys


def test_a_job_removed_on_success_keeps_its_history_and_its_name(scene: Scene) -> None:
    kinds = [e.kind for e in scene.events("removed")]
    assert kinds == [Kind.JOB_ENQUEUED, Kind.JOB_STARTED, Kind.JOB_FINISHED]
    assert scene.events("removed")[-1].body.startswith("welcome_mail() finished")


def test_a_failure_with_back_off_is_retried_then_dead(scene: Scene) -> None:
    events = scene.events("retried")
    assert [e.kind for e in events] == [
        Kind.JOB_ENQUEUED,
        Kind.JOB_STARTED,
        Kind.JOB_RETRIED,
        Kind.JOB_ENQUEUED,
        Kind.JOB_STARTED,
        Kind.JOB_FAILED,
        Kind.JOB_DEAD,
    ]
    assert "notes no reason" in events[2].body
    assert "failed on mail: User 77 not found" in events[5].body
    attributes = told(events[0])
    assert attributes["failed_attempts_kept"] == 2
    assert str(attributes["last_stack"]).endswith("Error: User 77 not found")


def test_a_failure_without_back_off_waits_again_at_once(scene: Scene) -> None:
    (retried,) = scene.events("retried at once", Kind.JOB_RETRIED)
    at_once = "went back to waiting at once" if scene.major > 4 else "waits to be tried again"
    assert at_once in retried.body
    assert len(scene.events("retried at once", Kind.JOB_STARTED)) == 2


def test_a_scheduled_job_is_added_once_and_comes_due(scene: Scene) -> None:
    (added,) = scene.events("scheduled")
    assert added.kind is Kind.JOB_ENQUEUED
    assert "added to mail, delayed until" in added.body
    attributes = told(depth(scene.after, QUEUE))
    assert attributes["next_due"] == [
        {"job_id": scene.ids["scheduled"], "due_at": told(added)["due_at"]}
    ]
    assert sum(attributes["due_by_minute"].values()) == 1  # type: ignore[attr-defined]  # JSON


def test_a_killed_worker_leaves_an_active_job_without_a_lock(scene: Scene) -> None:
    killed = scene.ids["killed"]
    assert killed in remark(scene.orphaned, "orphaned")
    assert told(depth(scene.orphaned, QUEUE))["overdue"] == [killed]
    assert [e.kind for e in of(scene.orphaned, f"job:{killed}")] == [
        Kind.JOB_ENQUEUED,
        Kind.JOB_STARTED,
    ]


def test_a_stall_is_an_interval_that_holds_the_crash(scene: Scene) -> None:
    noticed = Kind.JOB_RETRIED if scene.major > 4 else Kind.JOB_FAILED
    (stalled,) = scene.events("killed", noticed)
    attributes = told(stalled)
    started, renewed = (
        iso_ns(attributes["started_at"]),
        iso_ns(attributes["lock_last_renewed_before"]),
    )
    assert started is not None
    assert renewed is not None
    assert started < scene.killed_at < stalled.timestamp
    assert renewed == stalled.timestamp - LOCK_MS * SECOND_NS // 1_000
    assert ("stalled: its lock had expired" in stalled.body) == (scene.major > 4)
    assert stalled.meaning is Meaning.OCCURRED, "the noticing, not the crash"
    (failed,) = scene.events("killed", Kind.JOB_FAILED)
    assert "job stalled more than allowable limit" in failed.body


def test_the_history_is_claimed_from_the_first_entry_on(redis: Redis, scene: Scene) -> None:
    coverage = CoverageMap(tuple(scene.after.coverage))
    assert not coverage.limits(["jobs"], scene.killed_at, scene.killed_at + 1)
    (forgotten,) = coverage.blind()
    assert forgotten.sight is Sight.NOW_ONLY
    first, *_ = redis.xrange(f"bull:{QUEUE}:events", count=1) or []
    milliseconds = first[0].decode().partition("-")[0] if isinstance(first[0], bytes) else ""
    assert forgotten.end == int(milliseconds) * 1_000_000


def test_without_its_stream_only_kept_jobs_are_told(redis: Redis, url: str, scene: Scene) -> None:
    events = redis.dump(f"bull:{QUEUE}:events")
    assert events is not None
    redis.delete(f"bull:{QUEUE}:events")
    try:
        collected = fetch(url)
    finally:
        redis.restore(f"bull:{QUEUE}:events", 0, events)
    assert Sight.FULL not in {entry.sight for entry in collected.coverage}
    kinds = [e.kind for e in of(collected, f"job:{scene.ids['succeeded']}")]
    assert kinds == [Kind.JOB_ENQUEUED, Kind.JOB_STARTED, Kind.JOB_FINISHED]
    assert of(collected, f"job:{scene.ids['removed']}") == []
    (failed,) = of(collected, f"job:{scene.ids['retried']}", Kind.JOB_FAILED)
    assert (failed.clock != "", "User 77 not found" in failed.body) == (True, True)


def test_only_reads_are_sent_and_nothing_changes(url: str, redis: Redis, scene: Scene) -> None:
    with only_reads(redis) as commands:
        fetch(url)
        checked(connector(url))
        looked_up(connector(url), ("job:1", "user:77", "job:x"), last_minutes())
    assert {"XRANGE", "HMGET", "HSTRLEN"} <= commands


def test_a_look_up_finds_removed_jobs_and_jobs_by_their_data(url: str, scene: Scene) -> None:
    year_ago = Window.around(time.time_ns() - 365 * 24 * 60 * MINUTE_NS)
    removed = f"job:{scene.ids['removed']}"
    collected = looked_up(connector(url), (removed, "user:77", "user:404"), year_ago)
    assert len(of(collected, removed)) == 3
    assert len(of(collected, "user:77")) == 7
    assert "user:404" in remark(collected, "not-found")


def test_check_states_version_counts_and_what_is_forgotten(url: str, scene: Scene) -> None:
    report = checked(connector(url, queues=[QUEUE, "nonesuch"]))
    assert report.system.startswith("BullMQ ")
    assert any(fact.startswith("queue mail: 1 delayed") for fact in report.facts)
    assert any("nonesuch (not there)" in fact for fact in report.facts)
    assert any("no list of them" in sentence for sentence in report.cannot_see)


def test_a_paused_queue_says_so(redis: Redis, redis_server: RunningServer, url: str) -> None:
    admin = numbered(redis_server.url, DATABASE)
    for series in ("", "-4"):
        queue = f"paused{series}"
        pause_bullmq(admin, queue, series)
        add_to_bullmq(admin, queue, [{"name": "welcome_mail", "data": {}}], series)
        found = depth(fetch(url, queues=[queue]), queue)
        assert "1 waiting, 0 running" in found.body
        assert found.body.endswith("the queue is paused")


def test_queues_that_are_not_there(url: str) -> None:
    with pytest.raises(NothingHere, match="nonesuch"):
        checked(connector(url, queues=["nonesuch"]))


def test_a_wrong_password_is_a_sentence(redis_server: RunningServer) -> None:
    with pytest.raises(AccessRefused, match="refused the password"):
        checked(connector(redis_server.url.replace("redis://:", "redis://:not-")))


def test_candidates_come_from_package_json_and_queue_files(tmp_path: Path) -> None:
    variables = {"REDIS_URL": "redis://:secret@host"}
    (anywhere,) = BullMQConnector.candidates(Place(variables, tmp_path, tmp_path))
    assert "queues" not in anywhere.options  # they are searched for
    (tmp_path / "package.json").write_text('{"dependencies": {"bullmq": "^5"}}')
    (tmp_path / "src").mkdir()
    (tmp_path / "src" / "queue.ts").write_text("export const q = new Queue<Mail>('mail', {});")
    (candidate,) = BullMQConnector.candidates(Place(variables, tmp_path, tmp_path))
    assert dict(candidate.options) == {"url": "${REDIS_URL}", "queues": ["mail"]}
