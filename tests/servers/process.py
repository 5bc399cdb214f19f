"""Starts one server process, waits for it with a bound, and ends it by pid.

Owns what all servers share: the folder, the unprivileged account, the log, readiness, stopping.
Must never signal a process that it cannot tell apart from a later one with the same pid.
"""

from __future__ import annotations

import contextlib
import os
import random
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Self

from tests.servers.accounts import Account

LOOPBACK = "127.0.0.1"
PORTS = range(20_000, 32_000)
"""Below those that kernels give to clients (Linux from 32768, others from 49152 on): of theirs, any
connection of any process could take one between choosing and listening."""

POLL_SECONDS = 0.05
"""Pause between two looks at a process: short against the fastest start (Redis, about 10 ms)."""

STOP_SECONDS = 30.0
"""A clean stop takes well under a second for all servers here; after this comes SIGKILL."""

LOG_TAIL_LINES = 20
"""What a failed start quotes from the log: enough for a JVM's cause without its whole trace."""


class ServerMissing(Exception):
    """The server's program is not on this machine; the message says how to install it."""

    def __init__(self, name: str, install_line: str) -> None:
        super().__init__(f"{name} not found; install: {install_line}")
        self.name = name
        self.install_line = install_line


class ServerFailed(Exception):
    """The program is there but did not become ready; the message ends with the log's last lines."""

    def __init__(self, name: str, reason: str, log_path: Path) -> None:
        super().__init__(f"{name} {reason}; end of its log:\n{_tail(log_path)}")
        self.name = name
        self.reason = reason


@dataclass(frozen=True)
class RunningServer:
    """A server that answers at ``url``; leaving its ``with`` block stops it and removes its folder.

    ``pid``, ``folder`` and ``log_path`` are None for a server that somebody else started and that
    is only known by its URL. Such a server is left alone by :meth:`stop`.
    """

    name: str
    version: str
    url: str
    pid: int | None = None
    folder: Path | None = None
    log_path: Path | None = None
    stop_signal: int = signal.SIGTERM
    start_mark: str | None = None
    """From :func:`process_start_mark`: tells this process from a later one with the same pid."""
    process: subprocess.Popen[bytes] | None = field(default=None, repr=False, compare=False)
    """Only in the process that started the server, which has to collect its exit status."""

    def is_running(self) -> bool:
        """Whether the process we started is still there; False for a server known by URL only."""
        if self.pid is None:
            return False
        if self.process is not None:
            return self.process.poll() is None
        return process_start_mark(self.pid) == self.start_mark

    def stop(self, timeout_seconds: float = STOP_SECONDS) -> None:
        """End the process and wait until it is gone; its folder and log stay. Safe to repeat."""
        if self.pid is None or not self.is_running():
            return
        with contextlib.suppress(ProcessLookupError):
            os.kill(self.pid, self.stop_signal)
        if not self._gone_within(timeout_seconds):
            self.kill()

    def kill(self) -> None:
        """SIGKILL, as a crash would: nothing is flushed, no client is told."""
        if self.pid is None or not self.is_running():
            return
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.pid, signal.SIGKILL)
        self._gone_within(STOP_SECONDS)

    def discard(self) -> None:
        """Stop the server and remove its folder with all data and logs."""
        self.stop()
        if self.folder is not None:
            shutil.rmtree(self.folder, ignore_errors=True)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.discard()

    def _gone_within(self, timeout_seconds: float) -> bool:
        deadline = time.monotonic() + timeout_seconds
        while self.is_running():
            if time.monotonic() > deadline:
                return False
            time.sleep(POLL_SECONDS)
        return True


def new_folder(name: str, account: Account | None) -> Path:
    """A fresh 0700 folder for one server, owned by the account it will run as.

    Kept short: a PostgreSQL socket path must stay under about 100 bytes.
    """
    folder = Path(tempfile.mkdtemp(prefix=f"halfawake-{name}-"))
    if account is not None:
        account.own(folder)
    return folder


def free_port(candidates: Sequence[int] = ()) -> int:
    """A loopback port that was free a moment ago; of `candidates` in turn, where 0 lets the kernel
    choose, else any of `PORTS`.

    Another process may take it first: the server then fails to start, and says so in its log.
    """
    tried = candidates or random.sample(PORTS, len(PORTS))
    for candidate in tried:
        with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            with contextlib.suppress(OSError):
                probe.bind((LOOPBACK, candidate))
                port: int = probe.getsockname()[1]
                return port
    raise OSError(f"no free port between {tried[0]} and {tried[-1]} on {LOOPBACK}")


def start(
    name: str,
    argv: Sequence[str | Path],
    *,
    url: str,
    folder: Path,
    probe: Callable[[str], str],
    timeout_seconds: float,
    account: Account | None = None,
    environment: Mapping[str, str] | None = None,
    stop_signal: int = signal.SIGTERM,
) -> RunningServer:
    """Start ``argv`` in ``folder`` and return once ``probe(url)`` gives the server's version.

    The process leads its own session, so a Ctrl-C in the terminal does not reach it and the whole
    group can be killed. Output goes to ``server.log`` in the folder. Raises :class:`ServerFailed`
    (process ended and folder removed) when the process exits early or is not ready in time.
    """
    log_path = folder / "server.log"
    process = _spawn(name, argv, log_path, account, environment)
    server = RunningServer(
        name=name,
        version="",
        url=url,
        pid=process.pid,
        folder=folder,
        log_path=log_path,
        stop_signal=stop_signal,
        start_mark=process_start_mark(process.pid),
        process=process,
    )
    try:
        version = _version_when_ready(server, probe, timeout_seconds)
    except BaseException:
        server.kill()
        server.discard()
        raise
    return RunningServer(**{**vars(server), "version": version})


def process_start_mark(pid: int) -> str | None:
    """When this pid began to be this process, in the kernel's own unit; None when it is gone.

    A zombie counts as gone, but not while other threads of it live: they still hold its sockets.
    Linux: fields 3, 20 and 22 of /proc/PID/stat (proc(5)); elsewhere ps.
    """
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except FileNotFoundError:
        return None if Path("/proc/self/stat").exists() else _start_mark_from_ps(pid)
    except ProcessLookupError:
        return None
    state, threads, start_time = fields[0], int(fields[17]), fields[19]
    return None if state in {"Z", "X"} and threads <= 1 else start_time


def _start_mark_from_ps(pid: int) -> str | None:
    shown = subprocess.run(
        ["ps", "-o", "state=,lstart=", "-p", str(pid)], capture_output=True, text=True, check=False
    ).stdout.split(maxsplit=1)
    return None if len(shown) < 2 or shown[0].startswith("Z") else shown[1].strip()


def _spawn(
    name: str,
    argv: Sequence[str | Path],
    log_path: Path,
    account: Account | None,
    environment: Mapping[str, str] | None,
) -> subprocess.Popen[bytes]:
    with log_path.open("ab") as log:
        try:
            return subprocess.Popen(
                [str(word) for word in argv],
                cwd=log_path.parent,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                env={**os.environ, **(environment or {})},
                start_new_session=True,
                user=account.uid if account else None,
                group=account.gid if account else None,
                extra_groups=[] if account else None,
            )
        except OSError as error:
            raise ServerFailed(name, f"could not be started ({error})", log_path) from error


def _version_when_ready(
    server: RunningServer, probe: Callable[[str], str], timeout_seconds: float
) -> str:
    assert server.process is not None
    assert server.log_path is not None
    deadline = time.monotonic() + timeout_seconds
    while True:
        if (code := server.process.poll()) is not None:
            raise ServerFailed(server.name, f"exited with code {code}", server.log_path)
        try:
            return probe(server.url)
        except Exception as not_ready:
            if time.monotonic() > deadline:
                reason = f"was not ready after {timeout_seconds:.0f} s ({not_ready})"
                raise ServerFailed(server.name, reason, server.log_path) from not_ready
        time.sleep(POLL_SECONDS)


def _tail(log_path: Path) -> str:
    try:
        lines = log_path.read_text(errors="replace").splitlines()
    except OSError:
        return "(no log)"
    return "\n".join(lines[-LOG_TAIL_LINES:]) or "(empty)"
