"""What Redis remembers of the window: its start, and slow commands without their arguments."""

from __future__ import annotations

import asyncio
import time

import pytest
from pydantic import SecretStr
from redis import Redis

from connectors.redis_marks import information, read_marks
from connectors.redis_reads import RedisReads
from tests.servers.process import RunningServer, ServerMissing
from tests.servers.pytest_fixtures import skip_or_fail
from tests.servers.redis import redis
from timeline.event import Event, Kind
from timeline.window import MINUTE_NS, Window


def marks(server: RunningServer) -> list[Event]:
    async def read() -> list[Event]:
        reads = RedisReads(SecretStr(server.url))
        try:
            return await read_marks(reads, "queue", Window.around(time.time_ns(), MINUTE_NS))
        finally:
            await reads.close()

    return asyncio.run(read())


@pytest.mark.servers
def test_a_start_in_the_window_is_told_to_the_second_and_steadily() -> None:
    before = time.time_ns()
    try:
        server = redis()
    except ServerMissing as missing:
        skip_or_fail(missing)
    with server:
        after = time.time_ns()
        looks = [marks(server) for _ in range(5)]
        if server.version.startswith("6"):
            pytest.skip("this Redis does not state its clock beside its uptime")
        (started,) = looks[0]
        assert looks == [[started]] * 5
    assert started.kind is Kind.CHANGE
    assert before - 1_000_000_000 <= started.timestamp <= after


@pytest.mark.servers
def test_a_slow_command_is_told_without_its_data(redis_server: RunningServer) -> None:
    with Redis.from_url(redis_server.url, client_name="web") as client:
        client.slowlog_reset()
        client.rpush("slow:list", *(f"secret-{n}" for n in range(20_000)))
        client.config_set("slowlog-log-slower-than", 0)
        client.lpos("slow:list", "secret-missing")
        client.config_set("slowlog-log-slower-than", 10_000)
    told = [event for event in marks(redis_server) if event.kind is Kind.LOG]
    (slow,) = [event for event in told if "LPOS" in event.body]
    assert "slow:list" in slow.body
    assert "web" in slow.body
    assert not [event for event in told if "secret" in event.body]


def test_information_survives_hostile_values() -> None:
    assert information(b"# Server\r\nredis_version:7.0\x1b[31m\r\nodd\r\n")["redis_version"] == (
        "7.0\u241b[31m"
    )
    assert information(None) == {}
