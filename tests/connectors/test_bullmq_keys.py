"""BullMQ's keys as anybody may have written them: bombs, damage, old fields, huge, long streams."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from redis import Redis

from connectors.bullmq import BullMQConnector, BullMQOptions
from tests.conformance.collecting import Collected, fetched, looked_up
from tests.conformance.redis_queue import reader_url
from tests.connectors import bombs
from tests.connectors.queue_answers import depth, last_minutes, of, remark, told
from tests.connectors.workers.starting import numbered
from tests.servers.process import RunningServer
from timeline.coverage import Sight
from timeline.event import Kind, Precision
from timeline.keys import KeyRules
from timeline.problems import BadAnswer
from timeline.window import MINUTE_NS, SECOND_NS, Budget, Window

pytestmark = pytest.mark.servers

DATABASE = 1
KEY = "bull:mail:"


@pytest.fixture
def redis(redis_server: RunningServer) -> Iterator[Redis]:
    with Redis.from_url(numbered(redis_server.url, DATABASE)) as client:
        client.flushdb()
        yield client
        client.flushdb()


@pytest.fixture
def url(redis_server: RunningServer) -> str:
    return reader_url(redis_server, DATABASE)


def connector(url: str, **options: object) -> BullMQConnector:
    given = {"url": url, "queues": ["mail"], **options}
    return BullMQConnector("jobs", BullMQOptions.model_validate(given), KeyRules())


def fetch(url: str, **options: object) -> Collected:
    return fetched(connector(url, **options), last_minutes())


def now_ms() -> int:
    return time.time_ns() // 1_000_000 - 100


def kept(redis: Redis, job: str, **fields: str | bytes | int) -> None:
    """A completed job with some of its fields."""
    known: dict[str, str | bytes | int] = {"name": "welcome_mail"}
    known |= {"timestamp": now_ms(), "finishedOn": now_ms(), **fields}
    for name, value in known.items():
        redis.hset(KEY + job, name, value)
    redis.zadd(f"{KEY}completed", {job: now_ms()})


@pytest.mark.parametrize(("make", "words"), [(bombs.pickled, "pickled"), (bombs.yaml_text, "YAML")])
def test_a_bomb_stays_closed(
    redis: Redis, url: str, tmp_path: Path, make: object, words: str
) -> None:
    assert callable(make)
    bombs.assert_armed(tmp_path)
    target = tmp_path / "went-off"
    body = make(target)
    kept(redis, "b", data=body, opts=body, stacktrace=body, failedReason=body)
    events = of(fetch(url), "job:b")
    looked_up(connector(url), ("job:b", "user:1"), last_minutes())
    assert not target.exists(), "something loaded it"
    assert told(events[0])["args"] == f"{words}, {len(body)} bytes, not opened"


def test_large_values_are_measured_and_left(redis: Redis, url: str) -> None:
    data = json.dumps({"user_id": 1, "text": "x" * 3_000_000})
    kept(redis, "1", data=data)
    collected = fetch(url)
    (added, *_) = of(collected, "job:1")
    assert "too large to fetch" in str(told(added)["args"])
    assert told(added)["left_unread"] == {"data": len(data)}
    assert sum(batch.bytes_read for batch in collected.batches) < 100_000


def test_half_written_jobs_and_entries_cost_only_themselves(redis: Redis, url: str) -> None:
    kept(redis, "good", data='{"user_id": 7}')
    redis.hset(f"{KEY}bare", "name", "x")
    redis.hset(
        f"{KEY}odd", mapping={"timestamp": "soon", "opts": "[", "stacktrace": "{", "atm": "?"}
    )
    redis.hset(f"{KEY}seconds", mapping={"finishedOn": str(now_ms() * 1_000_000)})
    redis.zadd(f"{KEY}completed", {"bare": now_ms(), "odd": now_ms(), "seconds": now_ms()})
    redis.zadd(f"{KEY}completed", {b"no-hash": now_ms(), b"\xff\xfe": now_ms()})
    redis.zadd(f"{KEY}delayed", {"never": 1e18})
    redis.xadd(f"{KEY}events", {"event": "active"})
    redis.xadd(f"{KEY}events", {"nothing": "known"})
    redis.xadd(f"{KEY}events", {"event": "completed", "jobId": "7 \x1b[31mgone"})
    collected = fetch(url)
    assert {e.kind for e in of(collected, "user:7")} == {Kind.JOB_ENQUEUED, Kind.JOB_FINISHED}
    for job in ("bare", "odd", "seconds", "no-hash"):
        assert of(collected, f"job:{job}") == []
    (hostile,) = of(collected, "job:7 ␛[31mgone")
    assert hostile.kind is Kind.JOB_FINISHED


def test_fields_of_older_versions(redis: Redis, url: str) -> None:
    kept(redis, "1", data='{"user_id": 7}', attemptsMade=2, opts='{"attempts": 3}')
    attributes = told(of(fetch(url), "job:1")[0])
    assert (attributes["attempt"], attributes["retries_left"]) == (2, 1)


def test_a_million_waiting_jobs_are_counted(redis: Redis, url: str) -> None:
    redis.eval("for i = 1, 1000000 do redis.call('LPUSH', KEYS[1], i) end", 1, f"{KEY}wait")
    before = time.monotonic()
    collected = fetch(url)
    assert time.monotonic() - before < 5
    assert told(depth(collected, "mail"))["depth"] == 1_000_000
    assert sum(batch.bytes_read for batch in collected.batches) < 100_000
    assert Sight.FULL not in {entry.sight for entry in collected.coverage}


def test_of_a_stream_too_long_to_be_read_whole_the_window_is(redis: Redis, url: str) -> None:
    start = now_ms() - 600_000
    for n in range(300):
        redis.xadd(f"{KEY}events", {"event": "added", "jobId": n, "name": "x"}, id=f"{start + n}-0")
    for n in range(40):
        redis.xadd(f"{KEY}events", {"event": "active", "jobId": n}, id=f"{now_ms()}-{n + 1}")
    collected = fetch(url, whole_stream=100, page_jobs=7)
    assert len([e for e in collected.events if e.kind is Kind.JOB_STARTED]) == 40
    assert not [e for e in collected.events if e.kind is Kind.JOB_ENQUEUED]
    assert not [r for r in collected.remarks if r.topic == "cut"]
    cut = fetch(url, whole_stream=20, page_jobs=7)
    assert len([e for e in cut.events if e.kind is Kind.JOB_STARTED]) == 20
    assert "more events than 20" in remark(cut, "cut")
    assert Sight.FULL not in {entry.sight for entry in cut.coverage}


def test_a_job_hash_is_told_where_the_stream_does_not_reach(redis: Redis, url: str) -> None:
    kept(redis, "old", data='{"user_id": 7}', processedOn=now_ms() - 5_000)
    redis.xadd(f"{KEY}events", {"event": "completed", "jobId": "old", "prev": "active"})
    events = of(fetch(url), "job:old")
    assert [e.ref.rpartition(":")[2].partition("@")[0] for e in events] == [
        "old#processedOn",
        "old#timestamp",
        "events",
    ]


def test_minutes_that_workers_counted(redis: Redis, url: str) -> None:
    minute = now_ms() // 60_000
    redis.hset(f"{KEY}metrics:completed", mapping={"prevTS": minute * 60_000 + 5, "count": 9})
    redis.rpush(f"{KEY}metrics:completed:data", 5, 0, 3)
    now = time.time_ns()
    collected = fetched(connector(url), Window(now - SECOND_NS, now - 10 * MINUTE_NS, now))
    counted = [e for e in collected.events if "metrics" in e.ref]
    assert [(e.timestamp, e.body) for e in counted] == [
        ((minute - 1) * MINUTE_NS, "mail: 5 completed in this minute"),
        ((minute - 3) * MINUTE_NS, "mail: 3 completed in this minute"),
    ]
    assert {e.precision for e in counted} == {Precision.MINUTE}


def test_no_time_left_is_said(redis: Redis, url: str) -> None:
    kept(redis, "1")
    collected = fetched(connector(url), last_minutes(), Budget(seconds=0))
    assert "the time it may take was up" in remark(collected, "cut")
    assert Sight.FULL not in {entry.sight for entry in collected.coverage}


def test_more_delayed_jobs_than_are_looked_at_are_said(redis: Redis, url: str) -> None:
    later = (now_ms() + 60_000) * 4_096
    redis.zadd(f"{KEY}delayed", {str(n): later + n for n in range(700)})
    redis.lpush(f"{KEY}active", *range(1_000, 1_300))
    found = depth(fetch(url), "mail")
    assert "0 waiting, 300 running, 700 scheduled" in found.body
    assert "due times of 500 delayed jobs were read" in found.body
    assert "200 active jobs were looked at" in found.body


def test_a_hash_tagged_prefix(redis: Redis, url: str) -> None:
    redis.xadd("{shop}:mail:events", {"event": "active", "jobId": "1"})
    assert len(of(fetch(url, prefix="{shop}"), "job:1")) == 1


def test_a_key_of_another_kind_is_our_error(redis: Redis, url: str) -> None:
    redis.set(f"{KEY}events", "text")
    with pytest.raises(BadAnswer, match="not what the queue library"):
        fetch(url)
