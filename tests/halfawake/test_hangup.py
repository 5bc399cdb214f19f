"""A terminal that goes away takes the program with it, whether or not a signal says so."""

from __future__ import annotations

import os
import pty
import select
import subprocess
import sys
import time
from pathlib import Path

import pytest

LINE = "2026-03-14T02:07:29.117Z ERROR web-1 sign-up 4711 failed\n"
GONE_WITHIN_S = 10.0
DEAF = (
    "import asyncio\n"
    "asyncio.unix_events._UnixSelectorEventLoop.add_signal_handler = lambda *a: None\n"
)
"""Takes the signal handlers away, as a wrapper that ignores SIGHUP would."""


@pytest.mark.parametrize("preamble", ["", DEAF], ids=["with a signal", "without a signal"])
def test_a_closed_window_ends_the_program(tmp_path: Path, preamble: str) -> None:
    (tmp_path / "web.log").write_text(LINE, encoding="utf-8")
    words = ["at", "2026-03-14T02:07:30Z", "web.log"]
    program = f"{preamble}import sys\nfrom halfawake.cli import run\nsys.exit(run({words!r}))"
    near, far = pty.openpty()
    environment = {**os.environ, "TERM": "xterm-256color", "PYTHONPATH": str(Path.cwd())}
    process = subprocess.Popen(
        ["setsid", "--ctty", sys.executable, "-c", program],
        stdin=far,
        stdout=far,
        stderr=far,
        cwd=tmp_path,
        env=environment,
        preexec_fn=_ignore_hangup if preamble else None,
    )
    os.close(far)
    _watch(near, "sign-up 4711")
    os.close(near)
    try:
        process.wait(GONE_WITHIN_S)
    finally:
        process.kill()


def _ignore_hangup() -> None:
    import signal

    signal.signal(signal.SIGHUP, signal.SIG_IGN)


def _watch(terminal: int, text: str) -> None:
    """Read what is drawn until `text` was; whoever never draws it fails here."""
    seen = b""
    deadline = time.monotonic() + 30
    while text.encode() not in seen:
        assert time.monotonic() < deadline, seen[-2000:]
        if select.select([terminal], [], [], 0.2)[0]:
            seen += os.read(terminal, 65_536)
