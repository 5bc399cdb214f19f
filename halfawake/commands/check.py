"""`halfawake check`: per source, is it reachable, what may we do there, what would a look read.

Made for a person before the first night and for a weekly job: bounded in time, `--json` for
scripts, an exit code for each outcome. Asks each source what it is and reads no event; of a
configured query it asks for the first row.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
import time
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from halfawake.exit_codes import ExitCode

if TYPE_CHECKING:
    from halfawake.discovery.known import Trial
    from halfawake.discovery.report import SourceReport
    from halfawake.questions import Question
    from halfawake.setup import PreparedSource, Setup

CHECK_WITHIN_S = 15.0
"""A connect, a version and a clock; whoever needs longer will not answer at night either."""
AT_ONCE = 8
"""Sources asked at the same time; forty sources that all hang end after five such rounds."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("files", nargs="*", metavar="FILE")
    parser.add_argument("-e", "--env", metavar="ENV")
    parser.add_argument("--source", action="append", default=[], metavar="NAME", dest="only")
    parser.add_argument("--config", type=Path, metavar="FILE")
    parser.add_argument("--zone", metavar="ZONE")
    parser.add_argument("--json", action="store_true", help="one JSON object")
    parser.add_argument(
        "--strict",
        action="store_true",
        help=f"exit code {ExitCode.COULD_WRITE:d} when an account could write; "
        "one that is unknown is told and does not fail",
    )


def run(arguments: argparse.Namespace) -> ExitCode:
    from halfawake.cli import UsageProblem
    from halfawake.collector import SetupProblem
    from halfawake.discovery.report import as_json, as_text
    from halfawake.where import prepare_environment, prepare_files

    prepare = prepare_files(arguments) if arguments.files else prepare_environment(arguments)
    try:
        setup = prepare()
    except SetupProblem as problem:
        raise UsageProblem(str(problem), ExitCode(problem.exit_code)) from None
    if not setup.sources:
        raise UsageProblem("This environment has no source to check; halfawake init finds some.")
    began = time.monotonic()
    checked = asyncio.run(_check_all(setup))
    seconds = time.monotonic() - began
    reports = [report for report, _ in checked]
    trials = [trial for _, tried in checked for trial in tried]
    code = exit_code_of(reports, strict=arguments.strict, trials=trials)
    render = as_json if arguments.json else as_text
    said = render(setup.environment, reports, seconds, code, setup.knowledge, trials)
    sys.stdout.write(said)
    return code


def exit_code_of(
    reports: Sequence[SourceReport], *, strict: bool = False, trials: Sequence[Trial] = ()
) -> ExitCode:
    """4 when no source answered; 5 when strict and one could write; 3 when one did not answer, or
    a configured query would not run.

    Unknown is told in words and fails nothing: several systems have no way to tell.
    """
    answered = [one for one in reports if one.report is not None]
    if not answered:
        return ExitCode.NO_ANSWER
    if strict and any(one.report.writes_refused is False for one in answered if one.report):
        return ExitCode.COULD_WRITE
    whole = len(answered) == len(reports) and not any(trial.problem for trial in trials)
    return ExitCode.DONE if whole else ExitCode.PARTIAL


async def _check_all(setup: Setup) -> list[tuple[SourceReport, list[Trial]]]:
    from halfawake.discovery.asking import all_of

    works = [
        partial(_check, source, [q for q in setup.questions if q.source == source.info.name])
        for source in setup.sources
    ]
    try:
        return await all_of(works, AT_ONCE)
    finally:
        setup.release()


async def _check(
    source: PreparedSource, questions: Sequence[Question]
) -> tuple[SourceReport, list[Trial]]:
    from halfawake.discovery.asking import Answered, ask, let_go
    from halfawake.discovery.known import Trial, tried
    from halfawake.discovery.report import SourceReport
    from timeline.problems import Misconfigured

    unasked = [Trial(question, "its source does not answer") for question in questions]
    if source.connector is None:
        problem = source.problem or Misconfigured("It was not prepared")
        return SourceReport(source.info, source.budget, Answered(None, problem, 0.0)), unasked
    try:
        answered = await ask(source.connector, CHECK_WITHIN_S)
        report = SourceReport(source.info, source.budget, answered)
        if answered.report is None:
            return report, unasked
        return report, await tried(questions, source.connector, CHECK_WITHIN_S)
    finally:
        await let_go(source.connector)
