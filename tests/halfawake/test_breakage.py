"""A defect of halfawake's own: one sentence, a report, an exit code; nobody waits for ever."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from halfawake import cli, recorded
from halfawake.breakage import KEPT_REPORTS, write_report
from halfawake.exit_codes import ExitCode

if TYPE_CHECKING:
    import pytest


def _defect(*_: object) -> None:
    token = "ghp_" + "a" * 36  # noqa: F841 - a value that no report may hold
    raise ZeroDivisionError("password=hunter2hunter2 while dividing")


def test_a_defect_in_the_collectors_thread_is_told_and_not_waited_for(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(recorded, "examine", _defect)
    assert cli.run(["findings", "demo:night-hiccup"]) == ExitCode.BROKEN
    told = capsys.readouterr()
    assert "a defect of its own (ZeroDivisionError)" in told.err
    assert "Traceback" not in told.err
    report = Path(told.err.split("The report is ")[1].split(". What")[0])
    assert "ghp_" not in (text := report.read_text(encoding="utf-8"))
    assert "hunter2" not in text
    assert "_defect" in text


def test_old_reports_make_room(tmp_path: Path) -> None:
    for _ in range(KEPT_REPORTS + 3):
        write_report(ValueError("x"), tmp_path)
    assert len(list(tmp_path.glob("broke-*.txt"))) == KEPT_REPORTS
