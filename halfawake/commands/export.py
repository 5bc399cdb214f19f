"""`halfawake export WHERE`: the timeline for the postmortem, to stdout or a file."""

from __future__ import annotations

import argparse
import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from halfawake.exit_codes import ExitCode

if TYPE_CHECKING:
    from halfawake.headless import Collected
    from timeline.export.contract import ExportOptions


def add_arguments(parser: argparse.ArgumentParser) -> None:
    from halfawake.leaving import add_leaving_arguments
    from halfawake.plugins import EXPORTERS, names
    from halfawake.where import add_live_arguments

    parser.add_argument("where", metavar="WHERE", help="a TIME, a .halfawake file, or demo:STORY")
    add_live_arguments(parser)
    parser.add_argument("--format", default="md", choices=names(EXPORTERS))
    parser.add_argument("-o", "--output", type=Path, metavar="FILE", help="instead of stdout")
    parser.add_argument(
        "--status", action="store_true", help="three lines for the chat instead of a document"
    )
    parser.add_argument(
        "--all", action="store_true", help="every record of the window, not those that tell it"
    )
    add_leaving_arguments(parser)


def run(arguments: argparse.Namespace) -> ExitCode:
    from halfawake.headless import collect
    from halfawake.leaving import options_for
    from halfawake.pictures import is_picture, png_of
    from halfawake.where import target

    drawn = is_picture(arguments.output, "status" if arguments.status else arguments.format)
    options = replace(options_for(arguments), every_row=arguments.all)
    found = target(arguments.where, arguments)
    collected = collect(found)
    marked = found.about.marks if found.about is not None else ()
    marked = (*marked, *(event for event in collected.marked if event not in marked))
    text = _text(collected, replace(options, marked=marked), arguments)
    if arguments.output is None:
        sys.stdout.write(text)
    else:
        _write(arguments.output, png_of(text) if drawn else text.encode())
        sys.stderr.write(f"halfawake: written to {arguments.output}\n")
    return collected.exit_code


def _text(collected: Collected, options: ExportOptions, arguments: argparse.Namespace) -> str:
    incident, analysis = collected.incident, collected.analysis
    if arguments.status:
        from timeline.export.status import status

        return status(incident, analysis, options)
    from halfawake.plugins import exporter

    return exporter(arguments.format).render(incident, analysis, options)


def _write(path: Path, content: bytes) -> None:
    from halfawake.cli import UsageProblem

    try:
        path.write_bytes(content)
    except OSError as error:
        raise UsageProblem(f"{path} cannot be written: {error.strerror or error}.") from None
