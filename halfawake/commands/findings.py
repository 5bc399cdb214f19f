"""`halfawake findings WHERE`: state and findings, for people and for scripts."""

from __future__ import annotations

import argparse
import sys

from halfawake.exit_codes import ExitCode


def add_arguments(parser: argparse.ArgumentParser) -> None:
    from halfawake.leaving import add_leaving_arguments
    from halfawake.where import add_live_arguments

    parser.add_argument("where", metavar="WHERE", help="a TIME, a .halfawake file, or demo:STORY")
    add_live_arguments(parser)
    parser.add_argument("--json", action="store_true", help="one JSON object")
    add_leaving_arguments(parser)


def run(arguments: argparse.Namespace) -> ExitCode:
    from halfawake.headless import collect
    from halfawake.leaving import options_for
    from halfawake.where import target
    from timeline.export.findings import findings_json, findings_text

    options = options_for(arguments)
    collected = collect(target(arguments.where, arguments))
    render = findings_json if arguments.json else findings_text
    sys.stdout.write(render(collected.incident, collected.analysis, options))
    return collected.exit_code
