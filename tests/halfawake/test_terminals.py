"""Terminals of every kind: few colours, none, resized, suspended; and a screen that breaks."""

from __future__ import annotations

import os
import pty
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.halfawake.test_tmux import GOOD, Tmux
from tests.servers.process import ServerMissing
from tests.servers.pytest_fixtures import skip_or_fail

WITHIN_S = 60.0
T = "2026-03-14T02:07:30Z"
DEEP = re.compile(rb"\x1b\[[\d;]*[34]8;[25];")
"""A colour beyond the sixteen, as foreground or background (ECMA-48 SGR 38 and 48)."""
COLOUR = re.compile(rb"\x1b\[(?:[\d;]*;)?(?:3[1-8]|4[1-8]|9\d|10\d)(?:;[\d;]*)?m")
BREAKS = (
    "import sys\n"
    "from tui import header\n"
    "import tui.incident_screen as screen\n"
    "def broken(*_):\n"
    "    secret = 'password=hunter2hunter2'\n"
    "    raise ZeroDivisionError('drawing')\n"
    "screen.IncidentScreen.action_onset = broken\n"
    "from halfawake.cli import run\n"
    f"sys.exit(run(['at', '{T}', 'web.log']))\n"
)
"""Runs the command with a defect in it that shows when `o` is pressed."""


@pytest.fixture
def night(tmp_path: Path) -> Path:
    lines = [GOOD.format(second=n, level="ERROR", number=4700 + n, text="done") for n in range(50)]
    (tmp_path / "web.log").write_text("".join(lines), encoding="utf-8")
    return tmp_path


@pytest.fixture
def tmux(night: Path) -> Iterator[Tmux]:
    if shutil.which("tmux") is None:
        skip_or_fail(ServerMissing("tmux", "apt-get install tmux"))
    opened = Tmux(night, 120, 40)
    yield opened
    opened.end()


class Run:
    """A program on a pseudo-terminal; everything it writes is kept."""

    def __init__(self, folder: Path, program: str, **environment: str) -> None:
        self._near, far = pty.openpty()
        self.written = b""
        home = {"HOME": str(folder), "XDG_STATE_HOME": str(folder / "state")}
        self._process = subprocess.Popen(
            [sys.executable, "-c", program],
            stdin=far,
            stdout=far,
            stderr=far,
            cwd=folder,
            env={**os.environ, "PYTHONPATH": str(Path.cwd()), **home, **environment},
            start_new_session=True,
        )
        os.close(far)
        os.set_blocking(self._near, False)

    def until(self, text: bytes) -> None:
        deadline = time.monotonic() + WITHIN_S
        while text not in self.written:
            assert time.monotonic() < deadline, self.written[-3000:]
            self._read()

    def type(self, keys: bytes) -> None:
        os.write(self._near, keys)

    def end(self) -> int:
        deadline = time.monotonic() + WITHIN_S
        while self._process.poll() is None:
            assert time.monotonic() < deadline, self.written[-3000:]
            self._read()
        self._read()
        return self._process.returncode

    def _read(self) -> None:
        try:
            self.written += os.read(self._near, 1 << 16)
        except BlockingIOError:
            time.sleep(0.02)
        except OSError:
            time.sleep(0.02)  # nobody holds the other end any more

    def close(self) -> None:
        self._process.kill()
        self._process.wait()
        os.close(self._near)


PLAIN = f"import sys\nfrom halfawake.cli import run\nsys.exit(run(['at', '{T}', 'web.log']))\n"


@pytest.mark.parametrize(
    ("environment", "deep", "coloured"),
    [
        ({"TERM": "xterm-256color", "COLORTERM": "truecolor"}, True, True),
        ({"TERM": "xterm", "COLORTERM": ""}, False, True),
        ({"TERM": "linux", "COLORTERM": ""}, False, True),
        ({"TERM": "xterm-256color", "COLORTERM": "truecolor", "NO_COLOR": "1"}, None, None),
    ],
    ids=["many colours", "xterm", "console", "NO_COLOR"],
)
def test_a_terminal_gets_the_colours_it_has(
    night: Path, environment: dict[str, str], deep: bool | None, coloured: bool | None
) -> None:
    run = Run(night, PLAIN, **environment)
    try:
        run.until(b"sign-up 4730")
        run.type(b"q")
        assert run.end() == 0
    finally:
        run.close()
    if deep is None:
        greys = {m[0] for m in re.finditer(rb"\x1b\[[\d;]*[34]8;2;(\d+);(\d+);(\d+)", run.written)
                 if len({m[1], m[2], m[3]}) > 1}  # fmt: skip
        assert not greys, "without colours only shades of grey are drawn"
    else:
        assert bool(DEEP.search(run.written)) is deep
        assert bool(COLOUR.search(run.written)) is coloured


def test_a_broken_screen_gives_the_terminal_back_and_says_where_the_report_is(night: Path) -> None:
    run = Run(night, BREAKS, TERM="xterm-256color")
    try:
        run.until(b"not evaluated")
        run.type(b"o")
        assert run.end() == 1
    finally:
        run.close()
    for restored in (b"\x1b[?1049l", b"\x1b[?25h", b"\x1b[?1000l"):
        assert restored in run.written
    last = run.written.rpartition(b"\x1b[?1049l")[2]
    assert b"a defect of its own (ZeroDivisionError)" in last
    assert b"Traceback" not in last
    (report,) = (night / "state").rglob("broke-*.txt")
    assert str(report).encode() in last.replace(b"\r\n", b"")
    assert report.stat().st_mode & 0o777 == 0o600
    told = report.read_text(encoding="utf-8")
    assert "ZeroDivisionError: drawing" in told
    assert "hunter2" not in told
    assert list((night / "state").rglob("*.halfawake")), "what was read is kept for the morning"


def test_live_resizing_keeps_the_sentence_and_the_rows(tmux: Tmux) -> None:
    tmux.command("at", T, "web.log")
    tmux.until("sign-up 4730")
    for width, height in ((80, 24), (300, 100), (40, 10), (120, 40)):
        tmux.run("resize-window", "-x", str(width), "-y", str(height))
        time.sleep(1.5)
        shown = tmux.until("02:07:30.117").split("\n")  # forty cells cut the text of a row
        assert len(shown) - 1 == height
        assert width < 100 or "\u2500" * width in shown, "the rule below the header is as wide"


def test_a_suspended_screen_gives_the_shell_back_and_returns(tmux: Tmux) -> None:
    tmux.command("at", T, "web.log")
    tmux.until("not evaluated")  # what has not been read could not be kept
    shell = int(tmux.run("display-message", "-p", "#{pane_pid}"))
    children = Path(f"/proc/{shell}/task/{shell}/children").read_text(encoding="ascii").split()
    os.kill(int(children[0]), signal.SIGTSTP)
    tmux.until("Stopped")
    tmux.run("send-keys", "-l", "echo the shell $((40 + 2)) answers")
    tmux.run("send-keys", "Enter")
    tmux.until("the shell 42 answers")
    tmux.run("send-keys", "-l", "fg")
    tmux.run("send-keys", "Enter")
    tmux.until("sign-up 4730")
    tmux.type("q")
    tmux.until("halfawake: kept as")
