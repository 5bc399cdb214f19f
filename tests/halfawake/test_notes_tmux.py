"""Notes and wishes in a real terminal: an export's lane stands, a service is a chip that goes."""

from __future__ import annotations

import json
from pathlib import Path

from tests.connectors.slack_export import said, written_zip
from tests.halfawake.test_pasting_tmux import ALERT
from tests.halfawake.test_tmux import Tmux, terminal

__all__ = ["terminal"]

OTHER = "2026-03-14T02:07:31.117Z INFO mailer-1 job=welcome started\n"


def exported(folder: Path) -> None:
    night = [
        said("02:07:10", "ack, looking"),
        said("02:07:40", "rolled back web to v411", "U2"),
    ]
    written_zip(folder / "slack-export.zip", {"incident-42/2026-03-14.json": night})


def test_the_lane_of_a_slack_export_stands_on_the_screen(terminal: Tmux, tmp_path: Path) -> None:
    exported(tmp_path)
    terminal.command("at", "2026-03-14T02:07:30Z", "web.log", "slack-export.zip")
    shown = terminal.until("rolled back web to v411")
    lane = next(line for line in shown.splitlines() if line.startswith(" note "))
    assert lane.split()[1].startswith("slack")
    assert any("Bo Jung" in line and "note" in line for line in shown.splitlines())
    terminal.type("q")
    terminal.until("left with 0")


def test_a_service_is_a_chip_and_escape_shows_all(terminal: Tmux, tmp_path: Path) -> None:
    (tmp_path / "mailer.log").write_text(OTHER, encoding="utf-8")
    terminal.command("at", "2026-03-14T02:07:30Z", "web.log", "mailer.log", "--service", "mailer")
    shown = terminal.until("1 shown of 51 rows")
    assert "actor mailer" in shown
    assert "sign-up 4730" not in shown
    terminal.type("Escape")
    terminal.until("sign-up 4730")
    terminal.type("q")
    terminal.until("left with 0")


def test_what_a_paste_names_is_shown_and_offered(terminal: Tmux, tmp_path: Path) -> None:
    (tmp_path / "mailer.log").write_text(OTHER, encoding="utf-8")
    alert = json.loads(json.dumps(ALERT))
    alert["alerts"][0]["labels"]["service"] = "mailer"
    alert["alerts"][0]["annotations"]["summary"] = "user_id=4711"
    (tmp_path / "alert.json").write_text(json.dumps(alert), encoding="utf-8")
    terminal.run("send-keys", "-l", "cat alert.json | ")
    terminal.command("at", "-", "web.log", "mailer.log")
    terminal.until("1 shown of 51 rows")
    terminal.until("no row carries user:4711")  # said when the sources were asked for it
    terminal.type("q")
    assert "keys    user:4711" in terminal.until("left with 0")


def test_a_service_of_a_paste_that_nobody_is_called_hides_nothing(
    terminal: Tmux, tmp_path: Path
) -> None:
    alert = json.loads(json.dumps(ALERT))
    alert["alerts"][0]["labels"]["service"] = "billing"
    (tmp_path / "alert.json").write_text(json.dumps(alert), encoding="utf-8")
    terminal.run("send-keys", "-l", "cat alert.json | ")
    terminal.command("at", "-", "web.log")
    shown = terminal.until("no row was spoken by billing")
    assert "sign-up 4730" in shown
    terminal.type("q")
    terminal.until("left with 0")
