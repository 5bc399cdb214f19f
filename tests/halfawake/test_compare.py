"""`halfawake compare`: the document read as people write it, and every refusal in one sentence."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from halfawake import cli
from halfawake.exit_codes import ExitCode
from tests.lab.recording import REPOSITORY

TRUTHS = REPOSITORY / "tests" / "lab" / "truth"

LOST = datetime.fromtimestamp(
    json.loads((TRUTHS / "night-hiccup.truth.json").read_text())["fault_from_ns"] // 10**9, UTC
)
"""When the recorded night lost its cache; its minutes are what a person writes down."""
IN_CET = LOST + timedelta(hours=1)
DAY, NEXT_DAY = f"{LOST:%Y-%m-%d}", f"{LOST + timedelta(days=1):%Y-%m-%d}"
POSTMORTEM = f"""# Sign-ups without mail

All times in CET.

| Time | Event |
| --- | --- |
| {IN_CET:%Y-%m-%d %H:%M} | web loses redis, sign-ups time out |
| ~{IN_CET + timedelta(minutes=2):%Y-%m-%d %H:%M} | a customer telephones |
| {NEXT_DAY} | review |
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
    assert f"{LOST:%Y-%m-%d %H:%M}  web loses redis, sign-ups time out  (postmortem.md@" in text
    assert f"recorded in the time written: {LOST:%Y-%m-%d %H:%M}:" in text
    assert f"not compared: a day without a time of day ({NEXT_DAY})" in text
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
        f"All times UTC.\n\n- {LOST:%H:%M} web loses redis\n\n## {NEXT_DAY}\n\n- 09:00 review\n",
        encoding="utf-8",
    )
    cli.run(["compare", str(path), "demo:night-hiccup"])
    said = capsys.readouterr().out
    assert f"{LOST:%Y-%m-%d %H:%M}  web loses redis" in said
    assert said.count(f"its day is not written: read as {DAY}") == 1
    assert f"{NEXT_DAY} 09:00  review" in said


def test_a_row_without_a_zone_says_what_was_assumed(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / f"{DAY}.md"
    path.write_text(f"- {LOST:%H:%M} web loses redis\n", encoding="utf-8")
    cli.run(["compare", str(path), "demo:night-hiccup"])
    assert "its zone is not written: read as UTC" in capsys.readouterr().out
    cli.run(["compare", str(path), "demo:night-hiccup", "--zone", "Europe/Berlin"])
    said = capsys.readouterr().out
    assert "its zone is not written" not in said
    assert f"{LOST - timedelta(hours=1):%Y-%m-%d %H:%M}" in said


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
