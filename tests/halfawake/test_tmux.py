"""The whole product in a real terminal: tmux shows it, real keys are typed, the screen is read."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.servers.process import ServerMissing
from tests.servers.pytest_fixtures import skip_or_fail

WITHIN_S = 30.0
HAND_S = 0.5
GOOD = "2026-03-14T02:07:{second:02d}.117Z {level} web-1 sign-up {number}: {text}\n"


class Tmux:
    """One tmux server of its own with one window."""

    def __init__(self, folder: Path, width: int, height: int) -> None:
        self._name = f"halfawake-{uuid.uuid4().hex[:8]}"
        self._folder = folder
        self.run("new-session", "-d", "-x", str(width), "-y", str(height), "-c", str(folder), "sh")

    def run(self, *words: str) -> str:
        command = ["tmux", "-L", self._name, *words]
        # a library may have exported a size of its own, which the terminal has not
        kept = {k: v for k, v in os.environ.items() if k not in ("LINES", "COLUMNS")}
        done = subprocess.run(command, capture_output=True, text=True, check=True, env=kept)
        return done.stdout

    def type(self, text: str) -> None:
        """One key, and the moment a hand needs; an Escape and a letter at once would be Alt."""
        self.run("send-keys", text)
        time.sleep(HAND_S)

    def command(self, *words: str) -> None:
        line = f"PYTHONPATH={Path(__file__).parents[2]} {sys.executable} -m halfawake"
        self.run("send-keys", "-l", " ".join((line, *words)) + "; echo left with $?")
        self.run("send-keys", "Enter")

    def screen(self) -> str:
        return self.run("capture-pane", "-p")

    def until(self, text: str) -> str:
        """The screen once it shows `text`; fails with what it showed instead."""
        deadline = time.monotonic() + WITHIN_S
        while text not in (screen := self.screen()):
            assert time.monotonic() < deadline, f"no {text!r} on:\n{screen}"
            time.sleep(0.1)
        return screen

    def until_gone(self, text: str) -> None:
        """Wait for what an Escape takes away: a letter that is read with it would be Alt."""
        deadline = time.monotonic() + WITHIN_S
        while text in (screen := self.screen()):
            assert time.monotonic() < deadline, f"still {text!r} on:\n{screen}"
            time.sleep(0.1)

    def end(self) -> None:
        self.run("kill-server")


@pytest.fixture(params=[(120, 40), (80, 24)], ids=["wide", "narrow"])
def terminal(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Tmux]:
    if shutil.which("tmux") is None:
        skip_or_fail(ServerMissing("tmux", "apt-get install tmux"))
    lines = [
        GOOD.format(second=n, level="ERROR" if n == 29 else "INFO", number=4700 + n, text="done")
        for n in range(50)
    ]
    (tmp_path / "web.log").write_text("".join(lines), encoding="utf-8")
    opened = Tmux(tmp_path, *request.param)
    yield opened
    opened.end()


def test_a_night_from_first_frame_to_last_key(terminal: Tmux, tmp_path: Path) -> None:
    terminal.command("at", "2026-03-14T02:07:30Z", "web.log")
    shown = terminal.until("sign-up 4730")
    assert "T 02:07:30Z" in shown
    assert "ERROR" in shown
    terminal.type("?")
    terminal.until("esc back")
    terminal.type("Escape")
    terminal.until("sign-up 4730")
    terminal.type("/")
    terminal.run("send-keys", "-l", "4733")
    terminal.type("Enter")
    terminal.until("sign-up 4733")
    terminal.until("esc ends")  # the search was entered; its chip says how to end it
    terminal.type("Escape")
    terminal.until_gone("esc ends")
    terminal.until("No finding.")  # before that there is nothing to export, and it says so
    terminal.type("e")
    terminal.until("nothing is written yet")
    terminal.until("### ")
    terminal.type("Enter")
    terminal.until("Timeline written to")
    written = list(tmp_path.glob("timeline-*.md"))
    assert len(written) == 1
    assert "sign-up 4729" in written[0].read_text(encoding="utf-8")
    terminal.type("q")
    terminal.until("left with 0")


def test_the_terminal_is_given_back_on_sigterm(terminal: Tmux) -> None:
    terminal.command("at", "2026-03-14T02:07:30Z", "web.log")
    terminal.until("sign-up 4730")
    shell = int(terminal.run("display-message", "-p", "#{pane_pid}"))
    for child in Path(f"/proc/{shell}/task/{shell}/children").read_text(encoding="ascii").split():
        os.kill(int(child), 15)
    terminal.until("left with 130")
