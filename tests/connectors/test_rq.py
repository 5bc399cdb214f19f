"""The RQ connector on a real Redis: backlog, horizon, paging, damage, and that nothing changes."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from urllib.parse import urlsplit

import pytest
from redis import Redis
from rq import Queue, SimpleWorker

from connectors.redis_reads import ALLOWED
from connectors.rq import RQConnector, RQOptions
from tests.conformance.collecting import Collected, fetched, looked_up
from tests.connectors import rq_jobs
from tests.servers.process import RunningServer
from tests.servers.redis import create_reader
from timeline.coverage import CoverageMap, Sight
from timeline.event import Kind
from timeline.keys import KeyRules
from timeline.problems import AccessRefused, BadAnswer
from timeline.window import MINUTE_NS, SECOND_NS, Budget, Window

pytestmark = pytest.mark.servers

DATABASE = 8
HANDSHAKE = {"AUTH", "HELLO", "CLIENT", "SELECT"}


@pytest.fixture
def redis(redis_server: RunningServer) -> Iterator[Redis]:
    with Redis.from_url(_numbered(redis_server.url)) as client:
        client.flushdb()
        yield client
        client.flushdb()


@pytest.fixture
def url(redis_server: RunningServer) -> str:
    """The least-privilege user's URL."""
    return _numbered(create_reader(redis_server))


def _numbered(url: str) -> str:
    return urlsplit(url)._replace(path=f"/{DATABASE}").geturl()


def connector(url: str, **options: object) -> RQConnector:
    return RQConnector("queue", RQOptions.model_validate({"url": url, **options}), KeyRules())


def last_minutes(minutes: int = 5) -> Window:
    now = time.time_ns()
    return Window(now - SECOND_NS, now - minutes * MINUTE_NS, now)


def fetch(url: str, **options: object) -> Collected:
    return fetched(connector(url, **options), last_minutes(), Budget())


def worked(redis: Redis, queue: Queue) -> None:
    SimpleWorker([queue], connection=redis).work(burst=True)


def test_nothing_is_changed_and_only_reads_are_sent(redis: Redis, url: str) -> None:
    queue = Queue("mailers", connection=redis)
    for user in range(5):
        queue.enqueue(rq_jobs.welcome_mail, user_id=user)
    queue.enqueue(rq_jobs.look_up, user_id=9)
    worked(redis, queue)
    queue.enqueue(rq_jobs.welcome_mail, user_id=10)
    before = _content(redis)
    redis.acl_log_reset()
    with _Monitor(redis) as monitor:
        fetch(url)
        looked_up(connector(url), ("user:9", "job:x"), last_minutes())
    assert _content(redis) == before
    assert {"HMGET", "XREVRANGE", "ZRANGEBYSCORE", "TIME"} <= monitor.commands
    assert monitor.commands <= {name.partition(" ")[0] for name in ALLOWED} | HANDSHAKE
    assert redis.acl_log() == [], "nothing was even refused"


def _content(redis: Redis) -> dict[object, object]:
    """Every key with its value and its expiry."""
    return {key: (redis.dump(key), redis.expiretime(key)) for key in redis.scan_iter()}


def test_a_backlog_longer_than_a_page_is_read_whole(redis: Redis, url: str) -> None:
    queue = Queue("mailers", connection=redis)
    prepared = [
        Queue.prepare_data(rq_jobs.welcome_mail, kwargs={"user_id": n}, job_id=f"w-{n}")
        for n in range(1_203)
    ]
    queue.enqueue_many(prepared)
    collected = fetch(url)
    enqueued = [event for event in collected.events if event.kind is Kind.JOB_ENQUEUED]
    assert len(enqueued) == 1_203
    (depth,) = [event for event in collected.events if event.kind is Kind.METRIC]
    told = json.loads(depth.attributes or "{}")
    assert (told["depth"], told["takers"]) == (1_203, 0)
    assert depth.body.endswith("no worker takes from it")
    assert "now" in depth.body


def test_a_backlog_beyond_the_bound_is_cut_and_said(redis: Redis, url: str) -> None:
    queue = Queue("mailers", connection=redis)
    queue.enqueue_many(
        [Queue.prepare_data(rq_jobs.welcome_mail, kwargs={"user_id": n}) for n in range(700)]
    )
    collected = fetch(url, max_jobs=300)
    assert any(remark.topic == "cut" and "700" in remark.sentence for remark in collected.remarks)
    assert Sight.FULL not in {entry.sight for entry in collected.coverage}


def test_no_time_left_is_said(redis: Redis, url: str) -> None:
    Queue("mailers", connection=redis).enqueue(rq_jobs.welcome_mail, user_id=1)
    collected = fetched(connector(url), last_minutes(), Budget(seconds=0))
    assert any(remark.topic == "cut" for remark in collected.remarks)
    assert Sight.FULL not in {entry.sight for entry in collected.coverage}


def test_members_with_one_score_are_all_paged_through(redis: Redis, url: str) -> None:
    redis.sadd("rq:queues", "rq:queue:mailers")
    now = time.time()
    ended = time.strftime("%Y-%m-%dT%H:%M:%S.000000Z", time.gmtime(now - 60))
    for n in range(60):
        redis.zadd("rq:failed:mailers", {f"f-{n}": int(now) - 60 + 31_536_000})
        redis.hset(
            f"rq:job:f-{n}",
            mapping={"status": "failed", "ended_at": ended, "origin": "mailers"},
        )
    for size in (1, 7, 60, 500):
        found = [e for e in fetch(url, page_jobs=size).events if e.kind is Kind.JOB_FAILED]
        assert len(found) == 60


def test_successes_are_claimed_only_as_far_back_as_they_are_kept(redis: Redis, url: str) -> None:
    now = time.time_ns()
    window = Window(now - 20 * MINUTE_NS, now - 30 * MINUTE_NS, now)
    coverage = CoverageMap(tuple(fetched(connector(url), window).coverage))
    assert coverage.limits(["queue"], now - 30 * MINUTE_NS, now - 10 * MINUTE_NS)
    assert not coverage.limits(["queue"], now - 5 * MINUTE_NS, now)
    (forgotten,) = coverage.blind()
    assert forgotten.sight is Sight.NOW_ONLY
    assert "500 s" in forgotten.reason


def test_a_job_that_runs_is_told_with_how_it_came_to_run(redis: Redis, url: str) -> None:
    hour_ago = time.strftime("%Y-%m-%dT%H:%M:%S.5Z", time.gmtime(time.time() - 3600))
    redis.sadd("rq:queues", "rq:queue:mailers")
    execution = "0123456789abcdef0123456789abcdef"
    redis.zadd("rq:wip:mailers", {f"long:{execution}": time.time() + 60})
    redis.zadd("rq:wip:mailers", {"orphan": time.time() - 60})
    for name in ("long", "orphan"):
        redis.hset(
            f"rq:job:{name}",
            mapping={
                "status": "started",
                "origin": "mailers",
                "enqueued_at": hour_ago,
                "started_at": hour_ago,
            },
        )
    collected = fetch(url)
    started = {e.ref for e in collected.events if e.kind is Kind.JOB_STARTED}
    assert started == {"rq:job:long#started_at", "rq:job:orphan#started_at"}
    (remark,) = [remark for remark in collected.remarks if remark.topic == "orphaned"]
    assert "orphan" in remark.sentence


def test_retries_coming_due_are_counted(redis: Redis, url: str) -> None:
    redis.sadd("rq:queues", "rq:queue:mailers")
    redis.zadd("rq:scheduled:mailers", {f"s-{n}": time.time() + 90 + n for n in range(5)})
    (depth,) = [event for event in fetch(url).events if event.kind is Kind.METRIC]
    attributes = json.loads(depth.attributes or "{}")
    assert attributes["due_by_minute"] == {"1": 5}
    assert [due["job_id"] for due in attributes["next_due"]] == [f"s-{n}" for n in range(5)]


def test_a_worker_that_fell_silent_is_said(redis: Redis, url: str) -> None:
    old = time.strftime("%Y-%m-%dT%H:%M:%S.0Z", time.gmtime(time.time() - 900))
    redis.sadd("rq:workers", "rq:worker:mailer-1")
    redis.hset("rq:worker:mailer-1", mapping={"hostname": "host-b", "last_heartbeat": old})
    assert any(remark.topic == "worker-silent" for remark in fetch(url).remarks)


def test_another_prefix_and_a_choice_of_queues(redis: Redis, url: str) -> None:
    for name in ("mailers", "reports"):
        redis.sadd("shop:queues", f"shop:queue:{name}")
        redis.rpush(f"shop:queue:{name}", f"{name}-1")
        now = time.strftime("%Y-%m-%dT%H:%M:%S.0Z", time.gmtime(time.time() - 5))
        redis.hset(f"shop:job:{name}-1", mapping={"enqueued_at": now, "origin": name})
    for prefix in ("shop", "shop:"):
        collected = fetch(url, prefix=prefix, queues=["reports"])
        enqueued = [e.ref for e in collected.events if e.kind is Kind.JOB_ENQUEUED]
        assert enqueued == ["shop:job:reports-1#enqueued_at"]


def test_damaged_and_oversized_jobs_cost_only_themselves(redis: Redis, url: str) -> None:
    queue = Queue("mailers", connection=redis)
    queue.enqueue(rq_jobs.welcome_mail, user_id=1, job_id="good")
    now = time.strftime("%Y-%m-%dT%H:%M:%S.0Z", time.gmtime(time.time() - 5))
    redis.rpush("rq:queue:mailers", b"\xff\xfe", "huge", "empty", "no-hash")
    redis.hset(b"rq:job:\xff\xfe", mapping={"enqueued_at": now, "origin": b"mail\x1b[0mers"})
    redis.hset("rq:job:huge", mapping={"enqueued_at": now, "description": "x" * 1_000_000})
    redis.hset("rq:job:empty", mapping={"enqueued_at": "never"})
    collected = fetch(url)
    enqueued = {event.ref for event in collected.events if event.kind is Kind.JOB_ENQUEUED}
    assert enqueued == {
        "rq:job:good#enqueued_at",
        "rq:job:\ufffd\ufffd#enqueued_at",
        "rq:job:huge#enqueued_at",
    }
    assert any("too large" in remark.sentence for remark in collected.remarks)
    assert any(remark.topic == "gone" for remark in collected.remarks)


def test_a_key_of_another_kind_is_our_error(redis: Redis, url: str) -> None:
    redis.set("rq:queues", "not a set")
    with pytest.raises(BadAnswer, match="not what the queue library"):
        fetch(url)


def test_an_account_with_too_few_rights_is_told_which(
    redis: Redis, redis_server: RunningServer
) -> None:
    redis.acl_setuser("blind", enabled=True, passwords=["+pw"], keys=["*"], commands=["+time"])
    parts = urlsplit(redis_server.url)
    with pytest.raises(AccessRefused) as caught:
        fetch(f"redis://blind:pw@{parts.hostname}:{parts.port}/0")
    assert "+@read" in caught.value.remedy
    redis.acl_deluser("blind")


def test_the_password_may_stand_beside_the_url(redis: Redis, redis_server: RunningServer) -> None:
    parts = urlsplit(redis_server.url)
    bare = f"redis://{parts.hostname}:{parts.port}/{DATABASE}"
    assert fetch(bare, password=str(parts.password)).coverage


def test_a_look_up_by_argument_finds_jobs_of_every_age(redis: Redis, url: str) -> None:
    queue = Queue("mailers", connection=redis)
    queue.enqueue(rq_jobs.look_up, user_id=4711, job_id="failed-one")
    worked(redis, queue)
    queue.enqueue(rq_jobs.welcome_mail, user_id=4711, job_id="waiting-one")
    year_ago = Window.around(time.time_ns() - 365 * 24 * 60 * MINUTE_NS)
    collected = looked_up(connector(url), ("user:4711", "user:5"), year_ago)
    assert {key for e in collected.events for key in e.keys if key.startswith("job:")} == {
        "job:failed-one",
        "job:waiting-one",
    }
    (remark,) = [remark for remark in collected.remarks if remark.topic == "not-found"]
    assert "user:5" in remark.sentence
    assert "user:4711" not in remark.sentence


class _Monitor:
    """Collects the names of all commands clients send while the block lasts."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis
        self.commands: set[str] = set()
        self._ready = threading.Event()
        self._thread = threading.Thread(target=self._listen, daemon=True)

    def __enter__(self) -> _Monitor:
        self._thread.start()
        assert self._ready.wait(5)
        return self

    def __exit__(self, *_: object) -> None:
        self._redis.echo("that is all")
        self._thread.join(timeout=5)

    def _listen(self) -> None:
        with self._redis.monitor() as monitor:  # type: ignore[no-untyped-call]  # unannotated
            self._ready.set()
            for seen in monitor.listen():
                name = str(seen["command"]).split()[0].upper()
                if name == "ECHO":
                    return
                self.commands.add(name)
