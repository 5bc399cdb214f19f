"""`halfawake check`: per source, is it reachable, what are our rights, what can it not show."""

from __future__ import annotations

import argparse
import asyncio
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from halfawake.exit_codes import ExitCode

if TYPE_CHECKING:
    from connectors.contract import CheckReport
    from halfawake.setup import PreparedSource, Setup

CHECK_WITHIN_S = 15.0
"""A connect, a version and a clock; whoever needs longer will not answer at night either."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("files", nargs="*", metavar="FILE")
    parser.add_argument("-e", "--env", metavar="ENV")
    parser.add_argument("--source", action="append", default=[], metavar="NAME", dest="only")
    parser.add_argument("--config", type=Path, metavar="FILE")
    parser.add_argument("--zone", metavar="ZONE")


def run(arguments: argparse.Namespace) -> ExitCode:
    from halfawake.cli import UsageProblem
    from halfawake.collector import SetupProblem
    from halfawake.where import prepare_environment, prepare_files

    prepare = prepare_files(arguments) if arguments.files else prepare_environment(arguments)
    try:
        setup = prepare()
    except SetupProblem as problem:
        raise UsageProblem(str(problem), ExitCode(problem.exit_code)) from None
    reachable = asyncio.run(_check_all(setup))
    if not any(reachable):
        return ExitCode.NO_ANSWER
    return ExitCode.DONE if all(reachable) else ExitCode.PARTIAL


async def _check_all(setup: Setup) -> list[bool]:
    try:
        return list(await asyncio.gather(*(_check(source) for source in setup.sources)))
    finally:
        setup.release()


async def _check(source: PreparedSource) -> bool:
    from timeline.problems import SourceProblem

    name, connector = source.info.name, source.connector
    if connector is None:
        said = source.problem.sentence() if source.problem is not None else "not prepared"
        sys.stdout.write(f"{name}: cannot be asked. {said}\n")
        return False
    try:
        async with asyncio.timeout(CHECK_WITHIN_S):
            report = await connector.check()
    except SourceProblem as problem:
        sys.stdout.write(f"{name}: cannot be reached. {problem.sentence()}\n")
        return False
    except TimeoutError:
        sys.stdout.write(f"{name}: no answer within {CHECK_WITHIN_S:g} s.\n")
        return False
    finally:
        await connector.close()
    sys.stdout.write(_report(name, report))
    return True


def _report(name: str, report: CheckReport) -> str:
    writes = {True: "cannot write", False: "COULD WRITE: use an account that cannot", None: ""}
    lines = [f"{name}: {report.system}", *(f"  {fact}" for fact in report.facts)]
    if said := writes[report.writes_refused]:
        lines.append(f"  this account {said}")
    if report.clock is not None:
        offset, error = report.clock.offset / 1e6, report.clock.error / 1e6
        lines.append(f"  clock {offset:+.1f} ms from here, ±{error:.1f} ms, measured now")
    lines.extend(f"  cannot see: {blind}" for blind in report.cannot_see)
    return "\n".join(lines) + "\n"
