"""Whatever is typed or read: one clear sentence with place and remedy, never a traceback."""

from __future__ import annotations

import gzip
import subprocess
import sys
from pathlib import Path

import pytest

GOOD = "2026-03-14T02:07:29.117Z ERROR web sign-up 4711 failed\n"
PIN = "2026-03-14T02:13:40Z"


def halfawake(*words: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    done = subprocess.run(
        [sys.executable, "-m", "halfawake", *words],
        cwd=cwd,
        capture_output=True,
        text=True,
        stdin=subprocess.DEVNULL,
        timeout=60,
    )
    assert "Traceback" not in done.stdout + done.stderr
    return done


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["at", "quarter past three", "app.log"], "03:14"),
        (["at", PIN, "missing.log"], "There is no file missing.log"),
        (["at", PIN], "halfawake demo"),
        (["at", PIN, "app.log", "--zone", "Mars/Base"], "not a time zone"),
        (["at", PIN, "app.log", "--before", "soon"], "not a duration"),
        (["demo", "night-hickup"], "night-hiccup"),
        (["open", "missing.halfawake"], "missing.halfawake"),
        (["open", "app.log.halfawake"], "app.log.halfawake"),
        (["explain"], "--help"),
        (["export", PIN, "app.log", "--format", "word"], "md"),
    ],
)
def test_a_wrong_word_is_refused_with_a_remedy(tmp_path: Path, words: list[str], said: str) -> None:
    (tmp_path / "app.log").write_text(GOOD, encoding="utf-8")
    (tmp_path / "app.log.halfawake").write_text("not a bundle", encoding="utf-8")
    done = halfawake(*words, cwd=tmp_path)
    assert done.returncode == 2
    assert said in done.stderr
    assert done.stdout == ""


def test_an_ambiguous_pin_is_never_guessed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TZ", "America/New_York")
    (tmp_path / "app.log").write_text(GOOD, encoding="utf-8")
    done = halfawake("at", "2026-03-14 02:13:40", "app.log", cwd=tmp_path)
    assert done.returncode == 2
    assert "ago" in done.stderr
    assert "--zone" in done.stderr
    settled = halfawake("at", "2026-03-14 02:13:40", "app.log", "--zone", "UTC", cwd=tmp_path)
    assert "sign-up 4711 failed" in settled.stdout


@pytest.mark.parametrize(
    ("broken", "said"),
    [
        (b"1600-01-01T00:00:00Z INFO old\n", "out of range"),
        (b"9999-12-31T23:59:59Z INFO far\n", "out of range"),
        (b"2026-03-14T02:07:60Z INFO leap\n", ""),
        (b"2026-03-14T02:07:30Z INFO bad \xff\xfe byte\n", ""),
        (b"2026-03-14T02:07:30Z INFO \x1b]52;c;aGk=\x07 [/markup] \x1b[31m\n", "[/markup]"),
        (b'{"ts": "2026-03-14T02:07:30Z", "msg": "cut in the mid\n', ""),
    ],
)
def test_one_bad_line_costs_no_good_one(tmp_path: Path, broken: bytes, said: str) -> None:
    (tmp_path / "app.log").write_bytes(
        GOOD.encode() + broken + GOOD.replace("4711", "4712").encode()
    )
    done = halfawake("at", PIN, "app.log", cwd=tmp_path)
    assert done.returncode in (0, 3)
    assert "sign-up 4711 failed" in done.stdout
    assert "sign-up 4712 failed" in done.stdout
    assert said in done.stdout
    assert "\x1b" not in done.stdout
    assert "\x07" not in done.stdout


def test_a_truncated_gzip_keeps_what_is_good(tmp_path: Path) -> None:
    whole = gzip.compress("".join(GOOD.replace("4711", str(n)) for n in range(5_000)).encode())
    (tmp_path / "app.log.1.gz").write_bytes(whole[: len(whole) // 2])
    done = halfawake("at", PIN, "app.log.1.gz", cwd=tmp_path)
    assert done.returncode == 3
    assert "sign-up 17 failed" in done.stdout
    assert "app.log.1.gz" in done.stdout + done.stderr


def test_a_zone_less_log_says_what_was_assumed(tmp_path: Path) -> None:
    (tmp_path / "app.log").write_text(GOOD.replace("T", " ").replace("Z", ""), encoding="utf-8")
    done = halfawake("at", PIN, "app.log", cwd=tmp_path)
    assert "UTC" in done.stdout
    assert "assumed" in done.stdout


def test_an_unknown_setting_names_file_and_line(tmp_path: Path) -> None:
    text = '[env.prod.sources.web]\nconnector = "file"\npath = ["app.log"]\n'
    (tmp_path / "halfawake.toml").write_text(text, encoding="utf-8")
    done = halfawake("at", PIN, cwd=tmp_path)
    assert done.returncode == 2
    assert "halfawake.toml, line 3" in done.stderr
    assert "'paths'" in done.stderr


def test_a_refused_port_is_a_blind_spot(tmp_path: Path) -> None:
    text = (
        '[env.prod.sources.web]\nconnector = "file"\npaths = ["app.log"]\n'
        '[env.prod.sources.queue]\nconnector = "rq"\nurl = "redis://127.0.0.1:9"\n'
    )
    (tmp_path / "halfawake.toml").write_text(text, encoding="utf-8")
    (tmp_path / "app.log").write_text(GOOD, encoding="utf-8")
    done = halfawake("at", PIN, cwd=tmp_path)
    assert done.returncode == 3
    assert "sign-up 4711 failed" in done.stdout
    assert "127.0.0.1:9" in done.stdout


def test_files_may_follow_options(tmp_path: Path) -> None:
    (tmp_path / "app.log").write_text(GOOD, encoding="utf-8")
    done = halfawake("at", PIN, "--before", "10m", "app.log", cwd=tmp_path)
    assert "sign-up 4711 failed" in done.stdout
    assert halfawake("at", PIN, "app.log", "--befor3", "10m", cwd=tmp_path).returncode == 2
