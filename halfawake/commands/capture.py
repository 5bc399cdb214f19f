"""`halfawake capture TIME -o FILE`: collect now, look later."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from halfawake.exit_codes import ExitCode


def add_arguments(parser: argparse.ArgumentParser) -> None:
    from halfawake.where import add_live_arguments

    parser.add_argument("time", metavar="TIME")
    add_live_arguments(parser)
    parser.add_argument("-o", "--output", type=Path, required=True, metavar="FILE")


def run(arguments: argparse.Namespace) -> ExitCode:
    from halfawake.bundles import save_bundle
    from halfawake.headless import collect
    from halfawake.where import live

    collected = collect(live(arguments.time, arguments))
    save_bundle(arguments.output, collected.incident, collected.statuses)
    rows = len(collected.incident.snapshot)
    sys.stderr.write(f"halfawake: {rows} events in {arguments.output}\n")
    return collected.exit_code
