"""`halfawake at TIME [FILE…]`: everything around one instant, on one screen.

`-` as TIME reads an alert, a stack trace, a log line or a link from stdin.
"""

from __future__ import annotations

import argparse

from halfawake.exit_codes import ExitCode


def add_arguments(parser: argparse.ArgumentParser) -> None:
    from halfawake.where import add_live_arguments

    parser.add_argument(
        "time",
        metavar="TIME",
        help="03:14, 2026-03-14T02:13:40Z, '10m ago', an epoch, a key, or - to read a pasted "
        "alert, stack trace or link",
    )
    add_live_arguments(parser)
    parser.add_argument(
        "--follow", action="store_true", help="keep reading what arrives behind the window"
    )


def run(arguments: argparse.Namespace) -> ExitCode:
    from halfawake.show import show
    from halfawake.where import live

    return show(live(arguments.time, arguments), follow=arguments.follow)
