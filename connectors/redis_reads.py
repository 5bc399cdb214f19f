"""Reads from Redis over one connection, through an allow-list that nothing gets around.

Every command of every Redis connector is sent by `RedisReads.many`, which refuses what is not in
`ALLOWED` (or is unbounded) before a byte leaves. Speaks RESP2, because every Redis and Valkey
does; never a queue library, whose "reads" clean up, retry and delete (rq/rq: `len(registry)`).
"""

from __future__ import annotations

import asyncio
import contextlib
import errno
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias, TypeVar

from connectors.clock_sampling import ClockSample
from timeline.problems import (
    AccessRefused,
    BadAnswer,
    Misconfigured,
    MissingDriver,
    Overloaded,
    SourceProblem,
    Unreachable,
    quoted,
)

if TYPE_CHECKING:
    from pydantic import SecretStr
    from redis.asyncio.connection import AbstractConnection

Reply: TypeAlias = int | float | bytes | str | list["Reply"] | None
Word: TypeAlias = str | int | float
Command: TypeAlias = tuple[Word, ...]
T = TypeVar("T")

MESSAGE_LENGTH = 300
"""A server message is quoted up to here."""
CLIENT_NAME = "halfawake"
PAGE = 500
"""Elements asked for at once: about a millisecond of a single-threaded server."""
SCAN_KEYS = 1_000
"""Keys that one SCAN looks at: about as long for the server as a page of elements. How many calls
make a walk, `connectors.queues.redis_search` bounds."""
CONNECT_TIMEOUT_S = 5.0
READ_TIMEOUT_S = 5.0

ALLOWED: Mapping[str, str] = {
    "ACL DRYRUN": "",
    "ACL WHOAMI": "",
    "DBSIZE": "",
    "EXISTS": "",
    "GET": "",
    "GETRANGE": "",
    "HGET": "",
    "HLEN": "",
    "HMGET": "",
    "HSCAN": "COUNT",
    "HSTRLEN": "",
    "INFO": "",
    "LINDEX": "",
    "LLEN": "",
    "LRANGE": "range",
    "MEMORY USAGE": "",
    "MGET": "",
    "PEXPIRETIME": "",
    "PING": "",
    "PTTL": "",
    "SCAN": "keys",
    "SCARD": "",
    "SISMEMBER": "",
    "SLOWLOG GET": "",
    "SSCAN": "COUNT",
    "STRLEN": "",
    "TIME": "",
    "TTL": "",
    "TYPE": "",
    "XLEN": "",
    "XRANGE": "COUNT",
    "XREVRANGE": "COUNT",
    "ZCARD": "",
    "ZCOUNT": "",
    "ZRANGE": "range",
    "ZRANGEBYSCORE": "LIMIT",
    "ZSCORE": "",
}
"""Command -> what bounds it: a word that must be there, `range` for two indices, `keys` for a
walk over all keys, or nothing.

ZRANGEBYSCORE rather than ZRANGE … BYSCORE, which needs Redis 6.2. KEYS, HGETALL, SMEMBERS and
every command that pops, moves, expires or publishes are absent on purpose. ACL DRYRUN runs nothing:
it answers whether a user may run the command that follows; see `connectors.redis_rights`.
"""

ASKING_RULES = "+acl|whoami +acl|dryrun"
"""ACL rules of an account that may ask what it may do (Redis 7.0), so that `check` can prove it."""

READER_RULES = (
    "~* &* -@all +@read +time +ping +info +client|id +client|setname +slowlog|get +select +hello "
    f"-keys -randomkey -dump -touch -pfcount {ASKING_RULES}"
)
"""ACL rules of an account that can do all of this and change nothing (tested on Redis 7.0)."""


class CommandRefused(ValueError):
    """A command is not on the allow-list, or not bounded. Nothing was sent. A bug of ours."""


def permitted(command: Command) -> Command:
    """`command` itself when the allow-list holds it and it is bounded; raises `CommandRefused`."""
    words = [str(word) for word in command]
    name = words[0].upper() if words else ""
    if name not in ALLOWED and len(words) > 1:
        name = f"{name} {words[1].upper()}"
    if name not in ALLOWED:
        raise CommandRefused(f"{name!r} is not a read that halfawake may send")
    bound = ALLOWED[name]
    if bound == "range":
        first, last = (int(word) for word in words[2:4])
        if (first < 0) != (last < 0) or last - first >= PAGE:
            raise CommandRefused(f"{name} {first} {last} may return more than {PAGE} elements")
    elif bound == "keys":
        _bounded_walk(words[2:])
    elif bound and bound not in (word.upper() for word in words):
        raise CommandRefused(f"{name} without {bound} is unbounded")
    return command


def _bounded_walk(words: Sequence[str]) -> None:
    """Raises `CommandRefused` unless a SCAN says what it seeks and asks for few enough keys."""
    given = dict(zip((word.upper() for word in words[::2]), words[1::2], strict=False))
    count = given.get("COUNT", "")
    if "MATCH" not in given or not count.isdigit() or int(count) > SCAN_KEYS:
        raise CommandRefused(f"SCAN needs MATCH, and a COUNT of {SCAN_KEYS} at most")


@dataclass(frozen=True, slots=True)
class Failure:
    """One command of a pipeline was answered with an error; the others were not harmed."""

    command: str
    message: str


class RedisReads:
    """One connection, opened when first needed and ended when anything interrupts a read."""

    def __init__(
        self,
        url: SecretStr,
        connect_timeout_s: float = CONNECT_TIMEOUT_S,
        read_timeout_s: float = READ_TIMEOUT_S,
    ) -> None:
        self._url = url
        self._connect_timeout_s = connect_timeout_s
        self._read_timeout_s = read_timeout_s
        self._connection: AbstractConnection | None = None
        self._lock = asyncio.Lock()
        self.where = ""
        self.bytes_read = 0

    def __repr__(self) -> str:
        return f"RedisReads({self.where or 'not connected'})"

    async def one(self, *command: Word) -> Reply:
        """The reply to one command. Raises `SourceProblem`, `CommandRefused`."""
        (reply,) = await self.many([command])
        if isinstance(reply, Failure):
            raise refusal(reply, self.where)
        return reply

    async def many(self, commands: Sequence[Command]) -> list[Reply | Failure]:
        """Replies to a pipeline, in order; an error reply is a `Failure` in its place.

        Raises `SourceProblem` when the connection fails, `CommandRefused` before sending.
        """
        allowed = [permitted(command) for command in commands]
        return await self._alone(lambda connection: self._exchange(connection, allowed))

    async def sample_clock(self, count: int) -> list[ClockSample]:
        """`count` readings of TIME on the warm connection. Raises `SourceProblem`."""
        await self.one("PING")
        samples = []
        for _ in range(count):
            before, started = time.time_ns(), time.monotonic_ns()
            reply = await self.one("TIME")
            after = before + time.monotonic_ns() - started
            samples.append(ClockSample(before, nanoseconds_of(reply), after))
        return samples

    async def close(self) -> None:
        """Close the socket at once (there is nothing to say goodbye to). Safe to call twice."""
        connection, self._connection = self._connection, None
        if connection is not None:
            await connection.disconnect(nowait=True)

    async def _alone(self, work: Callable[[AbstractConnection], Awaitable[T]]) -> T:
        async with self._lock:
            fresh = self._connection is None
            try:
                return await work(await self._connected())
            except Unreachable:
                await self.close()
                if fresh:
                    raise
            except BaseException:
                await self.close()
                raise
            # The server ended the idle connection since the last read; reads may be repeated.
            try:
                return await work(await self._connected())
            except BaseException:
                await self.close()
                raise

    async def _exchange(
        self, connection: AbstractConnection, commands: Sequence[Command]
    ) -> list[Reply | Failure]:
        from redis.exceptions import RedisError, ResponseError

        replies: list[Reply | Failure] = []
        try:
            async with asyncio.timeout(self._read_timeout_s):
                await connection.send_packed_command(
                    connection.pack_commands(commands), check_health=False
                )
            for command in commands:
                try:
                    async with asyncio.timeout(self._read_timeout_s):
                        reply = await connection.read_response(disable_decoding=True)
                except ResponseError as error:
                    replies.append(Failure(str(command[0]), _worded(error)))
                else:
                    self.bytes_read += _size(reply)
                    replies.append(reply)
            return replies
        except (RedisError, OSError, TimeoutError) as error:
            problem = problem_from(error, self.where)
        raise problem

    async def _connected(self) -> AbstractConnection:
        if self._connection is not None and self._connection.is_connected:
            return self._connection
        try:
            from redis.asyncio.connection import ConnectionPool
            from redis.exceptions import RedisError
        except ImportError:
            raise MissingDriver(
                "The Redis driver is not installed",
                where="redis",
                remedy="Install it: pip install 'halfawake[redis]'",
            ) from None
        pool = None
        with contextlib.suppress(ValueError):  # the message of a malformed URL may quote it
            pool = ConnectionPool.from_url(
                self._url.get_secret_value(),
                protocol=2,
                encoding_errors="surrogateescape",  # names that are not UTF-8 can be asked for
                client_name=CLIENT_NAME,
                driver_info=None,
                socket_connect_timeout=self._connect_timeout_s,
                # A timeout of the driver's own is asyncio.wait_for, which before Python 3.12
                # swallows a cancellation that arrives as the write ends (python/cpython#86296).
                socket_timeout=None,
            )
        if pool is None:
            raise Misconfigured(
                "The url is not one of Redis",
                where="url",
                remedy="Write it as redis://user@host:6379/0, rediss:// for TLS.",
            )
        self.where = _place(pool.connection_kwargs)
        connection: AbstractConnection = pool.make_connection()  # type: ignore[no-untyped-call]  # so is this
        try:
            async with asyncio.timeout(self._connect_timeout_s):
                await connection.connect()  # type: ignore[no-untyped-call]  # unannotated in redis-py
        except (RedisError, OSError, TimeoutError) as error:
            problem = problem_from(error, self.where)
        except BaseException:
            await connection.disconnect(nowait=True)
            raise
        else:
            self._connection = connection
            return connection
        await connection.disconnect(nowait=True)
        raise problem


def nanoseconds_of(reply: Reply) -> int:
    """ns UTC of a reply to TIME. Raises `BadAnswer`."""
    if isinstance(reply, list) and len(reply) == 2:
        seconds, microseconds = (int(part) for part in reply if isinstance(part, bytes | int))
        return seconds * 1_000_000_000 + microseconds * 1_000
    raise BadAnswer("TIME was not answered with two numbers")


def refusal(failure: Failure, where: str) -> SourceProblem:
    """What an error reply to one command means."""
    return _from_message(f"{failure.message}", f"{where}, {failure.command}")


def problem_from(error: Exception, where: str) -> SourceProblem:
    """The sentence for a driver error. Never holds the error itself, nor the URL."""
    from redis.exceptions import (
        AuthenticationError,
        BusyLoadingError,
        ResponseError,
    )
    from redis.exceptions import TimeoutError as RedisTimeout

    message = _worded(error)
    if isinstance(error, RedisTimeout | TimeoutError):
        return Unreachable(
            "Redis did not answer in time",
            where=where,
            remedy="It or the way to it is stuck; see whether others reach it.",
        )
    if isinstance(error, AuthenticationError | BusyLoadingError | ResponseError):
        return _from_message(message, where)
    if (known := _by_code(message, where)) is not None:
        return known
    if "refused" in message.lower() or f"Error {errno.ECONNREFUSED} " in message:
        what, remedy = "Nothing listens there: the connection was refused", "Check host and port."
    elif "name or service" in message.lower() or "resolve" in message.lower():
        what, remedy = "The host name does not resolve", "Check the name, the VPN, or DNS itself."
    elif "ssl" in message.lower() or "certificate" in message.lower():
        what, remedy = "TLS could not be agreed", "Check rediss:// against redis://, and the CA."
    else:
        what, remedy = f"The connection was lost: {message}", "Try again."
    return Unreachable(what, where=where, remedy=remedy)


_STRIPPED = {
    "AskError": "MOVED",
    "BusyLoadingError": "LOADING",
    "ClusterCrossSlotError": "CROSSSLOT",
    "ClusterDownError": "CLUSTERDOWN",
    "MasterDownError": "MASTERDOWN",
    "MovedError": "MOVED",
    "NoPermissionError": "NOPERM",
}

_CODES: tuple[tuple[tuple[str, ...], type[SourceProblem], str, str], ...] = (
    (
        ("max number of clients", "maxclients"),
        Overloaded,
        "Redis has no connection left for us",
        "That is evidence too: somebody leaks connections, or maxclients is low.",
    ),
    (
        ("LOADING", "loading the dataset"),
        Overloaded,
        "Redis is loading its data: it was restarted",
        "Its restart belongs on the timeline; try again when it has loaded.",
    ),
    (
        ("MASTERDOWN",),
        Overloaded,
        "This replica has lost its primary and refuses to answer",
        "Ask the primary; the lost link belongs on the timeline.",
    ),
    (
        ("NOAUTH", "Authentication required"),
        AccessRefused,
        "Redis wants a password",
        "Put it into the url, or use password_command.",
    ),
    (
        ("WRONGPASS", "invalid username-password", "invalid password", "AUTH"),
        AccessRefused,
        "Redis refused the password",
        "Check user and password.",
    ),
    (
        ("NOPERM", "no permissions", "permission"),
        AccessRefused,
        "The Redis account may not read this",
        f"Rules that suffice: {READER_RULES}",
    ),
    (
        ("MOVED", "CLUSTERDOWN", "CROSSSLOT"),
        Misconfigured,
        "This is a node of a Redis Cluster that holds only a part of the keys",
        "Give the url of the node that holds the queue's keys.",
    ),
    (
        ("WRONGTYPE",),
        BadAnswer,
        "A key is not what the queue library makes of it",
        "Check the prefix and the database number.",
    ),
    (
        ("unknown command",),
        BadAnswer,
        "This server does not know a command that is needed",
        "Redis 5 or newer is needed.",
    ),
)


def _worded(error: Exception) -> str:
    """The error's text with its code, which the driver strips where it has a class for it."""
    message = quoted(str(error), MESSAGE_LENGTH)
    code = _STRIPPED.get(type(error).__name__, "")
    return message if message.startswith(code) else f"{code} {message}"


def _by_code(message: str, where: str) -> SourceProblem | None:
    for codes, kind, what, remedy in _CODES:
        if any(code in message for code in codes):
            return kind(what, where=where, remedy=remedy)
    return None


def _from_message(message: str, where: str) -> SourceProblem:
    known = _by_code(message, where)
    return known or BadAnswer(
        f"Redis answered: {message}", where=where, remedy="Is it Redis? See its own log."
    )


def _place(parts: Mapping[str, object]) -> str:
    if "path" in parts:
        return f"{parts['path']} database {parts.get('db', 0)}"
    return f"{parts.get('host', 'localhost')}:{parts.get('port', 6379)}/{parts.get('db', 0)}"


def _size(reply: object) -> int:
    if isinstance(reply, bytes | str):
        return len(reply)
    return sum(_size(part) for part in reply) if isinstance(reply, list) else 8
