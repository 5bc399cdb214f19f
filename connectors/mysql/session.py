"""One connection, one short read-only transaction per read, in a worker thread that can be ended.

The only settings are of our own session, as it opens and around a configured query: UTC for
TIMESTAMP columns and bounds on time, rows and locks. Every read is `START TRANSACTION … READ ONLY`,
its SELECTs, `COMMIT`. An interrupted read ends with its socket, in a moment; the server's own bound
ends the statement (we never KILL).
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
import ssl
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from connectors.contract import QueryAnswer
from connectors.mysql.options import Address, MySQLOptions
from connectors.mysql.problems import LOST, missing_driver, number_of, problem_from
from connectors.mysql.query import Query
from connectors.sql.values import Cell, Parameter, Row, Select, T
from timeline.problems import SourceProblem, Unreachable

if TYPE_CHECKING:
    import pymysql

APPLICATION_NAME = "halfawake"
"""Shown as program_name in performance_schema.session_connect_attrs."""
BEGIN = "START TRANSACTION WITH CONSISTENT SNAPSHOT, READ ONLY"
"""The snapshot also lists us in innodb_trx, which tells the zone of the stamps there."""
MARGIN_S = 2.0
"""Network time allowed on top of the server's own statement timeout."""
ROUND_TRIP_S = 0.1
"""Allowed for each further small statement of one transaction."""
END_S = 0.8
"""How long the thread of an interrupted read gets to notice that its socket is gone."""


@dataclass(frozen=True, slots=True)
class Flavour:
    """Product and version, as the handshake states them."""

    mariadb: bool
    version: tuple[int, int, int]
    text: str

    @property
    def name(self) -> str:
        return f"{'MariaDB' if self.mariadb else 'MySQL'} {'.'.join(map(str, self.version))}"

    def settings(self, options: MySQLOptions) -> str:
        """The one statement that sets our own session up."""
        seconds = options.statement_timeout_ms / 1_000
        chosen = ["SESSION time_zone = '+00:00'", f"SESSION lock_wait_timeout = {_lock(options)}"]
        if self.mariadb:
            chosen.append(f"SESSION max_statement_time = {seconds:g}")
        elif self.version >= (5, 7, 8):
            chosen.append(f"SESSION max_execution_time = {options.statement_timeout_ms:d}")
        if not self.mariadb and self.version >= (8, 0, 3):
            # with its default, asking for a table's size may store it in mysql.table_stats
            chosen.append("SESSION information_schema_stats_expiry = 0")
        return "SET " + ", ".join(chosen)

    def bound(self, seconds: float) -> str:
        """The statement that bounds the time of our further statements."""
        if self.mariadb:
            return f"SET SESSION max_statement_time = {seconds:g}"
        return f"SET SESSION max_execution_time = {max(1, int(seconds * 1_000)):d}"


def _lock(options: MySQLOptions) -> str:
    return f"{options.lock_timeout_s:d}"


def flavour_of(version: str) -> Flavour:
    """`5.5.5-10.11.19-MariaDB-…` and `8.0.39` as product and numbers."""
    mariadb = "mariadb" in version.lower()
    text = version.removeprefix("5.5.5-") if mariadb else version
    parts = text.split("-")[0].split(".")
    numbers = [int("".join(filter(str.isdigit, part)) or 0) for part in parts]
    major, minor, patch = (*numbers, 0, 0, 0)[:3]
    return Flavour(mariadb, (major, minor, patch), version)


class Session:
    """Reads from one database over at most one connection. See `connectors.sql.values.Session`."""

    def __init__(self, options: MySQLOptions) -> None:
        self._options = options
        self._address = options.address
        self._timeout_s = options.statement_timeout_ms / 1_000 + MARGIN_S
        self._connection: pymysql.Connection | None = None
        self._wire: socket.socket | None = None
        """A second handle of the same socket: TLS detaches the first one."""
        self._lock = asyncio.Lock()
        self._names: tuple[str, ...] = ()
        self._ping_s = 0.0
        """What the opening of the last transaction took: the network's share of a statement."""
        """Columns of the statement that was run last."""
        self.flavour = flavour_of("0")
        """Known once the first read was made."""

    @property
    def where(self) -> str:
        return self._address.where

    def __repr__(self) -> str:
        return f"Session({self.where})"

    async def read(self, statement: str, parameters: Sequence[Parameter] = ()) -> list[Row]:
        """The rows of one statement, in a transaction of its own. Raises `SourceProblem`."""
        return await self.together(lambda select: select(statement, parameters), 1)

    async def timed(
        self, statement: str, parameters: Sequence[Parameter] = ()
    ) -> tuple[list[Row], float]:
        """The same, and about how many seconds the server spent on it.

        That is the time of its round trip without that of the opening of the transaction.
        """

        def work(select: Select) -> tuple[list[Row], float]:
            started = time.monotonic()
            rows = select(statement, parameters)
            return rows, max(0.0, time.monotonic() - started - self._ping_s)

        return await self.together(work, 1)

    async def together(self, work: Callable[[Select], T], statements: int) -> T:
        """What `work` makes of its statements in one transaction. Raises `SourceProblem`."""
        limit = self._timeout_s + statements * ROUND_TRIP_S
        return await self.within(lambda connection: self._selecting(connection, work), limit)

    async def query(self, statement: str, limit: int, seconds: float) -> QueryAnswer:
        """The answer to one configured query. Raises `SourceProblem`."""

        def work(connection: pymysql.Connection) -> QueryAnswer:
            settings = self.flavour.settings(self._options)
            most = f"SESSION sql_select_limit = {limit + 1:d}"
            bounds = f"{self.flavour.bound(seconds)}, {most}"
            unbound = f"{settings}, SESSION sql_select_limit = DEFAULT"
            return Query(statement, limit, bounds, unbound)(connection)

        return await self.within(work, seconds + MARGIN_S)

    async def within(self, work: Callable[[pymysql.Connection], T], seconds: float) -> T:
        """What `work` makes of one read-only transaction; it may be run twice."""
        async with self._lock:
            known = self._connection is not None
            try:
                return await self._once(work, seconds)
            except _Stale as stale:
                if not known:
                    raise stale.problem from None
            # The server ended the idle connection since the last read: reads are safe to repeat.
            try:
                return await self._once(work, seconds)
            except _Stale as stale:
                raise stale.problem from None

    async def named(self, statement: str) -> list[dict[str, Cell]]:
        """The rows of a SHOW statement by column name. Raises `SourceProblem`."""

        def work(select: Select) -> list[dict[str, Cell]]:
            rows = select(statement, ())
            return [dict(zip(self._names, row, strict=True)) for row in rows]

        return await self.together(work, 1)

    async def close(self) -> None:
        """End the connection. Safe to call twice."""
        connection, self._connection = self._connection, None
        if connection is not None:
            task = asyncio.ensure_future(asyncio.to_thread(_farewell, connection))
            await asyncio.wait({task}, timeout=END_S)
        self.drop()

    def drop(self) -> None:
        """End the connection at once, without a farewell: for an interrupted read."""
        connection, self._connection = self._connection, None
        wire, self._wire = self._wire, None
        if wire is not None:
            with contextlib.suppress(OSError):
                wire.shutdown(socket.SHUT_RDWR)
            wire.close()
        if connection is not None:
            connection._force_close()  # type: ignore[attr-defined]  # close() sends a farewell first

    async def _once(self, work: Callable[[pymysql.Connection], T], seconds: float) -> T:
        if self._connection is None:
            await self._connect()
        connection = self._connection
        assert connection is not None  # noqa: S101  # _connect raises or sets it
        return await self._threaded(lambda: self._transaction(connection, work), seconds)

    async def _threaded(self, work: Callable[[], T], limit: float) -> T:
        """Run `work` in a thread; what interrupts it or us takes its socket away."""
        task = asyncio.ensure_future(asyncio.to_thread(self._guarded, work))
        task.add_done_callback(_seen)
        try:
            done, _ = await asyncio.wait({task}, timeout=limit)
        except asyncio.CancelledError:
            self.drop()
            await asyncio.wait({task}, timeout=END_S)
            raise
        if not done:
            self.drop()
            raise Unreachable(
                f"No answer within {limit:.0f} s",
                where=self.where,
                remedy="The server or the way to it is stuck; see whether others reach it.",
            )
        try:
            return task.result()
        except _Stale:
            self.drop()
            raise

    def _guarded(self, work: Callable[[], T]) -> T:
        """Driver errors become problems here, inside the thread, so that none is chained on."""
        import pymysql

        problem: SourceProblem
        try:
            return work()
        except pymysql.Error as error:
            number = number_of(error)
            problem, lost = problem_from(error, number, self.where), number in LOST
        except (OSError, RuntimeError, ValueError) as error:
            # the socket was taken away, TLS failed, RSA is missing
            problem, lost = problem_from(error, 0, self.where), True
        if lost:
            raise _Stale(problem)
        raise problem

    def _transaction(
        self, connection: pymysql.Connection, work: Callable[[pymysql.Connection], T]
    ) -> T:
        with connection.cursor() as cursor:
            started = time.monotonic()
            cursor.execute(BEGIN)
            self._ping_s = time.monotonic() - started
            try:
                return work(connection)
            finally:
                if connection.open:
                    cursor.execute("COMMIT")

    def _selecting(self, connection: pymysql.Connection, work: Callable[[Select], T]) -> T:
        with connection.cursor() as cursor:

            def select(statement: str, parameters: Sequence[Parameter]) -> list[Row]:
                cursor.execute(statement, tuple(parameters))
                self._names = tuple(str(column[0]) for column in cursor.description or ())
                return list(cursor.fetchall())

            return work(select)

    async def _connect(self) -> None:
        try:
            import pymysql  # noqa: F401  # only whether it is there
        except ImportError:
            raise missing_driver() from None
        problem: SourceProblem
        try:
            async with asyncio.timeout(self._options.connect_timeout_s):
                wire = await _dialled(self._address, self._options.hostaddr)
        except TimeoutError:
            problem = Unreachable(
                f"The connection could not be made within {self._options.connect_timeout_s:g} s",
                where=self.where,
                remedy="Check VPN, tunnel and firewall.",
            )
        except OSError as error:
            problem = _dial_problem(error, self.where)
        else:
            self._wire = wire.dup()
            connect = self._options.connect_timeout_s
            self._connection = await self._threaded(lambda: self._opened(wire), connect)
            self.flavour = flavour_of(_version(self._connection))
            return
        raise problem

    def _opened(self, wire: socket.socket) -> pymysql.Connection:
        import pymysql

        options, address = self._options, self._address
        secure = options.tls not in ("preferred", "off")
        connection: pymysql.Connection = pymysql.Connection(
            host=options.tls_server_name or address.host,
            user=address.user or None,
            password=address.password.get_secret_value(),
            database=address.database,
            charset="utf8mb4",
            autocommit=None,
            defer_connect=True,
            read_timeout=self._timeout_s,
            write_timeout=self._timeout_s,
            program_name=APPLICATION_NAME,
            conv=_conversions(),
            ssl=_tls_context(options) if secure else None,
            ssl_disabled=options.tls == "off",
        )
        try:
            connection.connect(wire)
            flavour = flavour_of(_version(connection))
            with connection.cursor() as cursor:
                cursor.execute(flavour.settings(options))
        except BaseException:
            wire.close()
            raise
        return connection


class _Stale(Exception):
    """The connection is gone; `problem` is what to say if it does not come back."""

    def __init__(self, problem: SourceProblem) -> None:
        super().__init__(problem.what)
        self.problem = problem


def _seen(task: asyncio.Future[T]) -> None:
    """An interrupted read has nothing left to tell, so nobody need complain about its error."""
    if not task.cancelled():
        task.exception()


def _version(connection: pymysql.Connection) -> str:
    return str(connection.get_server_info())  # type: ignore[no-untyped-call]  # of the stubs


def _farewell(connection: pymysql.Connection) -> None:
    with contextlib.suppress(Exception):  # whatever it is, the socket is closed next
        connection.close()


async def _dialled(address: Address, hostaddr: str) -> socket.socket:
    """A connected socket, made by the event loop so that it can be cancelled at any moment."""
    loop = asyncio.get_running_loop()
    if address.socket_path:
        places: list[tuple[int, object]] = [(socket.AF_UNIX, address.socket_path)]
    else:
        found = await loop.getaddrinfo(
            hostaddr or address.host, address.port, type=socket.SOCK_STREAM
        )
        places = [(entry[0], entry[4]) for entry in found]
    failed: OSError | None = None
    for family, place in places:
        wire = socket.socket(family, socket.SOCK_STREAM)
        wire.setblocking(False)
        try:
            await loop.sock_connect(wire, place)  # type: ignore[arg-type]  # as getaddrinfo gave it
        except OSError as error:
            wire.close()
            failed = error
        except BaseException:
            wire.close()
            raise
        else:
            if family != socket.AF_UNIX:
                wire.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            return wire
    raise failed or OSError("the host name has no address")


def _dial_problem(error: OSError, where: str) -> SourceProblem:
    if isinstance(error, socket.gaierror):
        return Unreachable(
            "The host name does not resolve",
            where=where,
            remedy="Check the name, the VPN, or DNS itself.",
        )
    return problem_from(OSError(error.strerror or str(error)), 2003, where)


def _tls_context(options: MySQLOptions) -> ssl.SSLContext:
    context = ssl.create_default_context(cafile=options.tls_ca or None)
    # certificates that the server made for itself fail the strict checks of Python 3.13
    context.verify_flags &= ~ssl.VERIFY_X509_STRICT
    context.check_hostname = options.tls == "verify-identity"
    if options.tls == "required":
        context.verify_mode = ssl.CERT_NONE
    return context


def _conversions() -> dict[int | type, Callable[..., object]]:
    """The driver's own for numbers; everything else arrives as the text that it is."""
    from pymysql.constants import FIELD_TYPE
    from pymysql.converters import conversions, through

    texts = (FIELD_TYPE.DECIMAL, FIELD_TYPE.NEWDECIMAL, FIELD_TYPE.TIMESTAMP, FIELD_TYPE.DATETIME,
             FIELD_TYPE.DATE, FIELD_TYPE.TIME, FIELD_TYPE.BIT)  # fmt: skip
    return {**conversions, **dict.fromkeys(texts, through)}
