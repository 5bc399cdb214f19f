"""What a real Celery leaves behind on Redis: success, retry, crashes, an eta, a redelivery."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from redis import Redis

from connectors.celery import CeleryConnector, CeleryOptions
from connectors.discovery import Place
from connectors.queues.payload import iso_ns
from tests.conformance.collecting import Collected, fetched, looked_up
from tests.conformance.redis_queue import reader_url
from tests.connectors.queue_answers import (
    checked,
    counts,
    depth,
    last_minutes,
    next_due,
    of,
    overdue,
    remark,
    told,
)
from tests.connectors.workers.redis_watch import only_reads
from tests.connectors.workers.running import until
from tests.connectors.workers.starting import called, celery, crash, numbered
from tests.servers.process import RunningServer
from timeline.coverage import Sight
from timeline.event import Kind, Meaning, Precision
from timeline.keys import KeyRules
from timeline.problems import AccessRefused, NothingHere
from timeline.window import SECOND_NS

DATABASE = 13


@dataclass(frozen=True)
class Scene:
    """Ids of real tasks by what became of them, and the instants around (ns UTC)."""

    begun: int
    ended: int
    ids: dict[str, str]

    def key(self, which: str) -> str:
        return f"job:{self.ids[which]}"


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


@pytest.fixture(scope="module")
def scene(
    redis: Redis, redis_server: RunningServer, tmp_path_factory: pytest.TempPathFactory
) -> Scene:
    """One worker does its tasks and dies in an acknowledged one; another dies in a late one."""
    admin, folder = numbered(redis_server.url, DATABASE), tmp_path_factory.mktemp("celery")
    begun, ids = time.time_ns(), {}

    def sent(which: str, call: str) -> None:
        ids[which] = called(admin, "celery_app", f"print({call}.id)").split()[-1]

    log = folder / "first.log"
    with celery(admin, log, "prefork") as process:
        sent("succeeded", "welcome_mail.delay(user_id=1)")
        sent("retried", "look_up.delay(user_id=77)")
        sent("scheduled", "welcome_mail.apply_async((5,), countdown=900)")
        until(lambda: redis.exists(f"celery-task-meta-{ids['succeeded']}"), "success", log)
        until(lambda: redis.zcard("unacked_index") == 2, "retry and eta held", log)
        sent("lost", "hang.delay(user_id=8)")
        until(lambda: "hanging" in log.read_text(), "a task that hangs", log)
        until(lambda: redis.zcard("unacked_index") == 2, "its acknowledgement", log)
        crash(process)
    log = folder / "second.log"
    with celery(admin, log, TRACK_STARTED="1") as process:
        sent("killed", "hang_acknowledged_late.delay(user_id=9)")
        until(lambda: "hanging" in log.read_text(), "a task that hangs", log)
        crash(process)
    sent("waiting", "welcome_mail.apply_async((10,), priority=6)")
    return Scene(begun, time.time_ns(), ids)


def connector(url: str, **options: object) -> CeleryConnector:
    given = {"url": url, "arguments": {"welcome_mail": ["user_id"]}, **options}
    return CeleryConnector("jobs", CeleryOptions.model_validate(given), KeyRules())


def fetch(url: str, **options: object) -> Collected:
    return fetched(connector(url, **options), last_minutes())


@pytest.mark.servers
def test_a_success_is_visible_by_its_id_alone(url: str, scene: Scene) -> None:
    key = scene.key("succeeded")
    collected = fetch(url)
    assert of(collected, key) == []
    (coverage,) = collected.coverage
    assert coverage.sight is Sight.NOW_ONLY
    assert "no list of the tasks that ran" in coverage.reason
    (found,) = looked_up(connector(url), (key,), last_minutes()).events
    assert (found.kind, found.meaning) == (Kind.JOB_FINISHED, Meaning.OCCURRED)
    assert scene.begun < found.timestamp < scene.ended
    assert found.body == f"task {scene.ids['succeeded']} succeeded", "its name is not in a result"


@pytest.mark.servers
def test_a_result_was_stored_when_its_expiry_says(url: str, scene: Scene) -> None:
    (found,) = looked_up(connector(url), (scene.key("succeeded"),), last_minutes()).events
    stored = iso_ns(told(found)["stored_at"])
    assert stored is not None
    assert abs(stored - found.timestamp) < SECOND_NS


@pytest.mark.servers
def test_a_retry_is_derived_and_comes_due(url: str, scene: Scene) -> None:
    collected = fetch(url)
    (retried,) = of(collected, scene.key("retried"), Kind.JOB_RETRIED)
    (delivered,) = of(collected, scene.key("retried"), Kind.LOG)
    assert retried.meaning is Meaning.DERIVED
    assert retried.clock == "", "the time follows from Redis' own clock"
    assert "time derived" in retried.body
    assert "User 77 not found" in retried.body
    assert abs(retried.timestamp - delivered.timestamp) < SECOND_NS
    assert told(delivered)["attempt"] == 2
    assert "user:77" in retried.keys
    due = next_due(depth(collected, "celery"))
    assert due[scene.ids["retried"]] < due[scene.ids["scheduled"]]


@pytest.mark.servers
def test_a_scheduled_task_is_held_until_its_eta(url: str, scene: Scene) -> None:
    (held,) = of(fetch(url), scene.key("scheduled"))
    assert held.body.startswith("welcome_mail(5) was delivered to a worker, which holds it until")
    assert "user:5" in held.keys


@pytest.mark.servers
def test_a_task_acknowledged_early_dies_without_a_trace(url: str, scene: Scene) -> None:
    key = scene.key("lost")
    assert of(fetch(url), key) == []
    collected = looked_up(connector(url), (key,), last_minutes())
    assert collected.events == []
    assert "neither a result nor a message" in remark(collected, "not-found")


@pytest.mark.servers
def test_a_task_acknowledged_late_is_still_held_by_the_dead(url: str, scene: Scene) -> None:
    started, delivered = sorted(
        of(fetch(url), scene.key("killed")), key=lambda e: e.kind is Kind.LOG
    )
    assert (started.kind, started.meaning) == (Kind.JOB_STARTED, Meaning.DERIVED)
    assert started.precision is Precision.MILLISECOND
    assert abs(started.timestamp - delivered.timestamp) < SECOND_NS
    assert "has not acknowledged it" in delivered.body
    time.sleep(max(0.0, 1.1 - (time.time_ns() - delivered.timestamp) / SECOND_NS))
    late = fetch(url, visibility_timeout_s=1)
    assert scene.ids["killed"] in remark(late, "orphaned")
    assert "may run twice" in remark(late, "orphaned")
    assert scene.ids["killed"] in overdue(depth(late, "celery"))


@pytest.mark.servers
def test_an_eta_beyond_the_visibility_timeout_runs_twice(url: str, scene: Scene) -> None:
    assert not [r for r in fetch(url).remarks if r.topic == "runs-twice"]
    warned = remark(fetch(url, visibility_timeout_s=700), "runs-twice")
    assert scene.ids["scheduled"] in warned
    assert scene.ids["retried"] not in warned


@pytest.mark.servers
def test_a_waiting_task_is_seen_now_and_not_dated(url: str, scene: Scene) -> None:
    collected = fetch(url)
    (waiting,) = of(collected, scene.key("waiting"))
    assert (waiting.kind, waiting.meaning) == (Kind.JOB_ENQUEUED, Meaning.POLLED)
    assert told(waiting)["now"] is True
    assert "when it was sent is not kept" in waiting.body
    waits = depth(collected, "celery")
    assert told(waits)["depth"] == 1
    assert "celery␆␖6" in counts(waits), "the list of its priority"


@pytest.mark.servers
def test_only_reads_are_sent_and_nothing_changes(url: str, redis: Redis, scene: Scene) -> None:
    with only_reads(redis) as commands:
        fetch(url)
        checked(connector(url))
        looked_up(connector(url), (scene.key("killed"), "user:9", "job:x"), last_minutes())
    assert {"ZRANGE", "HGET", "PEXPIRETIME", "GETRANGE"} <= commands


@pytest.mark.servers
def test_check_says_what_celery_forgets(url: str, scene: Scene) -> None:
    report = checked(connector(url))
    assert report.system.startswith("Celery on Redis ")
    assert "queue celery: 1 waiting" in report.facts
    assert any("no such stamp" in sentence for sentence in report.cannot_see)
    assert report.clock is not None


@pytest.mark.servers
def test_a_redelivered_task_says_so(
    redis: Redis, redis_server: RunningServer, url: str, scene: Scene, tmp_path: Path
) -> None:
    admin, log = numbered(redis_server.url, DATABASE + 1), tmp_path / "again.log"
    with Redis.from_url(admin) as other:
        other.flushdb()
        for attempt in (1, 2):
            with celery(admin, log, REDELIVER_SOON="1") as process:
                if attempt == 1:
                    called(admin, "celery_app", "hang_acknowledged_late.delay(user_id=9)")
                until(lambda: log.read_text().count("hanging") == attempt, "it hangs", log)  # noqa: B023  # waited for at once
                crash(process)
        collected = fetch(numbered(url, DATABASE + 1))
        (delivered,) = of(collected, "user:9", Kind.LOG)
        assert "was delivered to a worker again" in delivered.body
        assert told(delivered)["redelivered"] is True
        other.flushdb()


@pytest.mark.servers
def test_a_prefix_without_keys_holds_nothing(url: str, scene: Scene) -> None:
    with pytest.raises(NothingHere) as caught:
        checked(connector(url, key_prefix="nobody."))
    assert "key_prefix" in caught.value.remedy


@pytest.mark.servers
def test_a_wrong_password_is_a_sentence(redis_server: RunningServer) -> None:
    with pytest.raises(AccessRefused, match="refused the password"):
        checked(connector(redis_server.url.replace("redis://:", "redis://:not-")))


def test_candidates_name_variables_and_never_their_values() -> None:
    variables = {
        "CELERY_BROKER_URL": "redis://:secret@host/1",
        "BROKER_URL": "amqp://guest@host//",
        "CELERY_RESULT_BACKEND": "redis://:secret@host/2",
    }
    (candidate,) = CeleryConnector.candidates(Place(variables, Path("/nowhere"), Path("/nowhere")))
    assert dict(candidate.options) == {
        "url": "${CELERY_BROKER_URL}",
        "result_url": "${CELERY_RESULT_BACKEND}",
    }
    assert "secret" not in repr(candidate)
