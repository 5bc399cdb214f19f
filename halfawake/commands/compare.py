"""`halfawake compare POSTMORTEM WHERE`: a written timeline held against what was recorded."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from halfawake.exit_codes import ExitCode

if TYPE_CHECKING:
    from timeline.postmortem import Claim


def add_arguments(parser: argparse.ArgumentParser) -> None:
    from halfawake.where import add_live_arguments

    parser.add_argument(
        "postmortem", type=Path, metavar="POSTMORTEM", help="a document whose rows carry times"
    )
    parser.add_argument("where", metavar="WHERE", help="a TIME, a .halfawake file, or demo:STORY")
    add_live_arguments(parser)
    parser.add_argument("--json", action="store_true", help="one JSON object")


def run(arguments: argparse.Namespace) -> ExitCode:
    from halfawake.handover import leaving_options
    from halfawake.headless import collect
    from halfawake.where import target
    from timeline.export.postmortem import comparison_json, comparison_text
    from timeline.postmortem import held_against
    from timeline.words import day

    wanted = target(arguments.where, arguments)
    claims = claims_of(arguments.postmortem, arguments.zone, day(wanted.window.pin))
    options = leaving_options(arguments.config)
    collected = collect(wanted)
    comparison = held_against(collected.incident, collected.analysis, claims)
    render = comparison_json if arguments.json else comparison_text
    sys.stdout.write(render(comparison, options))
    return collected.exit_code


def claims_of(path: Path, zone: str | None, day: str = "") -> list[Claim]:
    """The rows of a postmortem that begin with a time, in the order of the document.

    `day` (`2026-03-14`) is supposed where the document tells none. Raises `UsageProblem` when it
    cannot be read or holds no such row.
    """
    from connectors.logs.zones import ZoneRule
    from connectors.notes.files import read_notes
    from halfawake.cli import UsageProblem
    from timeline.problems import SourceProblem

    if not path.is_file():
        raise UsageProblem(f"There is no document {path} to compare with.")
    try:
        reading = read_notes([str(path)], ZoneRule.named(zone), day=day)
    except SourceProblem as problem:
        raise UsageProblem(problem.sentence()) from None
    except ValueError as problem:
        raise UsageProblem(f"{problem}.") from None
    for sentence in (*reading.cuts, *reading.problems):
        sys.stderr.write(f"halfawake: {sentence}\n")
    rows = sorted([*reading.notes, *reading.undated], key=lambda one: one.offset)
    if not rows:
        raise UsageProblem(
            f"{path} holds no row that begins with a time; halfawake reads lists (- 02:07 …) and "
            "tables (| 02:07 | … |)."
        )
    from connectors.notes.claims import claim_of

    return [claim_of(row) for row in rows]
