"""One connection, one short read-only transaction per read, and nothing that outlives it.

Every read is `BEGIN READ ONLY; SET LOCAL …` then one fixed statement, then `COMMIT`. No
session-level setting, no server-side prepared statement: a pooler in transaction mode (PgBouncer)
can hand the server connection on after each read. No transaction is ever open while a caller
thinks, and whatever interrupts a read ends the connection within a second.
"""

from __future__ import annotations

import asyncio
import logging
import re
import time
from collections.abc import Callable, Coroutine, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, LiteralString, TypeAlias, TypeVar

from connectors.clock_sampling import ClockSample
from connectors.postgresql.options import PostgreSQLOptions
from connectors.postgresql.problems import missing_driver, problem_from
from timeline.clean import clean_bytes
from timeline.problems import Misconfigured, SourceProblem, Unreachable

if TYPE_CHECKING:
    import psycopg
    from psycopg import sql
    from psycopg.abc import Loader

APPLICATION_NAME = "halfawake"
"""Shown in pg_stat_activity, so that nobody has to wonder who is reading."""
CANCEL_S = 0.4
"""How long an interrupted statement gets to end politely; then the socket is closed."""
JIT_SINCE = 11_00_00
"""First version that knows the setting, as libpq counts versions."""
MARGIN_S = 2.0
"""Network time allowed on top of the server's own statement timeout."""

FRAMEWORK_URL = re.compile(r"postgres(?:ql)?(?:\+\w+)?://([^?]*)(?:\?(.*))?", re.DOTALL)

_SILENT = logging.NullHandler()

Cell: TypeAlias = str | int | bool | list[int] | None
"""What a statement may answer: text (cleaned), whole numbers, booleans, arrays of whole numbers.
Statements cast everything else, instants to µs since the epoch: `(extract(epoch FROM …) *
1000000)::bigint`. EXPLAIN's JSON arrives unpacked; only `plans` looks at it."""
Row: TypeAlias = tuple[Cell, ...]
Parameter: TypeAlias = str | int | Sequence[str] | Sequence[int]
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Limits:
    """Bounds of one read."""

    connect_timeout_s: float
    statement_timeout_ms: int
    lock_timeout_ms: int

    @property
    def read_s(self) -> float:
        return self.statement_timeout_ms / 1_000 + MARGIN_S

    def begin(self, server_version: int) -> str:
        """The opening of every transaction, as one simple query.

        Without JIT: where a plan looks dear, even EXPLAIN would first load the compiler, which
        takes longer than any of our statements (PostgreSQL 15: tens of milliseconds a session).

        With row_security off PostgreSQL refuses a read that a policy would filter, instead of
        leaving rows out in silence: a hidden row must never look like an absent one.
        """
        return (
            "BEGIN READ ONLY;"
            f" SET LOCAL statement_timeout = {self.statement_timeout_ms:d};"
            f" SET LOCAL lock_timeout = {self.lock_timeout_ms:d};"
            f" SET LOCAL idle_in_transaction_session_timeout = {int(self.read_s * 1_000):d};"
            " SET LOCAL row_security = off"
            f"{'; SET LOCAL jit = off' if server_version >= JIT_SINCE else ''}"
        )


class Session:
    """Reads from one database over at most one connection, opened when first needed.

    What other connectors of systems that live in PostgreSQL build on. Make one of
    `PostgreSQLOptions`; `read` fixed statements (constants, or `sql.Composed` of names that the
    catalogue gave) with a LIMIT; `close` at the end, `drop` when interrupted. `where` names the
    server for sentences, without a secret, once connected. Reads may be awaited at the same time:
    they run one after another.
    """

    def __init__(self, options: PostgreSQLOptions) -> None:
        self._options = options
        self.limits = Limits(
            options.connect_timeout_s, options.statement_timeout_ms, options.lock_timeout_ms
        )
        self.where = ""
        self._connection: psycopg.AsyncConnection | None = None
        self._lock = asyncio.Lock()

    def __repr__(self) -> str:
        return f"Session({self.where or 'not connected'})"

    async def read(
        self, statement: LiteralString | sql.Composed, parameters: Sequence[Parameter] = ()
    ) -> list[Row]:
        """Rows of one statement, in a read-only transaction of its own.

        `statement` takes `%s` for every parameter (a literal percent sign is `%%` as soon as there
        is a parameter). Two reads see two states of the database. Raises `SourceProblem`: its
        subclass says what the caller does next, and `Unreachable` that further reads would wait in
        vain; after an `Overloaded` (timeout, lock, no slot) other statements may still answer.
        """
        rows, _ = await self.timed(statement, parameters)
        return rows

    async def timed(
        self, statement: LiteralString | sql.Composed, parameters: Sequence[Parameter] = ()
    ) -> tuple[list[Row], float]:
        """The same, with about how many seconds the server spent on it.

        That is the time of its round trip without that of the BEGIN before it, which is the
        network's and hardly anything else.
        """

        async def work(connection: psycopg.AsyncConnection, ping: float) -> tuple[list[Row], float]:
            asked = time.monotonic()
            cursor = await connection.execute(statement, parameters or None)
            rows: list[Row] = await cursor.fetchall()
            return rows, max(0.0, time.monotonic() - asked - ping)

        return await self.within(work)

    async def within(self, work: Work[T], limits: Limits | None = None) -> T:
        """What `work` makes of one read-only transaction. Raises `SourceProblem`.

        It is given the connection and the seconds that BEGIN took, which are the network's; it
        must begin and end no transaction itself, and may be run twice.
        """
        bounds = limits or self.limits
        return await self._alone(lambda: self._transaction(work, bounds), bounds)

    async def sample_clock(self, count: int) -> list[ClockSample]:
        """`count` readings of the server's clock on the warm connection. Raises `SourceProblem`."""

        async def work(connection: psycopg.AsyncConnection, _ping: float) -> list[ClockSample]:
            return [await _clock_sample(connection) for _ in range(count)]

        return await self.within(work)

    async def close(self) -> None:
        """End the connection. Safe to call twice."""
        connection, self._connection = self._connection, None
        if connection is not None:
            await connection.close()

    def drop(self) -> None:
        """End the connection at once, without a farewell: for an interrupted read."""
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.pgconn.finish()

    async def _alone(self, work: _Attempt[T], limits: Limits) -> T:
        async with self._lock:
            known = self._connection is not None
            try:
                return await self._bounded(work(), limits)
            except _Stale as stale:
                if not known:
                    raise stale.problem from None
            # A pooler or the server ended the idle connection since the last read: reads are
            # safe to repeat, so the second try gets a new connection.
            try:
                return await self._bounded(work(), limits)
            except _Stale as stale:
                raise stale.problem from None

    async def _bounded(self, work: Coroutine[None, None, T], limits: Limits) -> T:
        """Run `work` to its deadline; end it and the connection when it or we are interrupted."""
        task = asyncio.ensure_future(work)
        task.add_done_callback(_seen)
        limit = limits.read_s + (limits.connect_timeout_s if not self._connection else 0)
        try:
            done, _ = await asyncio.wait({task}, timeout=limit)
        except asyncio.CancelledError:
            await self._abandon(task)
            raise
        if not done:
            await self._abandon(task)
            raise Unreachable(
                f"No answer within {limit:.0f} s",
                where=self.where,
                remedy="The server or the way to it is stuck; see whether others reach it.",
            )
        return task.result()

    async def _abandon(self, task: asyncio.Future[T]) -> None:
        """Cancel politely (the driver asks the server to stop), then close the socket."""
        try:
            for _ in range(2):
                task.cancel()
                await asyncio.wait({task}, timeout=CANCEL_S)
                if task.done():
                    break
        finally:
            self.drop()

    async def _transaction(self, work: Work[T], limits: Limits) -> T:
        connection = await self._connected()
        return await self._guarded(connection, self._within(connection, work, limits))

    async def _within(
        self, connection: psycopg.AsyncConnection, work: Work[T], limits: Limits
    ) -> T:
        started = time.monotonic()
        await connection.execute(limits.begin(connection.info.server_version).encode())
        try:
            return await work(connection, time.monotonic() - started)
        finally:
            await self._end(connection)

    async def _end(self, connection: psycopg.AsyncConnection) -> None:
        """COMMIT ends the transaction either way: of a failed one it is the roll-back."""
        if not connection.closed and not connection.broken:
            await connection.execute("COMMIT")

    async def _guarded(
        self, connection: psycopg.AsyncConnection, work: Coroutine[None, None, T]
    ) -> T:
        import psycopg

        try:
            return await work
        except psycopg.Error as error:
            problem = problem_from(error, self.where)
            lost = connection.closed or connection.broken
        if lost:
            self.drop()
            raise _Stale(problem)
        raise problem

    async def _connected(self) -> psycopg.AsyncConnection:
        if self._connection is not None and not self._connection.closed:
            return self._connection
        require_driver()
        import psycopg

        try:
            connection = await self._opened("UTF8")
            if connection.pgconn.parameter_status(b"server_encoding") == b"SQL_ASCII":
                # Such a server checks nothing on the way in and everything on the way out: one
                # byte that is not UTF-8 would cost the whole answer. Take its bytes as they are.
                await connection.close()
                connection = await self._opened("SQL_ASCII")
        except psycopg.Error as error:
            problem = problem_from(error, self.where)
        else:
            connection.adapters.register_loader("text", _clean_text_loader())
            self._connection = connection
            return connection
        raise problem

    async def _opened(self, encoding: str) -> psycopg.AsyncConnection:
        import psycopg

        return await psycopg.AsyncConnection.connect(
            self._conninfo(encoding), autocommit=True, prepare_threshold=None
        )

    def _conninfo(self, encoding: str) -> str:
        from psycopg.conninfo import make_conninfo

        parts = _parts(self._options)
        host = parts.get("host") or parts.get("hostaddr") or "local socket"
        port = parts.get("port") or "5432"
        service = parts.get("service")
        self.where = (
            f"service {service}"
            if service
            else f"{host}:{port}/{parts.get('dbname') or parts.get('user') or ''}"
        )
        parts.setdefault("application_name", APPLICATION_NAME)
        parts["connect_timeout"] = str(max(2, round(self.limits.connect_timeout_s)))
        parts["client_encoding"] = encoding
        # A transaction pooler refuses start-up options, and they would outlive a read.
        parts.pop("options", None)
        return make_conninfo(**parts)


_Attempt: TypeAlias = "Callable[[], Coroutine[None, None, T]]"
Work: TypeAlias = "Callable[[psycopg.AsyncConnection, float], Coroutine[None, None, T]]"


async def _clock_sample(connection: psycopg.AsyncConnection) -> ClockSample:
    before, started = time.time_ns(), time.monotonic_ns()
    cursor = await connection.execute(
        "SELECT (extract(epoch FROM clock_timestamp()) * 1000000)::bigint"
    )
    row = await cursor.fetchone()
    after = before + time.monotonic_ns() - started
    return ClockSample(before, int(row[0]) * 1_000 if row else before, after)


class _Stale(Exception):
    """The connection is gone; `problem` is what to say if it does not come back."""

    def __init__(self, problem: SourceProblem) -> None:
        super().__init__(problem.what)
        self.problem = problem


def _seen(task: asyncio.Future[T]) -> None:
    """An interrupted read has nothing left to tell, so nobody need complain about its error."""
    if not task.cancelled():
        task.exception()


def require_driver() -> None:
    """Import psycopg for the first time. Raises `MissingDriver`."""
    try:
        import psycopg  # noqa: F401  # only whether it is there
    except ImportError:
        raise missing_driver() from None
    # Python writes warnings of a logger without handlers to stderr, into the middle of a screen.
    logging.getLogger("psycopg").addHandler(_SILENT)


def _parts(options: PostgreSQLOptions) -> dict[str, str]:
    """libpq's connection parameters. Raises `Misconfigured` without quoting a secret."""
    import psycopg
    from psycopg.conninfo import conninfo_to_dict

    named: Mapping[str, str] = {
        "host": options.host,
        "port": str(options.port or ""),
        "dbname": options.dbname,
        "user": options.user,
        "password": options.password.get_secret_value() if options.password else "",
    }
    try:
        text = _libpq_url(options.dsn.get_secret_value() if options.dsn else "")
        parts = {name: str(value) for name, value in conninfo_to_dict(text).items()}
    except psycopg.Error:
        parts = None
    if parts is None:
        raise Misconfigured(
            "The dsn is not a connection string that libpq understands",
            where="dsn",
            remedy="Write it as postgresql://user@host:5432/dbname, special characters %-encoded.",
        )
    return {**parts, **{name: value for name, value in named.items() if value}}


def _libpq_url(text: str) -> str:
    """A framework's URL as libpq understands it; anything else unchanged.

    SQLAlchemy names its driver in the scheme, and Rails, Prisma and others add parameters of
    their own (`pool=5`), for which libpq would refuse the whole URL.
    """
    import psycopg

    match = FRAMEWORK_URL.fullmatch(text)
    if match is None:
        return text
    known = {item.keyword.decode() for item in psycopg.pq.Conninfo.get_defaults()}
    query = [pair for pair in (match[2] or "").split("&") if pair.partition("=")[0] in known]
    return f"postgresql://{match[1]}{'?' if query else ''}{'&'.join(query)}"


@cache
def _clean_text_loader() -> type[Loader]:
    """Arriving text is decoded leniently and cleaned: one bad byte costs one character."""
    from psycopg.adapt import Buffer, Loader

    class CleanText(Loader):
        def load(self, data: Buffer) -> str:
            return clean_bytes(bytes(data))

    return CleanText
