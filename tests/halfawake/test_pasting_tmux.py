"""A pasted alert through a pipe in a real terminal: the screen has its T and still its keyboard."""

from __future__ import annotations

import json
from pathlib import Path

from tests.halfawake.test_tmux import Tmux, terminal

__all__ = ["terminal"]

ALERT = {
    "version": "4",
    "status": "firing",
    "alerts": [
        {
            "status": "firing",
            "labels": {"alertname": "HighErrorRate", "service": "web"},
            "annotations": {"summary": "errors"},
            "startsAt": "2026-03-14T02:07:30Z",
            "endsAt": "0001-01-01T00:00:00Z",
        }
    ],
}


def piped(terminal: Tmux, file: str) -> None:
    """Type `cat FILE | halfawake at - web.log`."""
    terminal.run("send-keys", "-l", f"cat {file} | ")
    terminal.command("at", "-", "web.log")


def test_a_piped_alert_opens_the_screen_with_its_keyboard(
    terminal: Tmux,
    tmp_path: Path,
) -> None:
    (tmp_path / "alert.json").write_text(json.dumps(ALERT), encoding="utf-8")
    piped(terminal, "alert.json")
    shown = terminal.until("sign-up 4730")
    assert "T 02:07:30Z" in shown
    terminal.type("?")
    terminal.until("esc back")
    terminal.type("Escape")
    terminal.until("sign-up 4730")
    terminal.type("q")
    left = terminal.until("left with 0")
    assert "Alertmanager webhook: HighErrorRate" in left


def test_a_stamp_without_a_zone_is_asked_about_at_the_terminal(
    terminal: Tmux,
    tmp_path: Path,
) -> None:
    (tmp_path / "line.txt").write_text("2026-03-14 02:07:30 ERROR web lost redis\n", "utf-8")
    terminal.run("send-keys", "-l", "export TZ=Asia/Tokyo")
    terminal.type("Enter")
    piped(terminal, "line.txt")
    terminal.until("Which one?")
    terminal.run("send-keys", "-l", "2")
    terminal.type("Enter")
    assert "T 02:07:30Z" in terminal.until("sign-up 4730")
    terminal.type("q")
    terminal.until("left with 0")
