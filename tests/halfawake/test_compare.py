"""`halfawake compare`: the document read as people write it, and every refusal in one sentence."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from halfawake import cli
from halfawake.exit_codes import ExitCode

POSTMORTEM = """# Sign-ups without mail

All times in CET.

| Time | Event |
| --- | --- |
| 2026-11-22 01:15 | web loses redis, sign-ups time out |
| ~2026-11-22 01:17 | a customer telephones |
| 2026-11-23 | review |
"""


@pytest.fixture
def document(tmp_path: Path) -> Path:
    path = tmp_path / "postmortem.md"
    path.write_text(POSTMORTEM, encoding="utf-8")
    return path


def test_a_document_is_held_against_a_recorded_night(
    document: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.run(["compare", str(document), "demo:night-hiccup"]) == ExitCode.DONE
    text = capsys.readouterr().out
    assert "2026-11-22 00:15  web loses redis, sign-ups time out  (postmortem.md@" in text
    assert "recorded in the time written: 2026-11-22 00:15:" in text
    assert "not compared: a day without a time of day (2026-11-23)" in text
    assert text.count("none that names the same") >= 1
    assert "its zone is not written" not in text


def test_as_json_it_is_one_object(document: Path, capsys: pytest.CaptureFixture[str]) -> None:
    cli.run(["compare", str(document), "demo:night-hiccup", "--json"])
    told = json.loads(capsys.readouterr().out)
    assert [row["support"] for row in told["rows"]] == ["named", "near", "undated"]
    assert told["turning_points"] >= len(told["left_out"])


def test_a_row_without_a_day_is_read_on_the_day_of_t_and_says_so(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "postmortem.md"
    path.write_text(
        "All times UTC.\n\n- 00:15 web loses redis\n\n## 2026-11-23\n\n- 09:00 review\n",
        encoding="utf-8",
    )
    cli.run(["compare", str(path), "demo:night-hiccup"])
    said = capsys.readouterr().out
    assert "2026-11-22 00:15  web loses redis" in said
    assert said.count("its day is not written: read as 2026-11-22") == 1
    assert "2026-11-23 09:00  review" in said


def test_a_row_without_a_zone_says_what_was_assumed(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "2026-11-22.md"
    path.write_text("- 00:15 web loses redis\n", encoding="utf-8")
    cli.run(["compare", str(path), "demo:night-hiccup"])
    assert "its zone is not written: read as UTC" in capsys.readouterr().out
    cli.run(["compare", str(path), "demo:night-hiccup", "--zone", "Europe/Berlin"])
    said = capsys.readouterr().out
    assert "its zone is not written" not in said
    assert "2026-11-21 23:15" in said


@pytest.mark.parametrize("content", [None, b"", b"no row at all\n", bytes(range(256))])
def test_what_holds_no_rows_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], content: bytes | None
) -> None:
    path = tmp_path / "x.md"
    if content is not None:
        path.write_bytes(content)
    assert cli.run(["compare", str(path), "demo:night-hiccup"]) == ExitCode.USAGE
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err.startswith("halfawake: ")
    assert "Traceback" not in said.err
