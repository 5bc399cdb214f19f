"""One short read at a time in a worker thread, on a connection that lives no longer than the read.

Between two reads nothing is held: no lock, no read mark, no open file. A read ends at its deadline
or when it is cancelled, because SQLite asks us every few thousand steps whether to go on.
"""

from __future__ import annotations

import asyncio
import contextlib
import sqlite3
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from connectors.sql.values import Parameter, Row, Select, T
from connectors.sqlite.opening import Opener
from timeline.problems import (
    AccessRefused,
    BadAnswer,
    Overloaded,
    SourceProblem,
    Unreachable,
    quoted,
)

STEPS = 5_000
"""Virtual machine steps between two looks at the clock: well under a millisecond."""
END_S = 0.8
"""How long an interrupted read gets to end; a disk that hangs may take longer and is left."""
MARGIN_S = 5.0
"""Time for opening and copying on top of the statement's own."""

LOCKED = ("SQLITE_BUSY", "SQLITE_LOCKED", "SQLITE_PROTOCOL")
DAMAGED = ("SQLITE_CORRUPT", "SQLITE_NOTADB", "SQLITE_FORMAT")


class FileSession:
    """Reads one database file. See `connectors.sql.values.Session`."""

    def __init__(self, path: Path, statement_timeout_ms: int, copy_bytes: int) -> None:
        self.where = str(path)
        self._timeout_s = statement_timeout_ms / 1_000
        self._opener = Opener(path, copy_bytes)
        self._lock = asyncio.Lock()

    @property
    def copied(self) -> bool:
        """Whether the last read was of a private copy."""
        return self._opener.copied

    async def read(self, statement: str, parameters: Sequence[Parameter] = ()) -> list[Row]:
        """The rows of one statement. Raises `SourceProblem`."""
        return await self.together(lambda select: select(statement, parameters), 1)

    async def timed(
        self, statement: str, parameters: Sequence[Parameter] = ()
    ) -> tuple[list[Row], float]:
        """The same, and the seconds that it took once the file was open."""

        def work(select: Select) -> tuple[list[Row], float]:
            started = time.monotonic()
            return select(statement, parameters), time.monotonic() - started

        return await self.together(work, 1)

    async def together(self, work: Callable[[Select], T], statements: int) -> T:
        """What `work` makes of its statements in one transaction. Raises `SourceProblem`."""

        def selecting(connection: sqlite3.Connection) -> T:
            def select(statement: str, parameters: Sequence[Parameter]) -> list[Row]:
                return connection.execute(statement, parameters).fetchall()

            return work(select)

        return await self.within(selecting, self._timeout_s)

    async def within(self, work: Callable[[sqlite3.Connection], T], seconds: float) -> T:
        """What `work` makes of one transaction of at most so many seconds."""
        stop = threading.Event()
        async with self._lock:
            task = asyncio.ensure_future(asyncio.to_thread(self._run, work, stop, seconds))
            task.add_done_callback(_seen)
            try:
                done, _ = await asyncio.wait({task}, timeout=seconds + MARGIN_S)
            except asyncio.CancelledError:
                stop.set()
                await asyncio.wait({task}, timeout=END_S)
                raise
            if not done:
                stop.set()
                raise Unreachable(
                    f"The file did not answer within {seconds + MARGIN_S:.0f} s",
                    where=self.where,
                    remedy="Its disk or network share is stuck.",
                )
            return task.result()

    async def close(self) -> None:
        """Remove what was kept. Safe to call twice."""
        async with self._lock:
            await asyncio.to_thread(self._opener.forget)

    def _run(
        self, work: Callable[[sqlite3.Connection], T], stop: threading.Event, seconds: float
    ) -> T:
        problem: SourceProblem
        try:
            with contextlib.closing(self._opener.open()) as connection:
                deadline = time.monotonic() + seconds
                connection.set_progress_handler(
                    lambda: stop.is_set() or time.monotonic() > deadline, STEPS
                )
                return _transaction(connection, work)
        except sqlite3.Error as error:
            problem = self._problem(error)
        except OSError as error:
            problem = AccessRefused(
                f"The file cannot be read: {error.strerror}", where=self.where, remedy="Check it."
            )
        raise problem

    def _problem(self, error: sqlite3.Error) -> SourceProblem:
        code = getattr(error, "sqlite_errorname", "") or ""
        if code.startswith("SQLITE_INTERRUPT"):
            return Overloaded(
                "The statement took longer than statement_timeout_ms",
                where=self.where,
                remedy="Narrow the window, or raise statement_timeout_ms.",
            )
        if code.startswith(LOCKED):
            return Overloaded(
                "The database is locked by a writer",
                where=self.where,
                remedy="A long write or a migration is running: look for it, or try again.",
            )
        said = quoted(str(error), 200)
        if code.startswith(DAMAGED):
            return BadAnswer(
                f"The database is damaged or not one: {said}",
                where=self.where,
                remedy="Check it with PRAGMA integrity_check on a copy.",
            )
        if code.startswith(("SQLITE_CANTOPEN", "SQLITE_PERM", "SQLITE_READONLY")):
            return AccessRefused(
                f"The database cannot be opened: {said}",
                where=self.where,
                remedy="Check the rights of the file and its folder.",
            )
        return BadAnswer(f"SQLite answered: {said}", where=self.where)


def _transaction(connection: sqlite3.Connection, work: Callable[[sqlite3.Connection], T]) -> T:
    connection.execute("BEGIN")
    try:
        return work(connection)
    finally:
        with contextlib.suppress(sqlite3.Error):
            connection.execute("ROLLBACK")


def _seen(task: asyncio.Future[T]) -> None:
    """An interrupted read has nothing left to tell, so nobody need complain about its error."""
    if not task.cancelled():
        task.exception()
