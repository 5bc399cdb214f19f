"""A program in a pseudo-terminal, watched from outside: when does a text or a frame appear?

Knows nothing of the program; what it draws is only searched for bytes. A program and
what it started are ended by the process group that was made for them.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import pty
import select
import signal
import struct
import subprocess
import termios
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

WIDTH, HEIGHT = 120, 40
KEPT_BYTES = 1 << 16
ASK_SECONDS = 0.25


class NotSeen(RuntimeError):
    """The program ended or the time was up before the text appeared."""


class _Cells:
    """A screen that follows what a program writes, and the text that is waited for on it."""

    def __init__(self, text: str) -> None:
        import pyte

        self._text = text
        self._screen = pyte.Screen(WIDTH, HEIGHT)
        self._stream = pyte.ByteStream(self._screen)

    @property
    def lines(self) -> list[str]:
        return list(self._screen.display)

    def shows(self, chunk: bytes) -> bool:
        self._stream.feed(chunk)
        return any(self._text in line for line in self._screen.display)


class Terminal:
    """One run of a program on a 120 by 40 terminal of its own; a context manager."""

    def __init__(self, argv: Sequence[str], environment: Mapping[str, str] | None = None) -> None:
        self._argv = list(argv)
        self._environment = {
            **os.environ,
            "TERM": "xterm-256color",
            "COLUMNS": str(WIDTH),
            "LINES": str(HEIGHT),
            **(environment or {}),
        }

    def __enter__(self) -> Self:
        self._fd, child = pty.openpty()
        fcntl.ioctl(child, termios.TIOCSWINSZ, struct.pack("HHHH", HEIGHT, WIDTH, 0, 0))
        self.started = time.perf_counter()
        self.process = subprocess.Popen(
            self._argv,
            stdin=child,
            stdout=child,
            stderr=child,
            env=self._environment,
            start_new_session=True,
        )
        os.close(child)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        with contextlib.suppress(ProcessLookupError):  # it leads a session of its own
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()
        os.close(self._fd)

    def seconds_until(
        self, text: str, limit: float = 120.0, *, cells: bool = False, asking: str = ""
    ) -> float:
        """Seconds from the start of the program to `text` on the screen. Raises `NotSeen`.

        The bytes of `text` are looked for in what is written. A program that writes only the cells
        that changed may never write them in a row: `cells` keeps a screen and looks at that, which
        costs some milliseconds a frame. `asking` is typed every `ASK_SECONDS` until then.
        """
        shows = _Cells(text).shows if cells else None
        wanted, seen = text.encode(), b""
        asked = self.started
        while (elapsed := time.perf_counter() - self.started) < limit:
            chunk = self._read(ASK_SECONDS if asking else limit - elapsed)
            if not chunk and self.process.poll() is not None:
                break
            if asking and time.perf_counter() - asked > ASK_SECONDS:
                asked = time.perf_counter()
                os.write(self._fd, asking.encode())
            seen = seen[-KEPT_BYTES:] + chunk
            if wanted in seen or (shows is not None and shows(chunk)):
                return time.perf_counter() - self.started
        raise NotSeen(f"{self._argv[:6]} did not show {text!r}: {seen[-400:]!r}")

    def seconds_to_frame(self, keys: str, limit: float = 5.0) -> float:
        """Seconds from typing `keys` to the first bytes drawn after it."""
        self.drain()
        typed = time.perf_counter()
        os.write(self._fd, keys.encode())
        if not self._read(limit):
            raise NotSeen(f"{self._argv[:6]} did not answer {keys!r}")
        return time.perf_counter() - typed

    def seconds_to_key(self, keys: str, limit: float = 5.0) -> float:
        """As `seconds_to_frame`, for a screen that never rests: nothing is waited for first."""
        while self._read(0):
            pass
        typed = time.perf_counter()
        os.write(self._fd, keys.encode())
        if not self._read(limit):
            raise NotSeen(f"{self._argv[:6]} did not answer {keys!r}")
        return time.perf_counter() - typed

    def bytes_of_frame(self, keys: str, quiet: float = 0.1) -> int:
        """Bytes written after `keys` were typed, until nothing is for `quiet` seconds."""
        self.drain()
        os.write(self._fd, keys.encode())
        count = len(self._read(1.0))
        while chunk := self._read(quiet):
            count += len(chunk)
        return count

    def watch(self, seconds: float) -> list[list[str]]:
        """The lines of the screen after everything that is written within `seconds`."""
        cells, shown = _Cells(""), []
        until = time.perf_counter() + seconds
        while (left := until - time.perf_counter()) > 0:
            if chunk := self._read(left):
                cells.shows(chunk)
                shown.append(list(cells.lines))
        return shown

    def cpu_seconds(self) -> float:
        """Seconds of processor time that the program (not what it started) has used."""
        fields = Path(f"/proc/{self.process.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def drain(self, quiet: float = 0.02) -> None:
        """Read until nothing is drawn for `quiet` seconds (at most half a second)."""
        until = time.perf_counter() + 0.5
        while time.perf_counter() < until and self._read(quiet):
            pass

    def _read(self, timeout: float) -> bytes:
        ready, _, _ = select.select([self._fd], [], [], max(timeout, 0))
        if ready:
            with contextlib.suppress(OSError):  # the other end closes when the program leaves
                return os.read(self._fd, 1 << 16)
        return b""
