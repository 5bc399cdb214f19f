"""Ruby's Resque 3.0, resque-scheduler and resque-retry on their published schema, on a real Redis.

Sources: resque v3.0.0 `failure/redis.rb`, `failure/redis_multi_queue.rb`, `worker.rb`,
`data_store.rb`; resque-scheduler `delaying_extensions.rb`; resque-retry `retry.rb` and
`multiple_with_retry_suppression.rb`.
"""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

import pytest
from pydantic import ValidationError
from redis import Redis

from connectors.discovery import Place
from connectors.resque import ResqueConnector, ResqueOptions
from connectors.resque.stamps import stamp_ns
from tests.conformance.collecting import Collected, fetched, looked_up
from tests.conformance.redis_queue import reader_url
from tests.connectors.workers.starting import numbered
from tests.servers.process import RunningServer
from timeline.event import Event, Kind, Meaning
from timeline.keys import KeyRules
from timeline.problems import AccessRefused, BadAnswer
from timeline.window import MINUTE_NS, SECOND_NS, Budget, Window

DATABASE = 15
PARIS = "Europe/Paris"


@pytest.fixture
def redis(redis_server: RunningServer) -> Iterator[Redis]:
    with Redis.from_url(numbered(redis_server.url, DATABASE)) as client:
        client.flushdb()
        client.sadd("resque:queues", "mail")
        yield client
        client.flushdb()


@pytest.fixture
def url(redis_server: RunningServer) -> str:
    return reader_url(redis_server, DATABASE)


def connector(url: str, **options: object) -> ResqueConnector:
    return ResqueConnector(
        "jobs", ResqueOptions.model_validate({"url": url, **options}), KeyRules()
    )


def fetch(url: str, minutes: int = 30, **options: object) -> Collected:
    now = time.time_ns()
    window = Window(now - SECOND_NS, now - minutes * MINUTE_NS, now)
    return fetched(connector(url, **options), window, Budget())


def ago(seconds: float, zone: str = "UTC", form: str = "%Y/%m/%d %H:%M:%S %Z") -> str:
    moment = datetime.now(UTC) - timedelta(seconds=seconds)
    return moment.astimezone(ZoneInfo(zone)).strftime(form)


def failure(**fields: object) -> str:
    base = {
        "failed_at": ago(60),
        "payload": {"class": "WelcomeMail", "args": [{"user_id": 4711}]},
        "exception": "ActiveRecord::RecordNotFound",
        "error": "Couldn't find User with 'id'=4711",
        "backtrace": ["/app/jobs/welcome_mail.rb:7:in `perform'"],
        "worker": "web-1:812:mail,reports",
        "queue": "mail",
    }
    return json.dumps({**base, **fields})


def told(collected: Collected, kind: Kind) -> list[Event]:
    found = [e for e in collected.events if e.kind is kind and e.actor != "redis"]
    return sorted(found, key=lambda event: event.timestamp)


def details(event: Event) -> dict[str, object]:
    found: dict[str, object] = json.loads(event.attributes or "{}")
    return found


@pytest.mark.servers
def test_a_failure_of_ruby_is_told_with_worker_and_keys(redis: Redis, url: str) -> None:
    redis.rpush("resque:failed", failure())
    (failed,) = told(fetch(url), Kind.JOB_FAILED)
    assert failed.body == (
        'WelcomeMail({"user_id": 4711}) failed on mail: ActiveRecord::RecordNotFound: '
        "Couldn't find User with 'id'=4711␊/app/jobs/welcome_mail.rb:7:in `perform'"
    )
    assert (failed.actor, failed.clock) == ("web-1:812", "web-1")
    assert failed.keys == ("user:4711",)


@pytest.mark.servers
def test_a_local_zone_is_not_guessed(redis: Redis, url: str) -> None:
    redis.rpush("resque:failed", failure(failed_at=ago(60, PARIS)), failure(failed_at=""))
    collected = fetch(url)
    assert told(collected, Kind.JOB_FAILED) == []
    (remark,) = [remark for remark in collected.remarks if remark.topic == "undated"]
    assert remark.count == 2
    (failed,) = told(fetch(url, zone=PARIS), Kind.JOB_FAILED)
    assert abs(failed.timestamp + 60 * SECOND_NS - time.time_ns()) < 10 * SECOND_NS


@pytest.mark.servers
def test_a_job_lost_with_its_worker_was_filed_later(redis: Redis, url: str) -> None:
    lost = failure(
        exception="Resque::PruneDeadWorkerDirtyExit",
        error="Worker web-1:812:mail did not gracefully exit while processing WelcomeMail",
    )
    redis.rpush("resque:failed", lost, failure(exception="Resque::DirtyExit", error="signal 9"))
    filed = told(fetch(url), Kind.JOB_FAILED)
    assert [event.meaning for event in filed] == [Meaning.INGESTED] * 2
    assert [event.clock for event in filed] == ["worker?"] * 2
    pruned = next(event for event in filed if "Prune" in event.body)
    assert "lost with its worker" in pruned.body
    assert "silent for 300 s" in pruned.body


@pytest.mark.servers
def test_equal_failures_are_told_apart_and_requeueing_is_told(redis: Redis, url: str) -> None:
    twin = failure()
    requeued = failure(retried_at=ago(30))
    redis.rpush("resque:failed", twin, twin, requeued)
    collected = fetch(url)
    assert len({event.ref for event in told(collected, Kind.JOB_FAILED)}) == 3
    (again,) = told(collected, Kind.JOB_ENQUEUED)
    assert "put back on mail by hand" in again.body


@pytest.mark.servers
def test_failures_of_several_lists(redis: Redis, url: str) -> None:
    redis.sadd("resque:failed_queues", "mail_failed")
    redis.rpush("resque:mail_failed", failure())
    (failed,) = told(fetch(url), Kind.JOB_FAILED)
    assert failed.ref.startswith("resque:mail_failed#")


@pytest.mark.servers
def test_only_the_end_of_a_long_failed_list_is_read(redis: Redis, url: str) -> None:
    old = failure(failed_at=ago(86_400))
    pipeline = redis.pipeline()
    for _ in range(40):
        pipeline.rpush("resque:failed", *[old] * 500)
    pipeline.rpush("resque:failed", *(failure(error=f"nr {n}") for n in range(700)))
    pipeline.execute()
    redis.slowlog_reset()  # what the preparation cost is read too, and would be measured
    collected = fetch(url)
    assert len(told(collected, Kind.JOB_FAILED)) == 700
    assert not any(remark.topic == "cut" for remark in collected.remarks)
    assert sum(batch.bytes_read for batch in collected.batches) < 1_500 * len(old)
    cut = fetch(url, max_jobs=300)
    assert len(told(cut, Kind.JOB_FAILED)) == 300
    assert any("holds 20700 failures" in remark.sentence for remark in cut.remarks)


@pytest.mark.servers
def test_active_job_gives_a_waiting_job_its_id_and_time(redis: Redis, url: str) -> None:
    envelope = {
        "job_class": "InviteJob",
        "job_id": "5f0e8a3c-0000-4000-8000-000000000001",
        "arguments": [{"_aj_globalid": "gid://shop/User/4711"}],
        "enqueued_at": ago(90, form="%Y-%m-%dT%H:%M:%SZ"),
    }
    wrapper = "ActiveJob::QueueAdapters::ResqueAdapter::JobWrapper"
    redis.rpush("resque:queue:mail", json.dumps({"class": wrapper, "args": [envelope]}))
    (enqueued,) = told(fetch(url), Kind.JOB_ENQUEUED)
    assert enqueued.body == 'InviteJob("gid://shop/User/4711") enqueued on mail'
    assert enqueued.keys[0] == "job:5f0e8a3c-0000-4000-8000-000000000001"
    assert enqueued.meaning is Meaning.SENT
    keys = ("user:4711", "user:9")
    found = looked_up(connector(url), keys, Window.around(time.time_ns()))
    assert [event.ref for event in found.events] == [enqueued.ref]


@pytest.mark.servers
def test_a_worker_beats_by_the_clock_of_redis(redis: Redis, url: str) -> None:
    worker = "web-1:812:mail"
    redis.sadd("resque:workers", worker)
    redis.set(f"resque:worker:{worker}:started", ago(1_000, PARIS, "%Y-%m-%d %H:%M:%S %z"))
    redis.hset("resque:workers:heartbeat", worker, ago(400, form="%Y-%m-%dT%H:%M:%SZ"))
    payload = {"class": "WelcomeMail", "args": [1]}
    run = {"queue": "mail", "run_at": ago(420, form="%Y-%m-%dT%H:%M:%SZ"), "payload": payload}
    redis.set(f"resque:worker:{worker}", json.dumps(run))
    collected = fetch(url)
    started, beat = told(collected, Kind.CHANGE)
    assert (started.clock, beat.clock) == ("web-1", ""), "Redis' own clock has no other name"
    assert abs(time.time_ns() - started.timestamp - 1_000 * SECOND_NS) < 10 * SECOND_NS
    (running,) = told(collected, Kind.JOB_STARTED)
    assert running.body == "WelcomeMail(1) started on web-1:812"
    topics = {remark.topic for remark in collected.remarks}
    assert {"worker-silent", "orphaned"} <= topics
    later = fetch(url, minutes=5)
    (running,) = told(later, Kind.JOB_STARTED)
    assert details(running)["now"] is True


@pytest.mark.servers
def test_resque_retry_hashes_the_arguments(redis: Redis, url: str) -> None:
    item = {"class": "WelcomeMail", "args": [4711, "first"], "queue": "mail"}
    due = int(time.time()) + 300
    redis.zadd("resque:delayed_queue_schedule", {str(due): due})
    redis.rpush(f"resque:delayed:{due}", json.dumps(item))
    identifier = hashlib.sha1(b"4711-first").hexdigest()
    redis.set(f"resque:resque-retry:WelcomeMail:{identifier}", 2)
    noted = failure(failed_at=ago(20, PARIS, "%Y/%m/%d %H:%M:%S"))
    redis.set(f"resque:failure-resque-retry:WelcomeMail:{identifier}", noted)
    (retried,) = told(fetch(url, zone=PARIS), Kind.JOB_RETRIED)
    assert details(retried)["attempt"] == 3
    assert retried.body.startswith('WelcomeMail(4711, "first") failed on mail and comes due again')


@pytest.mark.servers
def test_hostile_records_are_shown_closed_and_cost_only_themselves(redis: Redis, url: str) -> None:
    redis.rpush("resque:queue:mail", b"\x80\x04N.", "[" * 100_000, "null")
    redis.rpush("resque:failed", b"\xff{", failure(), failure(payload="rm -rf", backtrace={}))
    redis.sadd("resque:workers", b"\xff\xfe:1:*")
    redis.set(b"resque:worker:\xff\xfe:1:*", "x" * 400_000)
    collected = fetch(url)
    bodies = [event.body for event in told(collected, Kind.JOB_ENQUEUED)]
    assert any("pickled, 4 bytes, not opened" in body for body in bodies)
    assert len(told(collected, Kind.JOB_FAILED)) == 2
    counts = {remark.topic: remark.count for remark in collected.remarks}
    assert counts["opaque"] == 4


@pytest.mark.servers
def test_a_million_waiting_jobs_are_counted_and_read_from_their_front(
    redis: Redis, url: str
) -> None:
    script = (
        "local p = {}; for i = 1, 5000 do p[i] = ARGV[1] end;"
        "for i = 1, 200 do redis.call('RPUSH', KEYS[1], unpack(p)) end"
    )
    redis.eval(script, 1, "resque:queue:mail", '{"class":"W","args":[1]}')
    redis.slowlog_reset()
    collected = fetch(url)
    assert sum(batch.bytes_read for batch in collected.batches) < 100_000
    assert any("number 1 of 1000000" in e.body for e in told(collected, Kind.JOB_ENQUEUED))


@pytest.mark.servers
def test_wrong_password_and_wrong_key_types_are_sentences(redis: Redis, url: str) -> None:
    parts = urlsplit(url)
    with pytest.raises(AccessRefused):
        fetch(parts._replace(netloc=f"x:wrong@{parts.hostname}:{parts.port}").geturl())
    redis.set("resque:failed", "not a list")
    with pytest.raises(BadAnswer, match="not what the queue library"):
        fetch(url)


@pytest.mark.parametrize(
    ("stamp", "zone", "expected"),
    [
        ("2026/11/20 02:07:29 UTC", "", "2026-11-20T02:07:29+00:00"),
        ("2026/11/20 03:07:29 CET", PARIS, "2026-11-20T02:07:29+00:00"),
        ("2026/10/25 02:30:00 CEST", PARIS, "2026-10-25T00:30:00+00:00"),
        ("2026/10/25 02:30:00 CET", PARIS, "2026-10-25T01:30:00+00:00"),
        ("2026/10/25 02:30:00", PARIS, None),
        ("2026/11/20 03:07:29 CET", "", None),
        ("2026/11/20 03:07:29 IST", PARIS, None),
        ("2026-11-20 03:07:29 +0100", "", "2026-11-20T02:07:29+00:00"),
        ("2026/11/20 07:37:29 +0530", "", "2026-11-20T02:07:29+00:00"),
        ("Fri Nov 20 2026 07:37:29 GMT+0530 (IST)", "", "2026-11-20T02:07:29+00:00"),
        ("2026-11-20T02:07:29Z", "", "2026-11-20T02:07:29+00:00"),
        ("1795140449", "", "2026-11-20T02:07:29+00:00"),
        ("2026/13/40 99:99:99 UTC", "", None),
        ("soon", PARIS, None),
        ("9" * 40, "", None),
    ],
)
def test_a_stamp_is_read_or_left_alone(stamp: str, zone: str, expected: str | None) -> None:
    wanted = None
    if expected is not None:
        wanted = int(datetime.fromisoformat(expected).timestamp()) * SECOND_NS
    assert stamp_ns(stamp, zone) == wanted


def test_an_unknown_zone_is_refused() -> None:
    with pytest.raises(ValidationError, match="tz database"):
        ResqueOptions.model_validate({"url": "redis://h", "zone": "CET-and-a-bit"})


def test_candidates_come_from_variables(tmp_path: Path) -> None:
    place = Place({"RESQUE_REDIS_URL": "redis://h", "REDIS_URL": "http://h"}, tmp_path, tmp_path)
    (candidate,) = ResqueConnector.candidates(place)
    assert candidate.options["url"] == "${RESQUE_REDIS_URL}"
