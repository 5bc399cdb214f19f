"""What is asked of an export on the command line: status, every row, ids, and no redaction."""

from __future__ import annotations

import csv
import io
import json
import re
from pathlib import Path

import pytest

from halfawake.cli import run
from halfawake.demo import story_path
from halfawake.handover import FileHandover
from halfawake.plugins import EXPORTERS, names
from tests.export.goldens import analysed

DEMO = "demo:night-hiccup"


@pytest.fixture(autouse=True)
def _nowhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No configuration of this machine's."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))


def _out(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    run(["export", DEMO, *arguments])
    return capsys.readouterr().out


def test_status_is_what_y_copies(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    told = _out(capsys, "--status")
    assert told == FileHandover(tmp_path).status(*analysed("night-hiccup"))
    assert told.count("\n") == 3


def _held() -> int:
    """Records of the recorded night inside its window."""
    incident = analysed("night-hiccup")[0]
    window = incident.window
    return int(incident.snapshot.times.is_between(window.start, window.end, closed="left").sum())


def _spaced(number: int) -> str:
    return f"{number:,}".replace(",", " ")


def test_every_record_is_told_on_demand(capsys: pytest.CaptureFixture[str]) -> None:
    few = list(csv.reader(io.StringIO(_out(capsys, "--format", "csv"))))
    rows = list(csv.reader(io.StringIO(_out(capsys, "--format", "csv", "--all"))))
    held = _held()
    recorded = [row for row in rows[1:-1] if row[2] != "halfawake"]
    assert len(recorded) == held > 5_000
    assert len(few) < 30
    stamps = [row[0].rstrip("Z").partition(".") for row in recorded]
    times = [(second, fraction.ljust(9, "0")) for second, _, fraction in stamps]
    assert times == sorted(times)
    assert f"of the {_spaced(held)}" in re.sub(r"\s", " ", rows[-1][7])


@pytest.mark.parametrize(("name", "limit"), [("md", 60_000), ("list", 60_000), ("jira", 32_000)])
def test_with_all_rows_a_limit_keeps_those_around_t_and_the_findings(
    name: str, limit: int, capsys: pytest.CaptureFixture[str]
) -> None:
    told = _out(capsys, "--format", name, "--all")
    assert len(told) <= limit
    assert "left out to stay under" in re.sub(r"\s", " ", told)
    assert "T, the pinned instant" in told
    assert "network" in told
    plain = re.sub(r"\s", " ", told)
    assert _spaced(_held()) in plain or _spaced(_held() - 1) in plain


@pytest.mark.parametrize("name", [n for n in names(EXPORTERS) if n != "png"])
def test_switching_redaction_off_is_told_with_its_reason_in_every_format(
    name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    told = _out(capsys, "--format", name, "--no-redact", "a room that is locked")
    assert "a room that is locked" in re.sub(r"\s+", " ", told)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--no-redact", " "], "needs a reason"),
        (["--pseudonym-key-from", "NO_SUCH"], "goes with --pseudonymise-ids"),
        (["--pseudonymise-ids", "--pseudonym-key-from", "NO_SUCH"], "no such environment variable"),
        (["--pseudonymise-ids", "--pseudonym-key-from", "SHORT"], "needs at least 16"),
        (["-o", "/"], "cannot be written"),
    ],
)
def test_what_cannot_be_done_is_one_sentence(
    arguments: list[str],
    said: str,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("SHORT", "abc")
    assert run(["export", DEMO, *arguments]) == 2
    told = capsys.readouterr().err
    assert said in told
    assert "abc" not in told


def test_a_key_from_the_environment_or_a_file_is_the_same(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    key = "0123456789abcdef0123456789abcdef"
    monkeypatch.setenv("STAND_IN_KEY", key)
    (tmp_path / "key").write_text(f"{key}\n", encoding="utf-8")
    ids = ["--pseudonymise-ids", "--format", "json", "--pseudonym-key-from"]
    told = _out(capsys, *ids, "STAND_IN_KEY")
    assert told == _out(capsys, *ids, str(tmp_path / "key"))
    assert key not in told
    assert json.loads(told)["redaction"]["ids_replaced"] is True


def test_a_broken_redact_table_lets_nothing_out(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    (tmp_path / "halfawake.toml").write_text("[redact.rules.x]\npattern = '.*'\n", encoding="utf-8")
    assert run(["export", DEMO]) == 2
    assert run(["findings", DEMO]) == 2
    assert run(["capture", str(story_path("night-hiccup")), "--redact", "-o", "x.halfawake"]) == 2
    told = capsys.readouterr()
    assert told.out == ""
    assert told.err.count("halfawake.toml, line 2: redact.rules.x.pattern") == 3
    assert not (tmp_path / "x.halfawake").exists()
    with pytest.raises(ValueError, match="line 2"):
        FileHandover(tmp_path).status(*analysed("night-hiccup"))
