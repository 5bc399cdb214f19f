"""What every queue on Redis has in common: its options, its one connection, what Redis says of it.

Reads only, through `connectors.redis_reads`; a list of unknown length is read from its ends and a
value of unknown size is measured before it is fetched.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar
from urllib.parse import quote, urlsplit

from pydantic import BaseModel, ConfigDict, Field, SecretStr

from connectors.clock_sampling import SAMPLES, reading_from
from connectors.discovery import Candidate, Place
from connectors.queues.account import Account
from connectors.redis_marks import information
from connectors.redis_reads import (
    CONNECT_TIMEOUT_S,
    PAGE,
    READ_TIMEOUT_S,
    Command,
    Failure,
    RedisReads,
    Reply,
    nanoseconds_of,
    refusal,
)
from connectors.redis_rights import rights_of
from timeline.batch import Batch
from timeline.clean import clean, clean_bytes
from timeline.clock import ClockReading
from timeline.coverage import Coverage
from timeline.event import Event, Lane
from timeline.keys import KeyRules
from timeline.window import Budget

VALUE_BYTES = 16 * 1024
"""Largest single value (a payload, an error) that is fetched; a larger one is only measured."""
PAGE_BYTES = 4 * 1024 * 1024
"""Most that one range of a list or stream may be expected to weigh."""
MAX_MEMBERS = 200
"""Members read of a set that names queues, workers or running jobs."""
REDIS_SCHEMES = ("redis://", "rediss://", "unix://")


class RedisQueueOptions(BaseModel):
    """How to reach the Redis of a queue."""

    model_config = ConfigDict(
        extra="forbid", frozen=True, hide_input_in_errors=True, validate_default=True
    )

    url: SecretStr
    """`redis://user@host:6379/0`, `rediss://` for TLS, `unix:///path` for a socket."""
    password: SecretStr | None = None
    """Kept out of the url, when that is easier to supply."""
    page_jobs: int = Field(default=PAGE, ge=1, le=PAGE)
    max_jobs: int = Field(default=5_000, ge=1, le=100_000)
    """Jobs read from one list or set; more than this is said, not read."""
    arguments: dict[str, tuple[str, ...]] = Field(default_factory=dict)
    """Names of positional arguments by job: `welcome_mail = ["user_id"]` makes the 4711 of
    `welcome_mail(4711)` the key `user:4711`. A bare number is never a key."""
    producer_clock: str = ""
    """Name of the clock that stamps jobs as they are enqueued, when one host enqueues them all."""
    ask_rights: bool | None = None
    """True: the account has the rules `+acl|whoami +acl|dryrun`, so `check` may ask what it may
    do. False asks nothing. Left out, only Redis' own account `default` is asked about."""
    connect_timeout_s: float = Field(default=CONNECT_TIMEOUT_S, gt=0, le=60)
    read_timeout_s: float = Field(default=READ_TIMEOUT_S, gt=0, le=60)

    def address(self) -> SecretStr:
        """The URL with the separate password, if any, put into it."""
        if self.password is None:
            return self.url
        parts = urlsplit(self.url.get_secret_value())
        user, host = parts.username or "", parts.netloc.rpartition("@")[2]
        secret = quote(self.password.get_secret_value(), safe="")
        return SecretStr(parts._replace(netloc=f"{user}:{secret}@{host}").geturl())


@dataclass(frozen=True, slots=True)
class ServerFacts:
    """What Redis says of itself that matters to a queue, and of what our account may do."""

    version: str
    facts: tuple[str, ...]
    writes_refused: bool | None
    rights: tuple[str, ...] = ()
    """What `writes_refused` rests on; see `connectors.redis_rights`."""


class RedisQueue:
    """One queue system on one Redis: the part of `connectors.contract.Connector` they share."""

    system: ClassVar[str] = ""
    lane: ClassVar[Lane] = Lane.QUEUE
    Options: ClassVar[type[BaseModel]] = RedisQueueOptions

    def __init__(self, source: str, options: BaseModel, key_rules: KeyRules) -> None:
        if not isinstance(options, RedisQueueOptions) or not isinstance(options, self.Options):
            raise TypeError(f"{type(self).__name__} needs {self.Options.__name__}")
        self.source = source
        self._redis_options = options
        self._key_rules = key_rules
        self._redis = RedisReads(
            options.address(), options.connect_timeout_s, options.read_timeout_s
        )

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.source!r}, {self._redis!r})"

    async def clock(self) -> ClockReading | None:
        """Redis' clock against ours: the best of nine readings of TIME."""
        return reading_from(self.source, await self._redis.sample_clock(SAMPLES))

    async def close(self) -> None:
        """End the connection. Safe to call twice."""
        await self._redis.close()

    async def _opened(self, budget: Budget) -> Account:
        return Account.opened(self.source, nanoseconds_of(await self._redis.one("TIME")), budget)

    def _told(
        self, events: Sequence[Event], account: Account, coverage: Sequence[Coverage] = ()
    ) -> Batch:
        """A batch within the budget, with the bytes that travelled for it."""
        read, self._redis.bytes_read = self._redis.bytes_read, 0
        return account.batch(events, bytes_read=read, coverage=coverage)

    def _paged(
        self, events: Sequence[Event], account: Account, page: int, where: str = ""
    ) -> Iterator[Batch]:
        """Batches of `page` events while the budget lasts; what is left then is said as a cut."""
        for start in range(0, len(events), page):
            if account.exhausted:
                found = f"{where}: {len(events)}" if where else str(len(events))
                account.cut(f"{found} events were found, not all of them were told")
                return
            yield self._told(events[start : start + page], account)

    async def _server(self) -> ServerFacts:
        url = self._redis_options.address().get_secret_value()
        return await server_facts(self._redis, url, self._redis_options.ask_rights)


async def server_facts(redis: RedisReads, url: str, ask_rights: bool | None) -> ServerFacts:
    """Version, role, what is dropped under pressure, and rights. Raises `SourceProblem`."""
    reply = await redis.one("INFO")
    info = information(reply)
    version, role = info.get("redis_version", "of unknown version"), info.get("role", "")
    facts = [f"Redis {version} at {redis.where}, {role or 'role unknown'}"]
    if info.get("evicted_keys", "0") != "0":
        facts.append(f"Redis evicted {info['evicted_keys']} keys: jobs may have been lost")
    policy = info.get("maxmemory_policy", "noeviction")
    if policy != "noeviction":
        facts.append(f"maxmemory-policy is {policy}: under pressure Redis drops jobs silently")
    verdict = await rights_of(redis, reply, url=url, ask_rights=ask_rights)
    return ServerFacts(version, tuple(facts), verdict.refused, verdict.said)


async def replies(redis: RedisReads, commands: Sequence[Command]) -> list[Reply]:
    """Replies in pipelines of `PAGE` commands. The first error reply is raised as a problem."""
    answered: list[Reply] = []
    for start in range(0, len(commands), PAGE):
        for reply in await redis.many(commands[start : start + PAGE]):
            if isinstance(reply, Failure):
                raise refusal(reply, redis.where)
            answered.append(reply)
    return answered


async def bounded_fields(
    redis: RedisReads, places: Sequence[tuple[str, str]]
) -> tuple[list[bytes | None], dict[tuple[str, str], int]]:
    """Values of (hash, field) pairs; one above `VALUE_BYTES` is None and its size is told."""
    sizes = await replies(redis, [("HSTRLEN", key, field) for key, field in places])
    large = {
        place: size
        for place, size in zip(places, map(whole, sizes), strict=True)
        if size > VALUE_BYTES
    }
    wanted = [place for place in places if place not in large]
    values = await replies(redis, [("HGET", key, field) for key, field in wanted])
    found = dict(zip(wanted, map(octets, values), strict=True))
    return [found.get(place) for place in places], large


async def members(redis: RedisReads, key: str, limit: int = MAX_MEMBERS) -> list[str]:
    """Members of a set by SSCAN, each once, at most `limit`, as they may be asked for again."""
    found: dict[str, None] = {}
    cursor = "0"
    for _ in range(limit):
        reply = listed(await redis.one("SSCAN", key, cursor, "COUNT", PAGE))
        if len(reply) != 2:
            break
        cursor = name(reply[0])
        found.update(dict.fromkeys(name(member) for member in listed(reply[1])))
        if cursor == "0" or len(found) >= limit:
            break
    return list(found)[:limit]


async def affordable(redis: RedisReads, key: str, length: int, wanted: int) -> int:
    """How many elements of a list or stream may be asked for at once, by their usual weight."""
    if length <= 0:
        return 0
    weight = whole(await redis.one("MEMORY USAGE", key)) // length
    return max(0, min(wanted, PAGE, PAGE_BYTES // max(weight, 1)))


async def tail(redis: RedisReads, key: str, count: int) -> list[bytes]:
    """The last `count` (at most `PAGE`) elements of a list."""
    reply = await redis.one("LRANGE", key, -count, -1) if count else None
    return [octets(element) or b"" for element in listed(reply)]


async def head(redis: RedisReads, key: str, count: int) -> list[bytes]:
    """The first `count` (at most `PAGE`) elements of a list."""
    reply = await redis.one("LRANGE", key, 0, count - 1) if count else None
    return [octets(element) or b"" for element in listed(reply)]


async def ends(redis: RedisReads, key: str, length: int, each: int) -> list[bytes]:
    """Both ends of a list: at most `each` from its head and as many from its tail, in order."""
    first = await head(redis, key, await affordable(redis, key, length, min(each, length)))
    rest = min(each, length - len(first)) if first else 0
    return first + await tail(redis, key, await affordable(redis, key, length, rest))


def redis_candidates(
    place: Place, connector: str, variables: Sequence[str], options: Mapping[str, object]
) -> Iterator[Candidate]:
    """One candidate for each of `variables` that holds the URL of a Redis."""
    for variable in variables:
        if place.variables.get(variable, "").startswith(REDIS_SCHEMES):
            found: dict[str, object] = {"url": f"${{{variable}}}", **options}
            yield Candidate(connector, connector, found, f"the variable {variable}")


def text(value: Reply) -> str:
    """A reply as cleaned text, to be shown; never to be sent again."""
    return clean_bytes(value) if isinstance(value, bytes) else clean(_plain(value))


def name(value: Reply) -> str:
    """A key, member or id as it is: undecodable bytes survive being sent again."""
    return value.decode("utf-8", "surrogateescape") if isinstance(value, bytes) else _plain(value)


def octets(value: Reply) -> bytes | None:
    return value if isinstance(value, bytes) else None


def listed(value: Reply) -> list[Reply]:
    return value if isinstance(value, list) else []


def whole(value: Reply) -> int:
    return value if isinstance(value, int) else 0


def scored(value: Reply) -> list[tuple[str, float]]:
    """Members and scores of a reply WITHSCORES, in its order."""
    flat = listed(value)
    return [(name(m), float(text(s))) for m, s in zip(flat[::2], flat[1::2], strict=False)]


def _plain(value: Reply) -> str:
    return "" if value is None else str(value)
