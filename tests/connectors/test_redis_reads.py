"""The allow-list that every Redis command goes through, and the sentences for what goes wrong."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from urllib.parse import urlsplit

import pytest
from pydantic import SecretStr
from redis import Redis

from connectors.redis_reads import (
    ALLOWED,
    PAGE,
    READER_RULES,
    Command,
    CommandRefused,
    RedisReads,
    permitted,
)
from tests.connectors.fake_redis import FakeRedis
from tests.servers.process import RunningServer
from tests.servers.redis import READER_RULES as TESTED_RULES
from timeline.problems import (
    AccessRefused,
    BadAnswer,
    Misconfigured,
    Overloaded,
    SourceProblem,
    Unreachable,
)

WRITES_AND_WORSE: tuple[Command, ...] = (
    ("SET", "k", "v"),
    ("DEL", "k"),
    ("UNLINK", "k"),
    ("EXPIRE", "k", 1),
    ("LPOP", "k"),
    ("BLMOVE", "a", "b", "LEFT", "RIGHT", 0),
    ("ZADD", "k", 1, "m"),
    ("XADD", "k", "*", "f", "v"),
    ("XREADGROUP", "GROUP", "g", "c", "STREAMS", "k", ">"),
    ("HSET", "k", "f", "v"),
    ("GETDEL", "k"),
    ("GETEX", "k"),
    ("EVAL", "return 1", 0),
    ("FCALL", "f", 0),
    ("CONFIG", "GET", "*"),
    ("CONFIG SET", "maxmemory", 1),
    ("FLUSHALL",),
    ("KEYS", "*"),
    ("MONITOR",),
    ("SUBSCRIBE", "c"),
    ("CLIENT", "KILL", "ID", 1),
    ("SLOWLOG", "RESET"),
    ("MEMORY", "PURGE"),
    ("DEBUG", "SLEEP", 1),
    ("SHUTDOWN",),
    ("HGETALL", "k"),
    ("SMEMBERS", "k"),
    ("SORT", "k", "STORE", "x"),
    (),
    ("get ", "k"),
    ("GET\r\nDEL k", "k"),
)
UNBOUNDED: tuple[Command, ...] = (
    ("LRANGE", "k", 0, -1),
    ("LRANGE", "k", 0, PAGE),
    ("LRANGE", "k", -PAGE - 1, -1),
    ("ZRANGE", "k", 0, -1),
    ("ZRANGEBYSCORE", "k", "-inf", "+inf"),
    ("XRANGE", "k", "-", "+"),
    ("XREVRANGE", "k", "+", "-"),
    ("SSCAN", "k", 0),
)


@pytest.mark.parametrize("command", [*WRITES_AND_WORSE, *UNBOUNDED], ids=str)
def test_a_refused_command_never_reaches_the_server(command: Command) -> None:
    async def attempt() -> bytes:
        async with FakeRedis().serving() as server:
            reads = RedisReads(SecretStr(server.url))
            with pytest.raises(CommandRefused):
                await reads.many([("PING",), command])
            await reads.close()
            return server.received

    assert asyncio.run(attempt()) == b""


@pytest.mark.parametrize(
    "command",
    [
        ("lrange", "k", 0, PAGE - 1),
        ("LRANGE", "k", -PAGE, -1),
        ("ZRANGEBYSCORE", "k", 0, 1, "WITHSCORES", "LIMIT", 0, 10),
        ("XREVRANGE", "k", "+", "-", "COUNT", 10),
        ("MEMORY", "USAGE", "k"),
        ("MEMORY USAGE", "k"),
        ("SLOWLOG", "GET", 128),
    ],
    ids=str,
)
def test_bounded_reads_are_permitted(command: Command) -> None:
    assert permitted(command) == command


def test_the_allow_list_holds_no_command_that_writes() -> None:
    allowed = {name.partition(" ")[0] for name in ALLOWED}
    assert not allowed & {str(command[0]).strip() for command in WRITES_AND_WORSE if command} - {
        "MEMORY",
        "SLOWLOG",
    }


def test_the_rules_we_recommend_are_the_ones_we_test_with() -> None:
    assert READER_RULES.split() == list(TESTED_RULES)


@pytest.mark.servers
def test_every_allowed_command_is_a_read_to_the_server(redis_server: RunningServer) -> None:
    with Redis.from_url(redis_server.url) as admin:
        for name in ALLOWED:
            known = admin.execute_command("COMMAND", "INFO", name.replace(" ", "|").lower())
            flags = next(iter(known.values()))["flags"] if isinstance(known, dict) else known[0][2]
            assert not {"write", b"write"} & set(flags), name


@pytest.mark.parametrize(
    ("reply", "expected", "words"),
    [
        (b"-LOADING Redis is loading the dataset in memory\r\n", Overloaded, "restarted"),
        (b"-ERR max number of clients reached\r\n", Overloaded, "connection left"),
        (b"-NOAUTH Authentication required.\r\n", AccessRefused, "password"),
        (b"-NOPERM this user has no permissions to run 'time'\r\n", AccessRefused, "may not read"),
        (b"-MOVED 1 10.0.0.1:6379\r\n", Misconfigured, "Cluster"),
        (b"-MASTERDOWN Link with MASTER is down\r\n", Overloaded, "primary"),
        (b"-WRONGTYPE Operation against a key\r\n", BadAnswer, "queue library"),
        (b"-ERR something \x1b[31mnew\r\n", BadAnswer, "new"),
        (b"+OK\r\n", BadAnswer, "TIME"),
    ],
)
def test_error_replies_become_sentences(
    reply: bytes, expected: type[SourceProblem], words: str
) -> None:
    async def ask() -> SourceProblem:
        async with FakeRedis(reply).serving() as server:
            reads = RedisReads(SecretStr(server.url))
            with pytest.raises(SourceProblem) as caught:
                await reads.sample_clock(1)
            await reads.close()
            return caught.value

    problem = asyncio.run(ask())
    assert isinstance(problem, expected)
    assert words in problem.sentence()
    assert "\x1b" not in problem.sentence()


def _problem(url: str, ask: Callable[[RedisReads], Awaitable[object]]) -> SourceProblem:
    async def attempt() -> SourceProblem:
        reads = RedisReads(SecretStr(url), connect_timeout_s=1, read_timeout_s=0.3)
        with pytest.raises(SourceProblem) as caught:
            await ask(reads)
        await reads.close()
        return caught.value

    return asyncio.run(attempt())


@pytest.mark.servers
def test_a_wrong_password_is_not_repeated(redis_server: RunningServer) -> None:
    parts = urlsplit(redis_server.url)
    url = f"redis://:wrong-secret@{parts.hostname}:{parts.port}/0"
    problem = _problem(url, lambda reads: reads.one("PING"))
    assert isinstance(problem, AccessRefused)
    assert "wrong-secret" not in problem.sentence() + repr(vars(problem))
    assert problem.__context__ is None


@pytest.mark.servers
def test_no_password_is_asked_for(redis_server: RunningServer) -> None:
    parts = urlsplit(redis_server.url)
    problem = _problem(f"redis://{parts.hostname}:{parts.port}/0", lambda reads: reads.one("PING"))
    assert isinstance(problem, AccessRefused)
    assert "wants a password" in problem.sentence()


@pytest.mark.servers
def test_one_error_in_a_pipeline_harms_no_other_command(redis_server: RunningServer) -> None:
    with Redis.from_url(redis_server.url) as admin:
        admin.set("plain", "text")

    async def ask() -> list[object]:
        reads = RedisReads(SecretStr(redis_server.url))
        try:
            return list(await reads.many([("GET", "plain"), ("LLEN", "plain"), ("PING",)]))
        finally:
            await reads.close()

    first, second, third = asyncio.run(ask())
    assert first == b"text"
    assert "WRONGTYPE" in getattr(second, "message", "")
    assert third == b"PONG"


def test_a_malformed_url_is_not_quoted() -> None:
    problem = _problem("http://u:hidden-secret@h", lambda reads: reads.one("PING"))
    assert isinstance(problem, Misconfigured)
    assert "hidden-secret" not in problem.sentence()


def test_a_server_that_stops_answering() -> None:
    async def ask() -> SourceProblem:
        async with FakeRedis(b"").serving() as server:
            reads = RedisReads(SecretStr(server.url), read_timeout_s=0.2)
            with pytest.raises(SourceProblem) as caught:
                await reads.one("PING")
            return caught.value

    problem = asyncio.run(ask())
    assert isinstance(problem, Unreachable)
    assert "in time" in problem.sentence()


@pytest.mark.servers
def test_a_connection_ended_between_reads_is_opened_again(redis_server: RunningServer) -> None:
    async def twice() -> object:
        reads = RedisReads(SecretStr(redis_server.url))
        try:
            await reads.one("PING")
            with Redis.from_url(redis_server.url) as admin:
                for client in admin.client_list():
                    if client["name"] == "halfawake":
                        admin.client_kill_filter(_id=client["id"])
            return await reads.one("PING")
        finally:
            await reads.close()

    assert asyncio.run(twice()) == b"PONG"
