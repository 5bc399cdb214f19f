"""`halfawake demo [STORY]`: a recorded night, to look around without any system."""

from __future__ import annotations

import argparse
import sys

from halfawake.demo import DEFAULT_STORY, listing
from halfawake.exit_codes import ExitCode


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("story", nargs="?", default=DEFAULT_STORY, metavar="STORY")
    parser.add_argument("--list", action="store_true", help="name the recorded nights")


def run(arguments: argparse.Namespace) -> ExitCode:
    if arguments.list:
        sys.stdout.write(listing())
        return ExitCode.DONE
    from halfawake.show import show
    from halfawake.where import DEMO_PREFIX, target

    return show(target(DEMO_PREFIX + arguments.story, arguments))
