"""Files on the command line: logs are logs, notes are notes, and no file is both or forgotten."""

from __future__ import annotations

import json
from argparse import Namespace
from pathlib import Path

import pytest

from halfawake import cli
from halfawake.cli import UsageProblem
from halfawake.exit_codes import ExitCode
from halfawake.named_files import named_files
from tests.connectors.slack_export import night_zip
from tests.halfawake.test_pasting_tmux import ALERT

LOG = "2026-03-14T02:13:29.117Z ERROR web-1 sign-up user_id=4711: failed\n"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "web.log").write_text(LOG, encoding="utf-8")
    (tmp_path / "own.txt").write_text("- 02:15 paused mailers\n", encoding="utf-8")
    (tmp_path / "2026-03-14.md").write_text("- 02:16 resumed mailers\n", encoding="utf-8")
    night_zip(tmp_path)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def export(capsys: pytest.CaptureFixture[str], *words: str) -> dict[str, list[dict[str, object]]]:
    cli.run(["export", "2026-03-14T02:19:40Z", *words, "--format", "json"])
    told: dict[str, list[dict[str, object]]] = json.loads(capsys.readouterr().out)
    return told


def test_an_export_and_a_list_are_recognised_and_other_text_is_not(folder: Path) -> None:
    files = ["web.log", "own.txt", "slack-export.zip", "2026-03-14.md"]
    named = named_files(Namespace(files=files, notes=[]))
    assert [str(path) for path in named.logs] == ["web.log", "own.txt"]
    assert [str(path) for path in named.notes] == ["slack-export.zip", "2026-03-14.md"]
    assert named.by_files


def test_notes_make_lanes_of_their_own(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    told = export(capsys, "web.log", "slack-export.zip", "2026-03-14.md")
    lanes = {source["name"]: source["lane"] for source in told["sources"]}
    assert lanes == {"web": "log", "slack-export": "note", "2026-03-14": "note"}
    texts = [str(row["text"]) for row in told["timeline"]]
    assert "resumed mailers" in texts
    assert "rolled back web to v411" in texts


def test_notes_alone_need_no_log_and_no_configuration(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    told = export(capsys, "slack-export.zip")
    assert [source["name"] for source in told["sources"]] == ["slack-export"]


def test_notes_are_added_to_a_configured_environment(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    text = '[env.prod.sources.logs]\nconnector = "file"\npaths = ["web.log"]\n'
    (folder / "halfawake.toml").write_text(text, encoding="utf-8")
    (folder / "day.notes").write_text("2026-03-14 02:15 paused mailers\n", encoding="utf-8")
    told = export(capsys, "--notes", "day.notes", "-e", "prod")
    assert {source["name"] for source in told["sources"]} == {"logs", "day"}


def test_a_file_of_notes_that_is_not_there_is_refused(folder: Path) -> None:
    with pytest.raises(UsageProblem, match=r"no file nonesuch\.zip"):
        named_files(Namespace(files=["web.log"], notes=["nonesuch.zip"]))


def test_a_zone_is_given_to_notes_too(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "2026-03-14.md").write_text("- 03:16 resumed mailers\n", encoding="utf-8")
    told = export(capsys, "2026-03-14.md", "--zone", "Europe/Berlin")
    times = [row["time"] for row in told["timeline"] if row["text"] == "resumed mailers"]
    assert times == ["2026-03-14T02:16:00Z"]


def test_a_paste_is_looked_up_by_every_command(
    folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    alert = json.loads(json.dumps(ALERT))
    alert["alerts"][0]["annotations"]["summary"] = "errors of user_id=4711"
    pasted = json.dumps(alert).encode()
    for words in (["findings", "-"], ["export", "-"], ["capture", "-", "-o", "x.halfawake"]):
        monkeypatch.setattr("halfawake.pasting.read_paste", lambda: (pasted, False))
        code = cli.run([*words, "web.log", "slack-export.zip"])
        assert code in (ExitCode.DONE, ExitCode.PARTIAL), words
        said = capsys.readouterr()
        assert "keys    user:4711" in said.err
    cli.run(["export", "x.halfawake", "--format", "json"])
    rows = json.loads(capsys.readouterr().out)["totals"]
    assert rows["records"] == 2  # the log's and, outside of the window, the one of the export


def test_a_service_that_nobody_is_called_is_said(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    cli.run(["findings", "2026-03-14T02:19:40Z", "web.log", "--service", "nosuch"])
    assert "no row was spoken by a service 'nosuch'" in capsys.readouterr().err


def test_a_note_is_never_written_into_an_export(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    text = (
        '[env.prod.sources.chat]\nconnector = "notes"\npaths = ["slack-export.zip"]\n'
        '[env.prod.sources.notes]\nconnector = "notes"\npaths = ["slack-export.zip", "n.md"]\n'
    )
    (folder / "halfawake.toml").write_text(text, encoding="utf-8")
    before = (folder / "slack-export.zip").read_bytes()
    assert cli.run(["note", "paused mailers", "-e", "prod"]) == ExitCode.DONE
    assert "paused mailers" in (folder / "n.md").read_text(encoding="utf-8")
    assert (folder / "slack-export.zip").read_bytes() == before
    capsys.readouterr()
