"""What an account could change in Redis is proved by asking, and asking leaves no trace."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from urllib.parse import urlsplit

import pytest
from pydantic import SecretStr
from redis import Redis

from connectors.contract import Writes
from connectors.redis_reads import ASKING_RULES, READER_RULES, Failure, RedisReads, Reply
from connectors.redis_rights import (
    CONTROLS,
    NEWER_WRITES,
    WRITES,
    Verdict,
    commands,
    is_default,
    rights_of,
    verdict_of,
)
from connectors.rq import RQConnector, RQOptions
from connectors.sidekiq import SidekiqConnector, SidekiqOptions
from tests.connectors.queue_answers import checked
from tests.servers.process import RunningServer
from timeline.keys import KeyRules

ASKER = "rights_asker"
PASSWORD = "for-this-test"  # not a secret: the server is gone after the tests
DENIED = b"User x has no permissions to run the 'set' command"
OTHER_KEY = b"User x has no permissions to access the '1' key"
BASIC = ("+info", "+client|setname", *ASKING_RULES.split())


@pytest.fixture
def admin(redis_server: RunningServer) -> Iterator[Redis]:
    with Redis.from_url(redis_server.url) as client:
        client.acl_log_reset()
        yield client
        client.acl_deluser(ASKER)
        client.acl_log_reset()


def account(server: RunningServer, admin: Redis, *rules: str) -> str:
    """URL of an account with these rules."""
    admin.execute_command("ACL", "SETUSER", ASKER, "reset", "on", f">{PASSWORD}", *rules)  # type: ignore[no-untyped-call]  # unannotated
    parts = urlsplit(server.url)
    return f"redis://{ASKER}:{PASSWORD}@{parts.hostname}:{parts.port}/0"


def asked(url: str, ask_rights: bool | None = True) -> Verdict:
    async def ask() -> Verdict:
        reads = RedisReads(SecretStr(url))
        try:
            return await rights_of(reads, await reads.one("INFO"), url=url, ask_rights=ask_rights)
        finally:
            await reads.close()

    return asyncio.run(ask())


@pytest.mark.servers
def test_the_recommended_account_provably_cannot_write(
    redis_server: RunningServer, admin: Redis
) -> None:
    before = admin.dbsize()
    verdict = asked(account(redis_server, admin, *READER_RULES.split()))
    assert verdict.refused is True
    assert ASKER in verdict.said[0]
    assert admin.acl_log() == [], "asking was no attempt"
    assert admin.dbsize() == before


@pytest.mark.servers
def test_the_account_default_could_write(redis_server: RunningServer) -> None:
    verdict = asked(redis_server.url, None)
    assert verdict.refused is False


@pytest.mark.servers
@pytest.mark.parametrize(
    ("rules", "refused"),
    [
        (("~*", "+@read", "+pfmerge"), False),
        (("~*", "+@read", "+xgroup|destroy"), False),
        (("~*", "+@read", "+config|set"), False),
        (("&*", "+publish"), False),
        (("~*", "+@read", "+georadius"), False),
        (("%R~*", "+@read", "+georadius"), None),
        (("~other:*", "+@read", "+set"), None),
        (("~*", "+@read"), True),
        (("%R~*", "+@read"), True),
        (("~*", "+@read", "+@connection"), False),  # CLIENT KILL is one of them
    ],
)
def test_one_right_too_many_is_found(
    redis_server: RunningServer, admin: Redis, rules: tuple[str, ...], refused: bool | None
) -> None:
    assert asked(account(redis_server, admin, *rules, *BASIC)).refused is refused
    assert admin.acl_log() == []


@pytest.mark.servers
@pytest.mark.parametrize("ask_rights", [None, False])
def test_a_named_account_is_not_asked_about_unless_it_may_ask(
    redis_server: RunningServer, admin: Redis, ask_rights: bool | None
) -> None:
    url = account(redis_server, admin, "~*", "+@read", "+info", "+client|setname")
    verdict = asked(url, ask_rights)
    assert verdict.refused is None
    assert ASKING_RULES in verdict.said[0]
    assert admin.acl_log() == []


@pytest.mark.servers
def test_a_wrong_promise_is_one_refusal_and_not_two_hundred(
    redis_server: RunningServer, admin: Redis
) -> None:
    url = account(redis_server, admin, "~*", "+@read", "+info", "+client|setname")
    assert asked(url).refused is None
    (entry,) = admin.acl_log()
    assert (entry["object"], str(entry["count"])) == ("acl|whoami", "1")


@pytest.mark.servers
def test_every_command_that_this_server_counts_as_a_write_is_asked_about(admin: Redis) -> None:
    said = admin.command_list(category="write")
    written = {name.decode() if isinstance(name, bytes) else name for name in said}
    assert written <= set(commands())
    assert set(WRITES.split()) - written == set()
    assert not set(WRITES.split()) & {*NEWER_WRITES.split(), *CONTROLS.split()}


@pytest.mark.servers
@pytest.mark.parametrize("kind", ["rq", "sidekiq"])
def test_check_tells_the_two_accounts_apart(
    redis_server: RunningServer, admin: Redis, kind: str
) -> None:
    keys = {"rq": ("rq:queues", "mail"), "sidekiq": ("queues", "mail")}
    admin.sadd(*keys[kind])
    reader = account(redis_server, admin, *READER_RULES.split())

    def verdict(url: str, **options: object) -> tuple[Writes, tuple[str, ...]]:
        chosen = {"url": url, **options}
        if kind == "rq":
            report = checked(RQConnector("q", RQOptions.model_validate(chosen), KeyRules()))
        else:
            known = SidekiqOptions.model_validate(chosen)
            report = checked(SidekiqConnector("q", known, KeyRules()))
        assert report.rights
        return report.writes, report.retention

    try:
        assert verdict(reader, ask_rights=True)[0] is Writes.REFUSED
        assert verdict(reader)[0] is Writes.UNKNOWN
        assert verdict(redis_server.url)[0] is Writes.POSSIBLE
        assert "successes" in verdict(reader)[1][0]
    finally:
        admin.srem(*keys[kind])


def answers(**special: Reply | Failure) -> list[Reply | Failure]:
    return [special.get(command, DENIED) for command in commands()]


@pytest.mark.parametrize(
    ("special", "modules", "refused"),
    [
        ({}, (), True),
        ({"set": b"OK"}, (), False),
        ({"set": b"OK", "del": OTHER_KEY}, ("acme",), False),
        ({"set": OTHER_KEY}, (), None),
        ({"set": Failure("ACL DRYRUN", "ERR Command 'SET' not found")}, (), True),
        ({"set": Failure("ACL DRYRUN", "ERR wrong number of arguments for 'set'")}, (), None),
        ({"set": 1}, (), None),
        ({}, ("acme",), None),
    ],
)
def test_anything_but_a_clear_refusal_proves_nothing(
    special: dict[str, Reply | Failure], modules: tuple[str, ...], refused: bool | None
) -> None:
    assert verdict_of("x", answers(**special), modules).refused is refused


def test_a_server_that_knows_none_of_the_commands_proves_nothing() -> None:
    unknown = Failure("ACL DRYRUN", "ERR Command 'X' not found")
    assert verdict_of("x", [unknown] * len(commands()), ()).refused is None


@pytest.mark.parametrize(
    ("info", "refused", "words"),
    [
        (b"redis_version:5.0.14\r\nrole:master\r\n", False, "no accounts"),
        (b"redis_version:6.2.14\r\nrole:master\r\n", None, "7.0"),
        (b"redis_version:6.2.14\r\nrole:slave\r\nslave_read_only:1\r\n", True, "replica"),
        (b"redis_version:6.2.14\r\nrole:slave\r\nslave_read_only:0\r\n", None, "7.0"),
        (b"", None, "unknown version"),
    ],
)
def test_servers_that_cannot_be_asked(info: bytes, refused: bool | None, words: str) -> None:
    reads = RedisReads(SecretStr("redis://127.0.0.1:1/0"))  # nothing is sent to it
    verdict = asyncio.run(rights_of(reads, info, url="redis://127.0.0.1:1/0"))
    assert verdict.refused is refused
    assert words in verdict.said[0]


@pytest.mark.parametrize(
    ("url", "default"),
    [
        ("redis://cache:6379/0", True),
        ("redis://:secret@cache/0", True),
        ("redis://default:secret@cache/0", True),
        ("redis://halfawake@cache/0", False),
        ("unix:///run/redis.sock", True),
    ],
)
def test_which_account_a_url_names(url: str, default: bool) -> None:
    assert is_default(url) is default
