"""Celery's messages and results as anybody may have written them: bombs, damage, old, huge."""

from __future__ import annotations

import base64
import json
import time
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest
from redis import Redis

from connectors.celery import CeleryConnector, CeleryOptions
from connectors.celery.messages import message_from
from connectors.celery.options import CeleryOptions as Options
from connectors.celery.results import moments, read_results
from connectors.redis_reads import RedisReads
from tests.conformance.collecting import Collected, fetched, looked_up
from tests.conformance.redis_queue import reader_url
from tests.connectors import bombs
from tests.connectors.queue_answers import depth, last_minutes, of, remark, told
from tests.connectors.workers.starting import called, numbered
from tests.servers.process import RunningServer
from timeline.coverage import Sight
from timeline.event import Kind, Precision
from timeline.keys import KeyRules
from timeline.problems import BadAnswer
from timeline.window import SECOND_NS

DATABASE = 6


@pytest.fixture
def redis(redis_server: RunningServer) -> Iterator[Redis]:
    with Redis.from_url(numbered(redis_server.url, DATABASE)) as client:
        client.flushdb()
        yield client
        client.flushdb()


@pytest.fixture
def url(redis_server: RunningServer) -> str:
    return reader_url(redis_server, DATABASE)


def fetch(url: str, **options: object) -> Collected:
    chosen = CeleryOptions.model_validate({"url": url, **options})
    return fetched(CeleryConnector("jobs", chosen, KeyRules()), last_minutes())


def lookup(url: str, *keys: str) -> Collected:
    chosen = CeleryOptions.model_validate({"url": url})
    return looked_up(CeleryConnector("jobs", chosen, KeyRules()), keys, last_minutes())


def message(body: bytes, content_type: str, task_id: str = "", **headers: object) -> bytes:
    """An envelope as kombu 5.7 writes it, around a body of any kind."""
    task_id = task_id or str(uuid.uuid4())
    named = {"id": task_id, "task": "mailers.welcome_mail", "argsrepr": "(4711,)", **headers}
    envelope = {
        "body": base64.b64encode(body).decode(),
        "content-encoding": "binary",
        "content-type": content_type,
        "headers": {"lang": "py", "retries": 0, "kwargsrepr": "{'order_id': 12}", **named},
        "properties": {
            "correlation_id": task_id,
            "delivery_info": {"exchange": "", "routing_key": "celery"},
            "body_encoding": "base64",
        },
    }
    return json.dumps(envelope).encode()


@pytest.mark.servers
@pytest.mark.parametrize(
    ("content_type", "make", "words"),
    [
        ("application/x-python-serialize", bombs.pickled, "pickled"),
        ("application/x-yaml", bombs.yaml_text, "YAML"),
        ("application/json", bombs.pickled, "pickled"),
        ("", bombs.yaml_text, "YAML"),
    ],
)
def test_a_bomb_stays_closed(
    redis: Redis, url: str, tmp_path: Path, content_type: str, make: object, words: str
) -> None:
    assert callable(make)
    bombs.assert_armed(tmp_path)
    target = tmp_path / "went-off"
    body = make(target)
    waiting = message(body, content_type, "bomb-1")
    redis.lpush("celery", waiting)
    redis.hset("unacked", "tag", json.dumps([json.loads(waiting), "", "celery"]))
    redis.zadd("unacked_index", {"tag": time.time()})
    redis.set("celery-task-meta-bomb-1", body, ex=86_400)
    collected = fetch(url)
    lookup(url, "job:bomb-1", "order:12")
    assert not target.exists(), "something loaded it"
    for event in of(collected, "job:bomb-1"):
        assert told(event)["body"] == f"{words}, {len(body)} bytes, not opened"
        assert event.body.startswith("welcome_mail(4711, {'order_id': 12})")
        assert "order:12" in event.keys, "the envelope's own text is no secret"
    assert len(of(collected, "job:bomb-1")) == 2
    assert words in remark(collected, "opaque")


def test_a_compressed_body_is_not_unpacked() -> None:
    read = message_from(message(b"\x1f\x8b", "application/json", compression="application/x-gzip"))
    assert read is not None
    assert read.opaque == "compressed, 2 bytes, not opened"


@pytest.mark.parametrize(
    "content",
    [b"", b"{}", b"null", b"[" * 100_000, b'"text"', b"\xff\xfe", b'{"body": 1, "headers": 2}'],
)
def test_what_is_no_message_is_none(content: bytes) -> None:
    assert message_from(content) is None


@pytest.mark.parametrize(
    "changed",
    [
        {"body": 7},
        {"body": "not base64!"},
        {"headers": None},
        {"properties": []},
        {"headers": {"id": 5, "task": None, "retries": "many", "eta": "soon"}},
    ],
)
def test_a_half_written_message_costs_only_what_is_missing(changed: dict[str, object]) -> None:
    envelope = {**json.loads(message(b"[[1], {}, {}]", "application/json")), **changed}
    assert message_from(json.dumps(envelope).encode()) is not None


@pytest.mark.servers
def test_damage_is_counted_and_costs_nothing_else(redis: Redis, url: str) -> None:
    redis.lpush("celery", b"\xff\xfe", "{}", message(b"[[1], {}, {}]", "application/json", "good"))
    redis.zadd("unacked_index", {"gone": time.time(), "bad": time.time()})
    redis.hset("unacked", "bad", "[1, 2]")
    redis.hset("unacked", "huge", json.dumps(["x" * 100_000, "", ""]))
    redis.zadd("unacked_index", {"huge": time.time() * 1_000})
    redis.set("celery-task-meta-good", '{"status": "SUC')
    collected = fetch(url)
    assert [e.kind for e in of(collected, "job:good")] == [Kind.JOB_ENQUEUED]
    assert remark(collected, "damaged").startswith("4 elements")


@pytest.mark.servers
def test_a_million_waiting_tasks_are_counted_and_two_ends_read(redis: Redis, url: str) -> None:
    body = message(b"[[1], {}, {}]", "application/json", "first")
    redis.lpush("celery", body)
    redis.eval("for i = 1, 999999 do redis.call('LPUSH', KEYS[1], '{}') end", 1, "celery")
    before = time.monotonic()
    collected = fetch(url)
    assert time.monotonic() - before < 5
    assert told(depth(collected, "celery"))["depth"] == 1_000_000
    assert "1000000 tasks wait" in remark(collected, "cut")
    assert len(of(collected, "job:first")) == 1, "the one that runs next"
    assert sum(batch.bytes_read for batch in collected.batches) < 100_000
    assert Sight.FULL not in {entry.sight for entry in collected.coverage}


@pytest.mark.servers
def test_a_list_of_heavy_messages_is_measured_first(redis: Redis, url: str) -> None:
    heavy = message(b"[" + b"1" * 6_000_000 + b"]", "application/json")
    redis.lpush("celery", heavy, heavy)
    collected = fetch(url)
    assert told(depth(collected, "celery"))["depth"] == 2
    assert sum(batch.bytes_read for batch in collected.batches) < 100_000
    assert "2 tasks wait" in remark(collected, "cut")


@pytest.mark.servers
def test_protocol_1_of_older_versions_is_read(
    redis: Redis, url: str, redis_server: RunningServer
) -> None:
    admin = numbered(redis_server.url, DATABASE)
    called(admin, "celery_app", "welcome_mail.delay(user_id=3)", TASK_PROTOCOL="1")
    (waiting,) = of(fetch(url), "user:3")
    assert waiting.body.startswith("welcome_mail(user_id=3) waits")


@pytest.mark.servers
def test_bound_queues_and_other_prefixes_are_found(redis: Redis, url: str) -> None:
    redis.sadd("shop._kombu.binding.celery", "mail\x06\x16\x06\x16mail")
    redis.lpush("shop.mail", message(b"[[], {}, {}]", "application/json"))
    redis.lpush("shop.reports\x06\x169", message(b"[[], {}, {}]", "application/json"))
    collected = fetch(url, key_prefix="shop.", queues=["reports"])
    assert told(depth(collected, "mail"))["depth"] == 1
    assert told(depth(collected, "reports"))["depth"] == 1


@pytest.mark.servers
@pytest.mark.parametrize("status", ["FAILURE", "REVOKED", "STARTED"])
def test_results_of_other_states(redis: Redis, url: str, status: str) -> None:
    meta = {
        "status": status,
        "result": {"exc_type": "LookupError", "exc_message": ["User 4711"], "hostname": "w@b"},
        "traceback": None,
        "name": "mailers.look_up",
        "date_done": None if status == "STARTED" else "2026-11-20T02:07:00.5",
    }
    redis.set("celery-task-meta-x", json.dumps(meta), ex=86_400)
    (event,) = lookup(url, "job:x").events
    kinds = {
        "FAILURE": Kind.JOB_FAILED,
        "REVOKED": Kind.JOB_DEAD,
        "STARTED": Kind.JOB_STARTED,
    }
    assert event.kind is kinds[status]
    assert event.body.startswith("look_up() ")
    assert "LookupError: User 4711" in event.body


@pytest.mark.servers
def test_results_that_expire_otherwise_are_said(redis: Redis, url: str) -> None:
    redis.lpush("celery", message(b"[[], {}, {}]", "application/json", "t"))
    done = time.strftime("%Y-%m-%dT%H:%M:%S+00:00", time.gmtime())
    redis.set("celery-task-meta-t", json.dumps({"status": "SUCCESS", "date_done": done}), ex=3_600)
    assert "result_expires_s" in remark(fetch(url), "result-expires")
    assert fetch(url, result_expires_s=3_600).remarks == []


@pytest.mark.servers
async def test_without_pexpiretime_the_second_is_all_that_is_known(
    redis: Redis, redis_server: RunningServer
) -> None:
    password = "older"
    redis.acl_setuser(
        "older",
        enabled=True,
        passwords=[f"+{password}"],
        commands=["+@all", "-pexpiretime"],
        keys=["*"],
    )
    redis.set("celery-task-meta-x", json.dumps({"status": "STARTED"}), ex=86_400)
    place = numbered(redis_server.url, DATABASE).rpartition("@")[2]
    options = Options.model_validate({"url": f"redis://older:{password}@{place}"})
    reads = RedisReads(options.address())
    try:
        found = await read_results(reads, options, ["x"], time.time_ns())
    finally:
        await reads.close()
        redis.acl_deluser("older")
    (started,) = moments(found["x"], options)
    assert started.precision is Precision.SECOND
    assert abs(started.timestamp - time.time_ns()) < 3 * SECOND_NS


@pytest.mark.servers
def test_a_key_of_another_kind_is_our_error(redis: Redis, url: str) -> None:
    redis.set("unacked_index", "text")
    with pytest.raises(BadAnswer, match="not what the queue library"):
        fetch(url)
