"""What a real dramatiq leaves on Redis: success, retry, death, a killed worker, a delay."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from redis import Redis

from connectors.discovery import Place
from connectors.dramatiq import DramatiqConnector, DramatiqOptions
from tests.conformance.collecting import Collected, fetched, looked_up
from tests.conformance.redis_queue import reader_url
from tests.connectors import bombs
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
from tests.connectors.workers.starting import called, crash, dramatiq, numbered
from tests.servers.process import RunningServer
from timeline.coverage import Sight
from timeline.event import Kind, Meaning
from timeline.keys import KeyRules
from timeline.problems import AccessRefused, BadAnswer, NothingHere
from timeline.window import SECOND_NS

pytestmark = pytest.mark.servers

DATABASE = 2
DAMAGED = 15
KEY = "dramatiq:default"
ARGUMENTS = {"welcome_mail": ["user_id"]}


@dataclass(frozen=True)
class Scene:
    """Ids of real messages by what became of them, and the instants around (ns UTC)."""

    begun: int
    killed_at: int
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
    """One worker does its messages, gives one up, holds two that are not due, and is killed."""
    admin = numbered(redis_server.url, DATABASE)
    log = tmp_path_factory.mktemp("dramatiq") / "worker.log"
    begun, ids = time.time_ns(), {}

    def sent(which: str, call: str) -> None:
        ids[which] = called(admin, "dramatiq_app", f"print({call}.message_id)").split()[-1]

    with dramatiq(admin, log) as process:
        sent("succeeded", "welcome_mail.send(1)")
        sent("retried", "look_up.send(user_id=77)")
        sent("given up", "give_up.send(user_id=78)")
        sent("scheduled", "welcome_mail.send_with_options(args=(5,), delay=600_000)")
        until(lambda: "mail to 1" in log.read_text(), "a success", log)
        until(lambda: redis.zcard(f"{KEY}.XQ") == 1, "a dead message", log)
        until(lambda: redis.hlen(f"{KEY}.DQ.msgs") == 2, "two delayed", log)
        until(lambda: redis.llen(f"{KEY}.DQ") == 0, "the worker holds both", log)
        until(lambda: redis.hlen(f"{KEY}.msgs") == 0, "the rest is acknowledged", log)
        sent("killed", "hang.send(user_id=9)")
        until(lambda: "hanging" in log.read_text(), "a message that hangs", log)
        killed_at = time.time_ns()
        crash(process)
    sent("waiting", "welcome_mail.send(10)")
    time.sleep(1.1)  # so that a heartbeat timeout of a second has passed
    return Scene(begun, killed_at, ids)


def connector(url: str, **options: object) -> DramatiqConnector:
    given = {"url": url, "arguments": ARGUMENTS, **options}
    return DramatiqConnector("jobs", DramatiqOptions.model_validate(given), KeyRules())


def fetch(url: str, **options: object) -> Collected:
    return fetched(connector(url, **options), last_minutes())


def test_a_success_leaves_nothing(url: str, scene: Scene) -> None:
    collected = fetch(url)
    assert of(collected, scene.key("succeeded")) == []
    (coverage,) = collected.coverage
    assert coverage.sight is Sight.NOW_ONLY
    assert "deletes a message as it succeeds" in coverage.reason
    searched = looked_up(connector(url), (scene.key("succeeded"),), last_minutes())
    assert searched.events == []
    assert scene.key("succeeded") in remark(searched, "not-found")


def test_a_retry_tells_its_failure_and_when_it_comes_due(url: str, scene: Scene) -> None:
    collected = fetch(url)
    sent, failed = of(collected, scene.key("retried"))
    assert (sent.kind, sent.meaning) == (Kind.JOB_ENQUEUED, Meaning.SENT)
    assert (failed.kind, failed.meaning) == (Kind.JOB_RETRIED, Meaning.OCCURRED)
    assert scene.begun - SECOND_NS < sent.timestamp <= failed.timestamp < scene.killed_at
    assert "failed on default (failure 1)" in failed.body
    assert "LookupError: User 77 not found" in failed.body
    assert (told(failed)["attempt"], told(failed)["status"]) == (2, "delayed")
    now = depth(collected, "default")
    assert set(next_due(now)) == {scene.ids["retried"], scene.ids["scheduled"]}
    assert counts(now)["delayed"] == 2


def test_a_message_given_up_lies_with_the_dead(url: str, scene: Scene) -> None:
    sent, dead = of(fetch(url), scene.key("given up"))
    assert (sent.kind, dead.kind) == (Kind.JOB_ENQUEUED, Kind.JOB_DEAD)
    assert "its last error is not kept" in dead.body
    assert scene.begun < dead.timestamp < scene.killed_at


def test_a_scheduled_message_is_delayed_until_its_time(url: str, scene: Scene) -> None:
    (sent,) = of(fetch(url), scene.key("scheduled"))
    assert "welcome_mail(5) enqueued on default, delayed until" in sent.body
    assert "user:5" in sent.keys


def test_a_killed_worker_is_lost_after_its_last_heartbeat(url: str, scene: Scene) -> None:
    assert not [r for r in fetch(url).remarks if r.topic == "orphaned"], "within a minute: unknown"
    collected = fetch(url, heartbeat_timeout_s=1)
    (lost,) = [e for e in collected.events if e.kind is Kind.CHANGE and "heartbeat" in e.body]
    assert scene.begun < lost.timestamp < scene.killed_at + SECOND_NS
    assert lost.body.endswith("still holds 3 messages: lost at some time after it")
    assert scene.key("killed") in lost.keys
    assert "gave no heartbeat since" in remark(collected, "orphaned")
    assert overdue(depth(collected, "default")) == [scene.ids["killed"]]
    assert [e.kind for e in of(collected, "user:9")] == [Kind.JOB_ENQUEUED], "no start is noted"


def test_a_waiting_message_is_dated_by_its_sender(url: str, scene: Scene) -> None:
    collected = fetch(url)
    (waiting,) = of(collected, scene.key("waiting"))
    assert (waiting.meaning, waiting.clock) == (Meaning.SENT, "client?")
    assert told(waiting)["status"] == "waiting"
    attributes = told(depth(collected, "default"))
    assert (attributes["depth"], attributes["running"]) == (1, 1)
    assert str(attributes["oldest_waits_since"]) > "2"


def test_only_reads_are_sent_and_nothing_changes(url: str, redis: Redis, scene: Scene) -> None:
    with only_reads(redis) as commands:
        fetch(url)
        checked(connector(url))
        looked_up(connector(url), (scene.key("killed"), "user:77", "job:x"), last_minutes())
    assert {"ZRANGE", "SSCAN", "HGET", "HSTRLEN"} <= commands


def test_check_says_what_dramatiq_forgets(url: str, scene: Scene) -> None:
    report = checked(connector(url))
    assert report.system.startswith("Dramatiq on Redis ")
    assert "queue default: 1 waiting, 2 delayed, 1 dead, 1 held" in report.facts
    assert any("no such stamp" in sentence for sentence in report.cannot_see)


def test_a_namespace_without_keys_holds_nothing(url: str, scene: Scene) -> None:
    with pytest.raises(NothingHere) as caught:
        checked(connector(url, namespace="nobody"))
    assert "namespace" in caught.value.remedy


def test_a_wrong_password_is_a_sentence(redis_server: RunningServer) -> None:
    with pytest.raises(AccessRefused, match="refused the password"):
        checked(connector(redis_server.url.replace("redis://:", "redis://:not-")))


def test_candidates_name_the_variables() -> None:
    variables = {"DRAMATIQ_BROKER_URL": "rediss://:secret@host", "REDIS_URL": "redis://host"}
    found = DramatiqConnector.candidates(Place(variables, Path("/nowhere"), Path("/nowhere")))
    assert [candidate.options["url"] for candidate in found] == [
        "${DRAMATIQ_BROKER_URL}",
        "${REDIS_URL}",
    ]


@pytest.fixture
def damaged(redis_server: RunningServer) -> Iterator[Redis]:
    with Redis.from_url(numbered(redis_server.url, DAMAGED)) as client:
        client.flushdb()
        yield client
        client.flushdb()


@pytest.mark.parametrize(("make", "words"), [(bombs.pickled, "pickled"), (bombs.yaml_text, "YAML")])
def test_a_bomb_stays_closed(
    damaged: Redis, url: str, tmp_path: Path, make: object, words: str
) -> None:
    assert callable(make)
    bombs.assert_armed(tmp_path)
    target = tmp_path / "went-off"
    body = make(target)
    damaged.rpush(KEY, "b")
    damaged.hset(f"{KEY}.msgs", "b", body)
    damaged.hset(f"{KEY}.XQ.msgs", "d", body)
    damaged.zadd(f"{KEY}.XQ", {"d": time.time() * 1_000})
    collected = fetch(numbered(url, DAMAGED))
    looked_up(connector(numbered(url, DAMAGED)), ("job:b", "user:1"), last_minutes())
    assert not target.exists(), "something loaded it"
    (waiting,) = of(collected, "job:b")
    assert (waiting.kind, waiting.meaning) == (Kind.JOB_ENQUEUED, Meaning.POLLED)
    assert told(waiting)["body"] == f"{words}, {len(body)} bytes, not opened"
    assert Kind.JOB_DEAD in {e.kind for e in of(collected, "job:d")}
    assert "2 bodies were not opened" in remark(collected, "opaque")


def test_half_written_messages_cost_only_themselves(damaged: Redis, url: str) -> None:
    now = int(time.time() * 1_000) - 100
    good = {"message_id": "good", "message_timestamp": now, "actor_name": "x", "args": [1]}
    for name, fields in {
        "good": good,
        "seconds": {**good, "message_id": "seconds", "message_timestamp": now * 1_000_000},
        "odd": {"message_id": "odd", "message_timestamp": now, "args": 7, "options": "none"},
        "huge": {**good, "message_id": "huge", "args": ["x" * 1_000_000]},
    }.items():
        damaged.rpush(KEY, name)
        damaged.hset(f"{KEY}.msgs", name, json.dumps(fields))
    damaged.rpush(KEY, "no-message")
    damaged.zadd("dramatiq:__heartbeats__", {b"w": 0, b"\xff": now})
    collected = fetch(numbered(url, DAMAGED))
    assert of(collected, "job:good")[0].timestamp == now * 1_000_000
    assert of(collected, "job:odd")[0].timestamp == now * 1_000_000
    assert of(collected, "job:seconds")[0].meaning is Meaning.POLLED, "no instant it could be"
    assert "too large to fetch" in of(collected, "job:huge")[0].body
    assert of(collected, "job:no-message") == []
    assert sum(batch.bytes_read for batch in collected.batches) < 100_000


def test_a_million_waiting_messages_are_counted(damaged: Redis, url: str) -> None:
    damaged.eval("for i = 1, 1000000 do redis.call('RPUSH', KEYS[1], i) end", 1, KEY)
    before = time.monotonic()
    collected = fetch(numbered(url, DAMAGED))
    assert time.monotonic() - before < 5
    assert told(depth(collected, "default"))["depth"] == 1_000_000
    assert "1000000 messages wait" in remark(collected, "cut")
    assert sum(batch.bytes_read for batch in collected.batches) < 100_000


def test_more_dead_messages_than_may_be_read_are_said(damaged: Redis, url: str) -> None:
    now = int(time.time() * 1_000) - 1_000
    for n in range(20):
        fields = {"message_id": f"d{n}", "message_timestamp": now}
        damaged.hset(f"{KEY}.XQ.msgs", f"d{n}", json.dumps(fields))
        damaged.zadd(f"{KEY}.XQ", {f"d{n}": now})
    for page in (1, 3, 500):
        found = fetch(numbered(url, DAMAGED), page_jobs=page)
        assert len([e for e in found.events if e.kind is Kind.JOB_DEAD]) == 20
    cut = fetch(numbered(url, DAMAGED), max_jobs=5)
    assert "more than 5 dead messages" in remark(cut, "cut")
    assert Sight.FULL not in {entry.sight for entry in cut.coverage}


def test_another_namespace_and_queue(damaged: Redis, url: str) -> None:
    now = int(time.time() * 1_000) - 100
    damaged.rpush("shop:mail", "1")
    damaged.hset("shop:mail.msgs", "1", json.dumps({"message_id": "m", "message_timestamp": now}))
    found = fetch(numbered(url, DAMAGED), namespace="shop", queues=["mail"])
    assert len(of(found, "job:m")) == 1


def test_a_key_of_another_kind_is_our_error(damaged: Redis, url: str) -> None:
    damaged.set(KEY, "text")
    with pytest.raises(BadAnswer, match="not what the queue library"):
        fetch(numbered(url, DAMAGED))
