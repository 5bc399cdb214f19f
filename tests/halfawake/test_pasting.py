"""`halfawake at -` without a terminal: what it says, what it refuses, where it stops reading."""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from halfawake.exit_codes import ExitCode
from halfawake.pasting import MOST_BYTES, read_paste, take
from tests.halfawake.test_pasting_tmux import ALERT

if TYPE_CHECKING:
    import pytest

ROOT = Path(__file__).parents[2]


def at(folder: Path, pasted: bytes, *words: str) -> subprocess.CompletedProcess[bytes]:
    """`halfawake at - web.log` with `pasted` as stdin, in Tokyo and with no terminal at all."""
    log = "2026-03-14T02:07:29.117Z ERROR web-1 sign-up 4729: failed\n"
    (folder / "web.log").write_text(log, encoding="utf-8")
    return subprocess.run(
        [sys.executable, "-m", "halfawake", "at", "-", "web.log", *words],
        input=pasted,
        capture_output=True,
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(ROOT), "TZ": "Asia/Tokyo"},
        start_new_session=True,
        timeout=60,
        check=False,
    )


def test_an_alert_is_told_in_six_lines_and_shown_as_text(tmp_path: Path) -> None:
    done = at(tmp_path, json.dumps(ALERT).encode())
    told = [line for line in done.stderr.decode().splitlines() if line.startswith(("  ", "half"))]
    assert told[0] == "halfawake: Alertmanager webhook: HighErrorRate, 1 firing"
    assert len(told) <= 6
    assert any("45 min before T" in line and "for:" in line for line in told)
    assert any("service web" in line for line in told)
    shown = done.stdout.decode()
    assert "T 2026-03-14 02:07:30Z" in shown
    assert "window -45/+5 min" in shown


def test_two_readings_are_refused_with_both(tmp_path: Path) -> None:
    done = at(tmp_path, b"2026-03-14 02:07:30 ERROR boom\n")
    assert done.returncode == ExitCode.USAGE
    said = done.stderr.decode()
    assert "2026-03-13 17:07:30Z" in said
    assert "2026-03-14 02:07:30Z" in said
    assert done.stdout == b""


def test_a_zone_on_the_command_line_answers(tmp_path: Path) -> None:
    done = at(tmp_path, b"2026-03-14 02:07:30 ERROR boom\n", "--zone", "UTC")
    assert "T 2026-03-14 02:07:30Z" in done.stdout.decode()


def test_the_window_of_the_command_line_goes_before_that_of_the_paste(tmp_path: Path) -> None:
    done = at(tmp_path, json.dumps(ALERT).encode(), "--before", "10m")
    assert "window -10/+5 min" in done.stdout.decode()


def test_nothing_and_nonsense_are_refused(tmp_path: Path) -> None:
    for pasted in (b"", b"\xff\xfe\x00", b"hello"):
        done = at(tmp_path, pasted)
        assert done.returncode == ExitCode.USAGE, pasted
        assert b"Traceback" not in done.stderr


def test_reading_stops_at_its_bound() -> None:
    reading, writing = os.pipe()
    with os.fdopen(writing, "wb") as pipe, subprocess.Popen(["yes"], stdout=pipe) as endless:
        os.set_inheritable(reading, False)
        raw, cut = read_paste(reading)
        os.close(reading)
        endless.kill()
    assert cut
    assert len(raw) == MOST_BYTES


def test_the_environment_of_a_paste_is_chosen_only_among_those_configured(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "halfawake.toml").write_text("[env.production.sources.web]\n", encoding="utf-8")
    labels = {"alertname": "x", "env": "prod"}
    pasted = {"alerts": [{"labels": labels, "startsAt": "2026-03-14T02:07:30Z"}]}
    chosen = {"prod": "production", "qa": None}
    for said, environment in chosen.items():
        labels["env"] = said
        reading, writing = os.pipe()
        os.write(writing, json.dumps(pasted).encode())
        os.close(writing)
        monkeypatch.setattr("halfawake.pasting.read_paste", lambda fd=reading: read_paste(fd))
        monkeypatch.setattr("halfawake.pasting.keyboard_from_terminal", lambda: False)
        arguments = argparse.Namespace(
            time="-",
            files=[],
            env=None,
            zone=None,
            before=None,
            after=None,
            config=tmp_path / "halfawake.toml",
        )
        take(arguments)
        os.close(reading)
        assert arguments.env == environment
        assert arguments.time == "2026-03-14T02:07:30Z"
