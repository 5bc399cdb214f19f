"""`halfawake open FILE` and `halfawake open --last`: a captured incident."""

from __future__ import annotations

import argparse
from pathlib import Path

from halfawake.cli import UsageProblem
from halfawake.exit_codes import ExitCode


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("file", nargs="?", type=Path, metavar="FILE", help="a .halfawake file")
    parser.add_argument("--last", action="store_true", help="the newest autosaved incident")


def run(arguments: argparse.Namespace) -> ExitCode:
    from halfawake.bundles import autosave_folder, last_autosaved
    from halfawake.show import show
    from halfawake.where import recorded

    path = last_autosaved(autosave_folder()) if arguments.last else arguments.file
    if path is None:
        raise UsageProblem(
            f"No incident was autosaved in {autosave_folder()} yet."
            if arguments.last
            else "Name a .halfawake file, or say --last."
        )
    return show(recorded(path, path.name))
