"""Opens a database file without changing one byte of it or beside it.

Measured with SQLite 3.40: a plain `mode=ro` connection to a database in WAL mode writes its read
marks into the -shm file, and where that is missing it creates -wal and -shm and leaves them there.
With `readonly_shm` it changes nothing, but needs both files. So a WAL database that nobody has
open, or whose writer crashed, is read from a private copy. `immutable` is never used: it would
ignore the WAL and the locks of a writer.
"""

from __future__ import annotations

import shutil
import sqlite3
import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import quote

from timeline.problems import AccessRefused, BadAnswer, Misconfigured, Overloaded, SourceProblem

MAGIC = b"SQLite format 3\0"
WAL_VERSION = 2
"""Read and write version of a database in WAL mode (SQLite file format, header bytes 18 and 19)."""
HEADER_BYTES = 100
BUSY_S = 0.2
"""We wait behind nobody's lock: a locked database is a finding, not a queue to join."""
COPY_TRIES = 3


@dataclass(frozen=True, slots=True)
class FileState:
    """What stands on the disk right now."""

    wal_mode: bool
    marks: tuple[tuple[int, int], ...]
    """(bytes, mtime in ns) of the database, its -wal and its -journal; (0, 0) for a missing one."""
    shared_memory: bool

    @property
    def bytes(self) -> int:
        return sum(size for size, _ in self.marks)

    @property
    def needs_copy(self) -> bool:
        """A WAL database is opened in place only where a writer keeps -wal and -shm ready."""
        return self.wal_mode and not (self.shared_memory and self.marks[1] != (0, 0))


def state_of(path: Path) -> FileState:
    """Raises `SourceProblem` for a file that is not there, not readable, or no database."""
    problem: SourceProblem
    try:
        with path.open("rb") as file:
            header = file.read(HEADER_BYTES)
    except FileNotFoundError:
        problem = Misconfigured("There is no such file", where=str(path), remedy="Check path.")
    except OSError as error:
        what = f"The file cannot be read: {error.strerror}"
        problem = AccessRefused(what, where=str(path), remedy="Check its rights.")
    else:
        if header and not header.startswith(MAGIC):
            what = "This is not an SQLite database, or an encrypted one"
            raise BadAnswer(what, where=str(path), remedy="Check path.")
        beside = [path, Path(f"{path}-wal"), Path(f"{path}-journal")]
        return FileState(
            wal_mode=header[18:20] == bytes((WAL_VERSION, WAL_VERSION)),
            marks=tuple(_mark(file) for file in beside),
            shared_memory=Path(f"{path}-shm").exists(),
        )
    raise problem


def _mark(path: Path) -> tuple[int, int]:
    try:
        found = path.stat()
    except OSError:
        return 0, 0
    return found.st_size, found.st_mtime_ns


@dataclass
class Opener:
    """Opens one database file again and again; keeps at most one private copy, until `forget`."""

    path: Path
    copy_bytes: int
    copied: bool = False
    """Whether the last connection reads a copy."""
    _folder: Path | None = field(default=None, repr=False)
    _copy_of: FileState | None = field(default=None, repr=False)

    def open(self) -> sqlite3.Connection:
        """A connection that cannot write. Raises `SourceProblem` and `sqlite3.Error`."""
        state = state_of(self.path)
        if state.needs_copy:
            return self._copy(state)
        try:
            return self._in_place(state)
        except sqlite3.OperationalError as error:
            if error.sqlite_errorname not in ("SQLITE_READONLY_ROLLBACK", "SQLITE_CANTOPEN"):
                raise
        # the journal of a writer that crashed: only a writer may play it back, so on the copy
        return self._copy(state_of(self.path))

    def forget(self) -> None:
        """Remove the private copy. Safe to repeat."""
        folder, self._folder, self._copy_of = self._folder, None, None
        if folder is not None:
            shutil.rmtree(folder, ignore_errors=True)

    def _in_place(self, state: FileState) -> sqlite3.Connection:
        wal = "&readonly_shm=1" if state.wal_mode else ""
        connection = _connected(f"file:{quote(str(self.path))}?mode=ro{wal}")
        self.copied = False
        return connection

    def _copy(self, state: FileState) -> sqlite3.Connection:
        if self._copy_of != state or self._folder is None:
            self._take_copy(state)
        self.copied = True
        return _connected(f"file:{quote(f'{self._folder}/copy')}?mode=rw")

    def _take_copy(self, state: FileState) -> None:
        """A copy of the file with its -wal and -journal, of one moment."""
        self.forget()
        if state.bytes > self.copy_bytes:
            raise Misconfigured(
                "No program has this WAL database open, and opening it would create files beside "
                f"it; at {state.bytes:,} bytes it is too large to be copied for reading",
                where=str(self.path),
                remedy="Read it while the application runs, raise copy_bytes, or name a copy.",
            )
        self._folder = Path(tempfile.mkdtemp(prefix="halfawake-sqlite-"))
        for _ in range(COPY_TRIES):
            for suffix in ("", "-wal", "-journal"):
                source, copy = Path(f"{self.path}{suffix}"), self._folder / f"copy{suffix}"
                copy.unlink(missing_ok=True)
                if source.exists():
                    shutil.copyfile(source, copy)
            before, state = state, state_of(self.path)
            if before == state:
                self._copy_of = state
                return
        self.forget()
        raise Overloaded(
            "The database was being written while it was copied",
            where=str(self.path),
            remedy="Try again in a moment.",
        )


def _connected(uri: str) -> sqlite3.Connection:
    """Nothing is read before the schema is: a file that cannot be opened fails here."""
    connection = sqlite3.connect(
        uri, uri=True, timeout=BUSY_S, isolation_level=None, check_same_thread=False
    )
    try:
        connection.text_factory = lambda raw: raw.decode("utf-8", errors="replace")
        connection.execute("PRAGMA query_only = ON")
        connection.execute("SELECT 1 FROM sqlite_master LIMIT 1").fetchall()
    except BaseException:
        connection.close()
        raise
    return connection
