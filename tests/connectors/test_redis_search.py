"""Queues that nobody has named: found by one bounded walk, and what is said when it was not all."""

from __future__ import annotations

import asyncio
import json
import secrets
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from redis import Redis

from connectors.bullmq import BullMQConnector, BullMQOptions
from connectors.contract import CheckReport
from connectors.discovery import Place, Sampled
from connectors.dramatiq import DramatiqConnector, DramatiqOptions
from connectors.queues.redis_search import MAX_CALLS
from connectors.redis_reads import SCAN_KEYS, CommandRefused, permitted
from tests.conformance.collecting import Collected, fetched, looked_up
from tests.conformance.redis_queue import reader_url
from tests.connectors.queue_answers import last_minutes
from tests.connectors.workers.starting import add_to_bullmq, called, numbered
from tests.servers.process import RunningServer
from tests.servers.redis import READER_RULES
from timeline.coverage import Sight
from timeline.event import Kind
from timeline.keys import KeyRules
from timeline.problems import AccessRefused, NothingHere

servers = pytest.mark.servers
DATABASE = 11
OTHERS = 200_000

Kinds = type[BullMQConnector] | type[DramatiqConnector]


@pytest.fixture
def redis(redis_server: RunningServer) -> Iterator[Redis]:
    with Redis.from_url(numbered(redis_server.url, DATABASE)) as client:
        client.flushdb()
        yield client
        client.flushdb()


@pytest.fixture
def admin(redis: Redis, redis_server: RunningServer) -> str:
    """The server's own URL; the database is empty."""
    return numbered(redis_server.url, DATABASE)


@pytest.fixture
def url(redis: Redis, redis_server: RunningServer) -> str:
    """The recommended account."""
    return reader_url(redis_server, DATABASE)


def made(kind: Kinds, url: str, **options: object) -> BullMQConnector | DramatiqConnector:
    if kind is BullMQConnector:
        return BullMQConnector(
            "jobs", BullMQOptions.model_validate({"url": url, **options}), KeyRules()
        )
    return DramatiqConnector(
        "jobs", DramatiqOptions.model_validate({"url": url, **options}), KeyRules()
    )


def fetch(kind: Kinds, url: str, **options: object) -> Collected:
    return fetched(made(kind, url, **options), last_minutes())


def asked(kind: Kinds, url: str, **options: object) -> tuple[CheckReport, Sampled]:
    async def ask() -> tuple[CheckReport, Sampled]:
        connector = made(kind, url, **options)
        try:
            return await connector.check(), await connector.sample()
        finally:
            await connector.close()

    return asyncio.run(ask())


def queues(collected: Collected) -> set[str]:
    return {e.actor for e in collected.events if e.kind is Kind.METRIC}


def cuts(collected: Collected) -> str:
    return " ".join(r.sentence for r in collected.remarks if r.topic == "cut")


def filled(redis: Redis, count: int = OTHERS) -> None:
    """Other applications' keys, some named almost like a queue's."""
    for start in range(0, count, 5_000):
        redis.mset({f"session:{n}": "x" for n in range(start, start + 5_000)})
    redis.hset("bull:mail:4711:meta", mapping={"name": "a job whose id somebody chose"})
    redis.set("bull:text:meta", "no hash")
    redis.hset("bullet:mail:meta", "version", "1")


@servers
class TestBullMQ:
    def test_found_among_many_other_keys(self, redis: Redis, admin: str, url: str) -> None:
        filled(redis)
        for queue in ("mail", "orders"):
            add_to_bullmq(admin, queue, [{"name": "welcome", "data": {"user_id": 7}, "opts": {}}])
        began = time.monotonic()
        collected = fetch(BullMQConnector, url)
        assert time.monotonic() - began < 5
        assert queues(collected) == {"mail", "orders"}
        assert cuts(collected) == ""
        report, sampled = asked(BullMQConnector, url)
        assert "queue mail: 1 wait" in " ".join(report.facts)
        assert sampled.notes == ("queues found by a search at every start: mail, orders",)

    def test_the_cap_is_said(
        self, redis: Redis, admin: str, url: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        filled(redis, 50_000)
        for n in range(40):
            redis.hset(f"bull:q{n}:meta", mapping={"version": "bullmq:6", "opts.maxLenEvents": 1})
        monkeypatch.setattr("connectors.queues.redis_search.MAX_CALLS", 20)
        collected = fetch(BullMQConnector, url)
        assert 0 < len(queues(collected)) < 40
        assert "among about 20,000 of 50,043 keys; name those that are missing" in cuts(collected)
        assert Sight.FULL not in {
            c.sight for c in collected.coverage if c.start < time.time_ns() - 10**9
        }
        missing = looked_up(made(BullMQConnector, url), ("job:77",), last_minutes())
        assert any("among about 20,000" in r.sentence for r in missing.remarks)
        monkeypatch.setattr("connectors.queues.redis_search.WALK_S", 0.0)
        assert "among about 1,000 of" in " ".join(_facts_or_problem(url))

    def test_named_queues_are_not_searched_for(self, redis: Redis, admin: str, url: str) -> None:
        add_to_bullmq(admin, "mail", [{"name": "welcome", "data": {}, "opts": {}}])
        add_to_bullmq(admin, "orders", [{"name": "welcome", "data": {}, "opts": {}}])
        before = redis.info("commandstats").get("cmdstat_scan", {}).get("calls", 0)
        assert queues(fetch(BullMQConnector, url, queues=["mail"])) == {"mail"}
        assert asked(BullMQConnector, url, queues=["mail"])[1] == Sampled()
        after = redis.info("commandstats").get("cmdstat_scan", {}).get("calls", 0)
        assert after == before

    def test_one_search_serves_a_whole_collection(self, redis: Redis, admin: str, url: str) -> None:
        add_to_bullmq(admin, "mail", [{"name": "welcome", "data": {}, "opts": {}}])
        before = redis.info("commandstats").get("cmdstat_scan", {}).get("calls", 0)
        asked(BullMQConnector, url)  # check and sample over one connector
        after = redis.info("commandstats")["cmdstat_scan"]["calls"]
        assert after == before + 1

    def test_an_account_without_scan(self, redis: Redis, admin: str) -> None:
        add_to_bullmq(admin, "mail", [{"name": "welcome", "data": {}, "opts": {}}])
        narrow = _account(redis, admin, "-scan")
        with pytest.raises(AccessRefused) as caught:
            asked(BullMQConnector, narrow)
        assert "cannot be searched for: the Redis account has no +scan" in caught.value.what
        assert 'queues = ["mail"]' in caught.value.remedy
        assert queues(fetch(BullMQConnector, narrow, queues=["mail"])) == {"mail"}

    def test_nothing_there(self, redis: Redis, url: str) -> None:
        filled(redis, 5_000)
        with pytest.raises(NothingHere) as caught:
            asked(BullMQConnector, url)
        assert "No BullMQ queue was found" in caught.value.what


def _facts_or_problem(url: str) -> list[str]:
    try:
        return list(asked(BullMQConnector, url)[0].facts)
    except NothingHere as problem:
        return [problem.what]


@servers
class TestDramatiq:
    def test_found_among_many_other_keys(self, redis: Redis, admin: str, url: str) -> None:
        filled(redis)
        for queue in ("default", "mail.high"):
            message: dict[str, object] = {
                "queue_name": queue,
                "actor_name": "welcome",
                "args": [7],
                "kwargs": {},
            }
            message |= {"options": {"redis_message_id": "r1"}, "message_id": "m1"}
            stamped = {**message, "message_timestamp": time.time_ns() // 10**6}
            redis.rpush(f"dramatiq:{queue}", "r1")
            redis.hset(f"dramatiq:{queue}.msgs", "r1", json.dumps(stamped))
        redis.zadd("dramatiq:dead.XQ", {"r2": 1})
        redis.sadd("dramatiq:__acks__.6a1f.held.DQ", "r3")
        redis.zadd("dramatiq:__heartbeats__", {"6a1f": 1})
        collected = fetch(DramatiqConnector, url)
        assert queues(collected) == {"default", "mail.high", "dead", "held"}
        assert cuts(collected) == ""
        _, sampled = asked(DramatiqConnector, url)
        assert sampled.notes == (
            "queues found by a search at every start: dead, default, held, mail.high",
        )

    def test_a_real_broker_and_an_account_without_scan(
        self, redis: Redis, admin: str, url: str
    ) -> None:
        called(admin, "dramatiq_app", "welcome_mail.send(7)")
        assert queues(fetch(DramatiqConnector, url))
        narrow = fetch(DramatiqConnector, _account(redis, admin, "-scan"))
        assert queues(narrow) == {"default"}
        assert "could not be searched for (the Redis account has no +scan)" in cuts(narrow)

    def test_an_idle_broker(self, redis: Redis, url: str) -> None:
        redis.zadd("dramatiq:__heartbeats__", {"6a1f": 1})
        assert queues(fetch(DramatiqConnector, url)) == {"default"}


def _account(redis: Redis, admin: str, *rules: str) -> str:
    """URL of the recommended account with a few rules more."""
    name, password = f"narrow{secrets.token_hex(3)}", secrets.token_hex(8)
    known = [*READER_RULES, *rules]
    redis.execute_command("ACL", "SETUSER", name, "on", f">{password}", *known)  # type: ignore[no-untyped-call]  # unannotated
    parts = urlsplit(admin)
    login = f"{name}:{password}@{parts.hostname}:{parts.port}"
    return parts._replace(netloc=login).geturl()


@pytest.mark.parametrize(
    "command",
    [
        ("SCAN", 0),
        ("SCAN", 0, "COUNT", 10),
        ("SCAN", 0, "MATCH", "bull:*"),
        ("SCAN", 0, "MATCH", "bull:*", "COUNT", SCAN_KEYS + 1),
        ("SCAN", 0, "MATCH", "COUNT", "COUNT", "MATCH"),
    ],
    ids=str,
)
def test_an_unbounded_walk_is_never_sent(command: tuple[str | int, ...]) -> None:
    with pytest.raises(CommandRefused):
        permitted(command)


def test_a_bounded_walk_is() -> None:
    assert permitted(("SCAN", "0", "MATCH", "bull:*:meta", "COUNT", SCAN_KEYS))
    assert MAX_CALLS * SCAN_KEYS <= 300_000


def test_candidates_need_no_checkout(tmp_path: Path) -> None:
    variables = {"REDIS_URL": "redis://:secret@host"}
    (candidate,) = BullMQConnector.candidates(Place(variables, tmp_path, tmp_path))
    assert dict(candidate.options) == {"url": "${REDIS_URL}"}
