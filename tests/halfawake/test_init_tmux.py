"""`halfawake init` in a real terminal: its questions are answered by typing."""

from __future__ import annotations

import os
import shutil
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.halfawake.test_init import LINE
from tests.halfawake.test_tmux import Tmux
from tests.servers.process import ServerMissing
from tests.servers.pytest_fixtures import skip_or_fail


@pytest.fixture
def terminal(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Tmux]:
    if shutil.which("tmux") is None:
        skip_or_fail(ServerMissing("tmux", "apt-get install tmux"))
    for folder in ("log", "storage/logs"):
        (tmp_path / folder).mkdir(parents=True)
        (tmp_path / folder / "app.log").write_text(LINE, encoding="utf-8")
    monkeypatch.setenv("HOME", str(tmp_path))
    for name in tuple(os.environ):  # whatever else this machine runs is not to be found
        if name.endswith("_URL") or name.startswith(("AWS_", "PG")):
            monkeypatch.delenv(name)
    opened = Tmux(tmp_path, 80, 24)
    yield opened
    opened.end()


def test_each_source_is_asked_about_and_only_the_agreed_ones_are_written(
    terminal: Tmux, tmp_path: Path
) -> None:
    terminal.command("init", "--env", "prod")
    shown = terminal.until("Write local: files (file)? [y/N]")
    assert "what answered" in shown
    terminal.type("n")
    terminal.type("Enter")
    terminal.until("Write local: files-2 (file)? [y/N]")
    terminal.type("y")
    terminal.type("Enter")
    shown = terminal.until("left with 0")
    assert "Next: halfawake check" in shown
    written = tomllib.loads((tmp_path / "halfawake.toml").read_text(encoding="utf-8"))
    assert written["env"]["local"]["sources"] == {
        "files-2": {"connector": "file", "paths": ["storage/logs/*.log"]}
    }
    terminal.command("check")
    terminal.until("local: 1 of 1 sources answered")


def test_taking_nothing_writes_nothing(terminal: Tmux, tmp_path: Path) -> None:
    terminal.command("init")
    for name in ("files", "files-2"):
        terminal.until(f"Write local: {name} (file)? [y/N]")
        terminal.type("Enter")
    terminal.until("No source was taken")
    terminal.until("left with 0")
    assert not list(tmp_path.glob("*.toml"))


def test_an_interrupted_question_writes_nothing(terminal: Tmux, tmp_path: Path) -> None:
    terminal.command("init")
    terminal.until("Write local: files (file)? [y/N]")
    terminal.type("y")
    terminal.type("Enter")
    terminal.until("Write local: files-2 (file)? [y/N]")
    terminal.type("C-c")
    terminal.until("left with 130")
    assert not list(tmp_path.glob("*.toml*"))
    assert not list(tmp_path.glob(".half*"))
