"""`halfawake export WHERE`: the timeline for the postmortem, to stdout or a file."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from halfawake.exit_codes import ExitCode


def add_arguments(parser: argparse.ArgumentParser) -> None:
    from halfawake.plugins import EXPORTERS, names
    from halfawake.where import add_live_arguments

    parser.add_argument("where", metavar="WHERE", help="a TIME, a .halfawake file, or demo:STORY")
    add_live_arguments(parser)
    parser.add_argument("--format", default="md", choices=names(EXPORTERS))
    parser.add_argument("-o", "--output", type=Path, metavar="FILE", help="instead of stdout")
    parser.add_argument("--no-redact", metavar="REASON", help="the reason is printed in the export")


def run(arguments: argparse.Namespace) -> ExitCode:

    from halfawake.handover import export_options
    from halfawake.headless import collect
    from halfawake.plugins import exporter
    from halfawake.where import target

    found = target(arguments.where, arguments)
    collected = collect(found)
    marked = found.about.marks if found.about is not None else ()
    options = export_options(marked, arguments.no_redact or "")
    text = exporter(arguments.format).render(collected.incident, collected.analysis, options)
    if arguments.output is None:
        sys.stdout.write(text)
    else:
        arguments.output.write_text(text, encoding="utf-8")
        sys.stderr.write(f"halfawake: written to {arguments.output}\n")
    return collected.exit_code
