"""`halfawake init` as it is typed: what it refuses, leaves behind, and never says."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parents[2]
WITHIN_S = 120
SECRET = "hunter2-9f3c"
LINE = "2026-03-14T02:07:29.117Z ERROR web sign-up 4711 failed\n"


def environment(folder: Path, **variables: str) -> dict[str, str]:
    """A shell that exports nothing but `variables`."""
    kept = {name: os.environ[name] for name in ("PATH", "XDG_CONFIG_HOME", "XDG_STATE_HOME")}
    return {**kept, "HOME": str(folder), "PYTHONPATH": str(REPOSITORY), **variables}


def halfawake(folder: Path, *words: str, **variables: str) -> subprocess.CompletedProcess[str]:
    done = subprocess.run(
        [sys.executable, "-m", "halfawake", *words],
        cwd=folder,
        env=environment(folder, **variables),
        capture_output=True,
        text=True,
        stdin=subprocess.DEVNULL,
        timeout=WITHIN_S,
        check=False,
    )
    assert "Traceback" not in done.stderr, done.stderr
    assert SECRET not in done.stdout + done.stderr
    return done


def remains(folder: Path) -> set[str]:
    """Names of everything in a folder."""
    return {path.name for path in folder.iterdir()}


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A folder with one log, which is a source that needs no server."""
    (tmp_path / "log").mkdir()
    (tmp_path / "log" / "development.log").write_text(LINE, encoding="utf-8")
    return tmp_path


@pytest.fixture
def silent_port() -> Iterator[int]:
    """A server that takes connections and never says a word."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


def test_an_empty_folder_says_where_was_looked(tmp_path: Path) -> None:
    done = halfawake(tmp_path, "init", "--yes")
    assert done.returncode == 2
    for name in ("DATABASE_URL", "REDIS_URL", "ELASTICSEARCH_URL"):
        assert name in done.stderr
    assert "XDG_STATE_HOME" not in done.stderr
    assert "compose" in done.stderr
    assert done.stdout == ""
    assert remains(tmp_path) == set()


def test_from_a_log_folder_to_a_checked_configuration(checkout: Path) -> None:
    made = halfawake(checkout, "init", "--yes")
    assert made.returncode == 0, made.stderr
    assert made.stderr.endswith("Next: halfawake check\n")
    data = tomllib.loads((checkout / "halfawake.toml").read_text(encoding="utf-8"))
    assert data["default_env"] == "local"
    assert data["env"]["local"]["sources"]["files"]["paths"] == ["log/*.log"]
    checked = halfawake(checkout, "check", "--strict")
    assert checked.returncode == 0
    assert "local: 1 of 1 sources answered" in checked.stdout
    shown = halfawake(checkout, "at", "2026-03-14T02:07:30Z")
    assert "sign-up 4711 failed" in shown.stdout


def test_without_a_terminal_nothing_is_written_unasked(checkout: Path) -> None:
    done = halfawake(checkout, "init")
    assert done.returncode == 2
    assert "halfawake init --yes" in done.stderr
    assert tomllib.loads(done.stdout)["default_env"] == "local"
    dry = halfawake(checkout, "init", "--dry-run")
    assert dry.returncode == 0
    assert dry.stdout == done.stdout
    assert remains(checkout) == {"log"}


def test_what_is_there_is_never_touched(checkout: Path) -> None:
    mine = checkout / "halfawake.toml"
    mine.write_text("# mine\n", encoding="utf-8")
    done = halfawake(checkout, "init", "--yes")
    assert done.returncode == 2
    assert "--output" in done.stderr
    beside = halfawake(checkout, "init", "--yes", "--output", "new.toml")
    assert beside.returncode == 0
    assert beside.stderr.endswith("Next: halfawake check --config new.toml\n")
    assert mine.read_text(encoding="utf-8") == "# mine\n"
    assert remains(checkout) == {"log", "halfawake.toml", "new.toml"}


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--env", "eu prod"], "eu-prod"),
        (["--output", "nowhere/halfawake.toml"], "There is no folder nowhere"),
        (["--from-env-file", "missing.env"], "missing.env cannot be read"),
        (["--from-env-file", "log"], "log cannot be read"),
        (["--yess", "x"], "--help"),
    ],
)
def test_a_wrong_word_is_refused_with_a_remedy(checkout: Path, words: list[str], said: str) -> None:
    done = halfawake(checkout, "init", "--yes", *words)
    assert done.returncode == 2
    assert said in done.stderr
    assert remains(checkout) == {"log"}


def test_nonsense_and_damage_cost_nothing_that_is_good(checkout: Path) -> None:
    (checkout / ".env").mkdir()
    (checkout / ".env.local").write_bytes(b"what is this\nELASTICSEARCH_URL=\xff\xfe\n")
    (checkout / "compose.yaml").write_text("services: [\n", encoding="utf-8")
    done = halfawake(
        checkout,
        "init",
        "--yes",
        REDIS_URL=SECRET,
        DATABASE_URL=f"mongodb://{SECRET}",
        HALFAWAKE_DOCS_URL="https://docs.example.org",
    )
    assert done.returncode == 3
    assert "REDIS_URL of your shell begins like nothing" in done.stderr
    assert "DATABASE_URL of your shell begins like nothing" in done.stderr
    assert "HALFAWAKE_DOCS_URL" not in done.stderr
    assert ".env cannot be read: Is a directory" in done.stderr
    assert ".env.local: not understood and left out: line 1" in done.stderr
    assert "compose.yaml is not understood (line 2)" in done.stderr
    text = (checkout / "halfawake.toml").read_text(encoding="utf-8")
    assert list(tomllib.loads(text)["env"]["local"]["sources"]) == ["files"]
    assert "# [env.local.sources.logs]" in text


def test_a_server_that_hangs_does_not_hold_up_the_others(checkout: Path, silent_port: int) -> None:
    began = time.monotonic()
    hanging = f"redis://:{SECRET}@127.0.0.1:{silent_port}/0"
    done = halfawake(checkout, "init", "--yes", REDIS_URL=hanging)
    assert time.monotonic() - began < 30
    assert done.returncode == 3
    assert "REDIS_URL" in done.stderr
    text = (checkout / "halfawake.toml").read_text(encoding="utf-8")
    assert 'url = "${REDIS_URL}"' in text
    assert SECRET not in text
    assert halfawake(checkout, "check").returncode == 0


def test_nobody_answering_is_said_and_nothing_written(tmp_path: Path) -> None:
    done = halfawake(tmp_path, "init", "--yes", REDIS_URL="redis://127.0.0.1:9/0")
    assert done.returncode == 4
    assert "REDIS_URL" in done.stderr
    assert "refused" in done.stderr
    assert remains(tmp_path) == set()


def test_an_interruption_leaves_no_file(checkout: Path, silent_port: int) -> None:
    running = subprocess.Popen(
        [sys.executable, "-m", "halfawake", "init", "--yes"],
        cwd=checkout,
        env=environment(checkout, REDIS_URL=f"redis://127.0.0.1:{silent_port}/0"),
        stderr=subprocess.PIPE,
        text=True,
    )
    assert running.stderr is not None
    assert "Asking" in running.stderr.readline()
    time.sleep(0.5)  # it is waiting for the server now
    running.send_signal(signal.SIGINT)
    _, said = running.communicate(timeout=WITHIN_S)
    assert running.returncode == 130
    assert "Traceback" not in said
    assert remains(checkout) == {"log"}


def test_what_only_another_environment_needs_may_be_unset(checkout: Path) -> None:
    text = (
        'default_env = "prod"\n'
        '[env.prod.sources.files]\nconnector = "file"\npaths = ["log/*.log"]\n'
        '[env.local.sources.queue]\nconnector = "rq"\nurl = "${REDIS_URL}"\n'
    )
    (checkout / "halfawake.toml").write_text(text, encoding="utf-8")
    assert halfawake(checkout, "check").returncode == 0
    other = halfawake(checkout, "check", "-e", "local")
    assert other.returncode == 2
    assert "halfawake.toml, line 7" in other.stderr
    assert "REDIS_URL" in other.stderr
