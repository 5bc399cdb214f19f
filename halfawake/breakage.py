"""What is left when halfawake itself breaks: a sentence for the person, a report for the bug.

The report holds the traceback without the values of variables (those are production data), redacted
like everything that may leave the machine, and is readable by its owner only.
"""

from __future__ import annotations

import os
import platform
import sys
import traceback
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

from halfawake.exit_codes import ExitCode

KEPT_REPORTS = 5
"""Older reports are removed: one bug makes many."""


def write_report(error: BaseException, folder: Path) -> Path:
    """Write the report of `error` into `folder` (mode 0600). Raises `OSError`."""
    folder.mkdir(parents=True, exist_ok=True)
    for old in sorted(folder.glob("broke-*.txt"))[: -(KEPT_REPORTS - 1)]:
        old.unlink(missing_ok=True)
    path = folder / f"broke-{datetime.now(UTC):%Y%m%dT%H%M%S.%fZ}.txt"
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8", errors="replace") as stream:
        stream.write(_redacted(_told(error)))
    return path


def sentence(error: BaseException, report: Path | None) -> str:
    """What happened, what is safe and what to do next."""
    kind = type(error).__name__
    told = f"halfawake: broken by a defect of its own ({kind}); nothing it looked at was changed."
    where = f" The report is {report}." if report is not None else ""
    return f"{told}{where} What was kept opens with: halfawake open --last.\n"


def leave(error: BaseException) -> ExitCode:
    """Write the report, say where it is, and give the exit code."""
    from halfawake.bundles import autosave_folder

    try:
        report = write_report(error, autosave_folder().parent / "reports")
    except OSError:
        report = None  # the sentence says what it can; a full disk is no second failure
    sys.stderr.write(sentence(error, report))
    return ExitCode.BROKEN


def _redacted(text: str) -> str:
    """By the team's rules too, unless it is them that cannot be read."""
    from halfawake.redact_config import RedactionProblem, team_redaction
    from timeline.export.redact import Redactor
    from timeline.export.rules import RULES

    try:
        team = team_redaction()
    except (RedactionProblem, OSError):
        return Redactor().text(text)
    return Redactor((*team.rules, *RULES), keep=team.keep).text(text)


def _told(error: BaseException) -> str:
    lines = [
        f"halfawake {version('halfawake')}, Python {platform.python_version()}, {sys.platform}",
        f"textual {version('textual')}, TERM {os.environ.get('TERM', '-')}",
        "",
        *(line.rstrip("\n") for line in traceback.format_exception(error)),
    ]
    return "\n".join(lines) + "\n"
