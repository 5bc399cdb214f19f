"""A killed screen comes back to the same row, in a real terminal."""

from __future__ import annotations

import os
import shutil
import time
from pathlib import Path

import pytest

from tests.halfawake.test_tmux import GOOD, HAND_S, Tmux
from tests.servers.process import ServerMissing
from tests.servers.pytest_fixtures import skip_or_fail

LEFT_S = 5.0
"""Longer than a view waits to be kept."""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    lines = [GOOD.format(second=n, level="INFO", number=4700 + n, text="done") for n in range(59)]
    (tmp_path / "web.log").write_text("".join(lines), encoding="utf-8")
    return tmp_path


def opened(folder: Path) -> Tmux:
    if shutil.which("tmux") is None:
        skip_or_fail(ServerMissing("tmux", "apt-get install tmux"))
    terminal = Tmux(folder, 120, 40)
    for name in ("STATE", "DATA", "CONFIG"):
        terminal.run("send-keys", f"export XDG_{name}_HOME={folder}/{name.lower()}", "Enter")
    return terminal


def line_of_cursor(screen: str) -> str:
    return next(line for line in screen.splitlines() if line.lstrip().startswith(("▸", ">")))


def halfawake_of(terminal: Tmux) -> int:
    shell = int(terminal.run("display-message", "-p", "#{pane_pid}"))
    children = Path(f"/proc/{shell}/task/{shell}/children").read_text(encoding="ascii").split()
    return int(children[0])


def test_after_a_kill_the_last_incident_is_as_it_was(folder: Path) -> None:
    terminal = opened(folder)
    try:
        terminal.command("at", "2026-03-14T02:07:30Z", "web.log")
        terminal.until("sign-up 4730")
        terminal.until("No finding.")
        terminal.type("a")
        terminal.run("send-keys", "-l", "@02:07:35 paused mailers")
        terminal.type("Enter")
        terminal.until("paused mailers")
        for key in ("Down", "Down", "Space", "Down", "Down", "Down"):
            terminal.type(key)
        there = line_of_cursor(terminal.screen())
        time.sleep(LEFT_S)
        os.kill(halfawake_of(terminal), 9)
        terminal.until("left with 137")
        # a killed program leaves the terminal as it had set it: Enter is not yet a line's end
        terminal.run("send-keys", "C-j", "stty sane; reset", "C-j")
        time.sleep(HAND_S * 4)
        terminal.command("open", "--last")
        terminal.until("Restored as you left it at")
        terminal.until("paused mailers")
        terminal.until("No finding.")
        screen = terminal.screen()
        assert line_of_cursor(screen) == there
        assert sum("●" in line for line in screen.splitlines()) == 1
        assert "paused mailers" in screen
        terminal.type("u")
        terminal.until("Afresh: at T")
        terminal.type("q")
        terminal.until("left with 0")
        kept = list((folder / "state" / "halfawake" / "incidents").iterdir())
        assert all(file.stat().st_mode & 0o777 == 0o600 for file in kept)
    finally:
        terminal.end()
