"""Sidekiq 7 and 8 on their published schema: keys filled as the source fills them, on a real Redis.

Neither version can be installed beside Debian's 6.4. Sources: sidekiq v7.3.9 and v8.1.7,
`launcher.rb`, `client.rb`, `job_retry.rb`, `processor.rb`, `metrics/tracking.rb`, `deploy.rb`.
"""

from __future__ import annotations

import base64
import json
import time
import zlib
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from redis import Redis

from connectors.discovery import Place
from connectors.sidekiq import SidekiqConnector, SidekiqOptions
from tests.conformance.collecting import Collected, fetched, looked_up
from tests.conformance.redis_queue import reader_url
from tests.connectors.workers.starting import numbered
from tests.servers.process import RunningServer
from timeline.event import Event, Kind, Meaning, Precision
from timeline.keys import KeyRules
from timeline.problems import AccessRefused, BadAnswer
from timeline.window import MINUTE_NS, SECOND_NS, Budget, Window

pytestmark = pytest.mark.servers

DATABASE = 12
JID = "b4a577edbccf1d805744efa9"
IDENTITY = "web-1:812:9f3c0a1b2c3d"


@pytest.fixture
def redis(redis_server: RunningServer) -> Iterator[Redis]:
    with Redis.from_url(numbered(redis_server.url, DATABASE)) as client:
        client.flushdb()
        client.sadd("queues", "default")
        yield client
        client.flushdb()


@pytest.fixture
def url(redis_server: RunningServer) -> str:
    return reader_url(redis_server, DATABASE)


def connector(url: str, **options: object) -> SidekiqConnector:
    return SidekiqConnector("jobs", SidekiqOptions.model_validate({"url": url, **options}), RULES)


RULES = KeyRules()


def fetch(url: str, **options: object) -> Collected:
    now = time.time_ns()
    window = Window(now - SECOND_NS, now - 10 * MINUTE_NS, now)
    return fetched(connector(url, **options), window, Budget())


def job(**fields: object) -> str:
    base = {"retry": True, "queue": "default", "class": "WelcomeMail", "args": [4711], "jid": JID}
    return json.dumps({**base, **fields})


def ms(seconds_ago: float) -> int:
    return int((time.time() - seconds_ago) * 1000)


def fill(redis: Redis, key: str, fields: Mapping[str, str | int]) -> None:
    redis.hset(key, items=[part for pair in fields.items() for part in pair])


def beats(redis: Redis, version: str, work: dict[str, str], **fields: str) -> None:
    """One heartbeat, as `launcher.rb` of 7 and 8 writes it."""
    info = {
        "hostname": "web-1",
        "started_at": time.time() - 120,
        "pid": 812,
        "queues": ["default"],
        "version": version,
        "identity": IDENTITY,
    }
    redis.sadd("processes", IDENTITY)
    beat: dict[str, str | int] = {
        "info": json.dumps(info),
        "busy": len(work),
        "beat": repr(time.time()),
    }
    fill(redis, IDENTITY, {**beat, "quiet": "false", **fields})
    redis.expire(IDENTITY, 60)
    if work:
        fill(redis, f"{IDENTITY}:work", work)


def told(collected: Collected, kind: Kind) -> list[Event]:
    found = [e for e in collected.events if e.kind is kind and e.actor != "redis"]
    return sorted(found, key=lambda event: event.timestamp)


def details(event: Event) -> dict[str, object]:
    found: dict[str, object] = json.loads(event.attributes or "{}")
    return found


def test_8_counts_in_whole_milliseconds(redis: Redis, url: str) -> None:
    created, failed = ms(90), ms(60)
    redis.lpush("queue:default", job(created_at=created, enqueued_at=created + 2, jid="a"))
    fail = {"failed_at": failed, "retry_count": 0, "error_class": "KeyError", "error_message": "x"}
    payload = job(created_at=created, enqueued_at=created + 2, **fail)
    redis.zadd("retry", {payload: time.time() + 15})
    collected = fetch(url)
    (retried,) = told(collected, Kind.JOB_RETRIED)
    assert (retried.timestamp, retried.precision) == (failed * 1_000_000, Precision.MILLISECOND)
    stamps = {event.timestamp for event in told(collected, Kind.JOB_ENQUEUED)}
    assert stamps == {(created + 2) * 1_000_000}


def test_7_counts_in_float_seconds(redis: Redis, url: str) -> None:
    pushed = round(time.time() - 30, 6)
    redis.lpush("queue:default", job(created_at=pushed, enqueued_at=pushed))
    (enqueued,) = told(fetch(url), Kind.JOB_ENQUEUED)
    assert abs(enqueued.timestamp - pushed * 1e9) < 1_000
    assert enqueued.precision is Precision.MICROSECOND


def test_a_job_that_failed_twice_tells_the_first_and_the_last_failure(
    redis: Redis, url: str
) -> None:
    lines = base64.b64encode(zlib.compress(json.dumps(["app/jobs/x.rb:3:in 'perform'"]).encode()))
    payload = job(
        created_at=ms(300),
        enqueued_at=ms(61),
        failed_at=ms(290),
        retried_at=ms(60),
        retry_count=3,
        retry=5,
        error_class="ActiveRecord::RecordNotFound",
        error_message="Couldn't find User with 'id'=4711",
        error_backtrace=lines.decode(),
    )
    redis.zadd("retry", {payload: time.time() + 120})
    collected = fetch(url)
    first, last = told(collected, Kind.JOB_RETRIED)
    assert "its error was overwritten" in first.body
    assert "failure 4" in last.body
    assert last.body.endswith("␊app/jobs/x.rb:3:in 'perform'")
    assert (details(last)["attempt"], details(last)["retries_left"]) == (4, 2)
    created, again = told(collected, Kind.JOB_ENQUEUED)
    assert "enqueued again" in again.body
    assert (created.clock, again.clock) == ("client?", "worker?"), "the poller pushed it again"


def test_a_death_by_hand_is_told_beside_the_failure(redis: Redis, url: str) -> None:
    fail = {"failed_at": ms(300), "retry_count": 0, "error_class": "E", "error_message": "m"}
    redis.zadd("dead", {job(created_at=ms(301), **fail): time.time() - 20})
    collected = fetch(url)
    assert len(told(collected, Kind.JOB_RETRIED)) == len(told(collected, Kind.JOB_DEAD)) == 1


def test_active_job_is_unwrapped_with_its_global_ids(redis: Redis, url: str) -> None:
    envelope = {
        "job_class": "InviteJob",
        "job_id": "5f0e8a3c-0000-4000-8000-000000000001",
        "queue_name": "default",
        "arguments": [
            {"_aj_globalid": "gid://shop/User/4711"},
            {"account_id": 5, "_aj_symbol_keys": ["account_id"]},
        ],
        "executions": 1,
        "enqueued_at": "2026-11-20T02:07:29.123456789Z",
    }
    payload = job(
        **{"class": "Sidekiq::ActiveJob::Wrapper", "wrapped": "InviteJob", "args": [envelope]},
        enqueued_at=ms(5),
    )
    redis.lpush("queue:default", payload)
    (enqueued,) = told(fetch(url), Kind.JOB_ENQUEUED)
    assert enqueued.body.startswith('InviteJob("gid://shop/User/4711", {"account_id": 5}) enq')
    ids = {f"job:{JID}", "job:5f0e8a3c-0000-4000-8000-000000000001", "user:4711", "account:5"}
    assert ids <= set(enqueued.keys)
    now = time.time_ns()
    found = looked_up(connector(url), ("user:4711",), Window.around(now, MINUTE_NS, MINUTE_NS))
    assert [event.ref for event in found.events] == [enqueued.ref]


def test_what_runs_is_told_by_its_process(redis: Redis, url: str) -> None:
    run_at = int(time.time()) - 5
    run = {"queue": "default", "payload": job(enqueued_at=ms(3600)), "run_at": run_at}
    beats(redis, "8.1.7", {"tid1": json.dumps(run)}, quiet="true")
    collected = fetch(url)
    (started,) = told(collected, Kind.JOB_STARTED)
    assert (started.timestamp, started.clock) == (run_at * SECOND_NS, "web-1")
    (enqueued,) = told(collected, Kind.JOB_ENQUEUED)
    assert details(enqueued)["now"] is True, "an hour old, and part of what runs now"
    assert any(remark.topic == "quiet" for remark in collected.remarks)
    (process,) = told(collected, Kind.CHANGE)
    assert process.body == "process web-1:812 started (queues default)"


def test_a_process_with_a_wrong_clock_is_alive_and_its_clock_is_told(
    redis: Redis, url: str
) -> None:
    beats(redis, "8.1.7", {}, beat=repr(time.time() - 90.5))
    collected = fetch(url)
    topics = {remark.topic: remark.sentence for remark in collected.remarks}
    assert "worker-silent" not in topics, "Redis' own clock says that it has just beaten"
    assert topics["clock"].startswith("the clock of process web-1:812 is 90.")
    assert topics["clock"].endswith("behind Redis' clock")


@pytest.mark.parametrize("spelling", ["j|%y%m%d|%-H:%M", "j|%Y%m%d|%-H:%-M"], ids=["8", "7"])
def test_counts_per_minute_are_a_history(redis: Redis, url: str, spelling: str) -> None:
    minute = datetime.fromtimestamp(time.time() // 60 * 60 - 120, UTC)
    counts = {"WelcomeMail|p": 40, "WelcomeMail|f": 4, "WelcomeMail|ms": 7200, "Report|p": 1}
    fill(redis, minute.strftime(spelling), counts)
    fill(redis, minute.strftime("j|%y%m%d|%-H:%M")[:-1], {"WelcomeMail|p": 999})
    found = [e for e in told(fetch(url), Kind.METRIC) if "attempts ended" in e.body]
    (counted,) = found
    assert counted.body == (
        "41 attempts ended, 4 of them failed: WelcomeMail 40 (4 failed), 200 ms each, Report 1"
    )
    assert counted.timestamp == int(minute.timestamp()) * SECOND_NS
    assert (counted.meaning, counted.precision) == (Meaning.POLLED, Precision.MINUTE)


def test_a_minute_with_more_classes_than_a_page(redis: Redis, url: str) -> None:
    minute = datetime.fromtimestamp(time.time() // 60 * 60 - 60, UTC)
    counts = {f"Class{n:04d}|p": 1 for n in range(1_700)}
    fill(redis, minute.strftime("j|%y%m%d|%-H:%M"), counts)
    (counted,) = [e for e in told(fetch(url), Kind.METRIC) if "attempts ended" in e.body]
    assert counted.body.startswith("1700 attempts ended")
    assert counted.body.endswith("and 1697 classes more")


def test_a_marked_deployment_stands_on_the_timeline(redis: Redis, url: str) -> None:
    minute = datetime.fromtimestamp(time.time() // 60 * 60 - 120, UTC)
    stamp = minute.strftime("%Y-%m-%dT%H:%M:%SZ")
    redis.hset(minute.strftime("%Y%m%d-marks"), stamp, "9d2c1fe ship\x1b[0m it")
    (deployed,) = told(fetch(url), Kind.CHANGE)
    assert deployed.body == "deployed: 9d2c1fe ship␛[0m it"


def test_hostile_payloads_are_shown_closed_and_cost_only_themselves(redis: Redis, url: str) -> None:
    bomb = base64.b64encode(zlib.compress(b"[" * 50_000_000)).decode()
    fail = {"failed_at": ms(5), "retry_count": 0, "error_class": "E", "error_message": "boom"}
    redis.zadd("retry", {job(jid="bomb", error_backtrace=bomb, **fail): time.time() + 9})
    redis.zadd("dead", {b"\x80\x04N.": time.time() - 5, b"half a reco": time.time() - 4})
    redis.lpush("queue:default", "[" * 100_000, "null", '"text"', job(args=["x" * 300_000]))
    redis.lpush("queue:default", job(jid="good", enqueued_at=ms(1)))
    redis.lpush("queue:default", job(jid="odd", enqueued_at=True, created_at="soon"))
    redis.lpush("queue:default", job(jid="ns", enqueued_at=time.time_ns()))
    collected = fetch(url)
    (failed,) = told(collected, Kind.JOB_RETRIED)
    assert failed.body.endswith("E: boom")
    pickled, half = told(collected, Kind.JOB_DEAD)
    assert "pickled, 4 bytes, not opened" in pickled.body
    assert "not JSON, 11 bytes, not opened" in half.body
    (good,) = told(collected, Kind.JOB_ENQUEUED)
    assert "job:good" in good.keys
    counts = {remark.topic: remark.count for remark in collected.remarks}
    assert (counts["opaque"], counts["undated"]) == (6, 2)


def test_a_million_waiting_jobs_are_counted_and_read_from_their_ends(
    redis: Redis, url: str
) -> None:
    script = (
        "local p = {}; for i = 1, 5000 do p[i] = ARGV[1] end;"
        "for i = 1, 200 do redis.call('LPUSH', KEYS[1], unpack(p)) end"
    )
    redis.eval(script, 1, "queue:default", job(enqueued_at=ms(2)))
    redis.slowlog_reset()  # what the preparation cost is read too, and would be measured
    collected = fetch(url, max_jobs=1_000)
    assert sum(batch.bytes_read for batch in collected.batches) < 1_000_000
    assert any("1000000 jobs wait" in remark.sentence for remark in collected.remarks)
    depth = next(e for e in told(collected, Kind.METRIC) if e.body.startswith("default now"))
    assert details(depth)["depth"] == 1_000_000


def test_a_window_in_the_middle_of_a_long_queue_is_found(redis: Redis, url: str) -> None:
    now = time.time()
    pushed = [round(now - 2_000 + 0.1 * n, 3) for n in range(20_000)]
    payloads = [job(jid=f"j{n}", enqueued_at=stamp) for n, stamp in enumerate(pushed)]
    for start in range(0, len(payloads), 5_000):
        redis.lpush("queue:default", *payloads[start : start + 5_000])
    begin, end = (int((now - seconds) * SECOND_NS) for seconds in (1_030, 1_000))
    window = Window(begin + 1, begin, end)
    collected = fetched(connector(url, max_jobs=400), window, Budget())
    found = {event.keys[0] for event in told(collected, Kind.JOB_ENQUEUED)}
    inside = {n for n, stamp in enumerate(pushed) if now - 1_030 <= stamp < now - 1_000}
    assert found == {f"job:j{n}" for n in inside}
    assert len(found) in (299, 300, 301)
    assert any(remark.topic == "cut" for remark in collected.remarks)


def test_a_namespace_and_a_choice_of_queues(redis: Redis, url: str) -> None:
    for queue in ("default", "low"):
        redis.sadd("shop:queues", queue)
        redis.lpush(f"shop:queue:{queue}", job(queue=queue, jid=queue, enqueued_at=ms(3)))
    (enqueued,) = told(fetch(url, namespace="shop:", queues=["low"]), Kind.JOB_ENQUEUED)
    assert "job:low" in enqueued.keys


def test_wrong_password_and_wrong_key_types_are_sentences(
    redis: Redis, url: str, redis_server: RunningServer
) -> None:
    parts = urlsplit(url)
    with pytest.raises(AccessRefused):
        fetch(parts._replace(netloc=f"x:wrong@{parts.hostname}:{parts.port}").geturl())
    redis.set("retry", "not a sorted set")
    with pytest.raises(BadAnswer, match="not what the queue library"):
        fetch(url)


def test_candidates_come_from_variables_and_a_file_is_a_hint(tmp_path: Path) -> None:
    def proposed(**variables: str) -> list[tuple[object, bool]]:
        place = Place(variables, tmp_path, tmp_path)
        return [(c.options["url"], c.local) for c in SidekiqConnector.candidates(place)]

    assert proposed() == []
    assert proposed(REDIS_PROVIDER="OPENREDIS_URL", OPENREDIS_URL="redis://h") == [
        ("${OPENREDIS_URL}", False)
    ]
    assert proposed(REDIS_URL="redis://h", SIDEKIQ_REDIS_URL="rediss://s") == [
        ("${SIDEKIQ_REDIS_URL}", False),
        ("${REDIS_URL}", False),
    ]
    (tmp_path / "config").mkdir()
    (tmp_path / "config" / "sidekiq.yml").write_text("!ruby/object:Evil {}")
    assert proposed() == [("redis://localhost:6379/0", True)]
