"""`halfawake note TEXT`: one line into the notes of the environment, from any shell.

The file is the one that a source of connector `notes` reads, else one in the person's own data
folder. A note must never be lost to something else being broken: neither a variable that is not
set nor a configuration that cannot be read keeps it from being written.
"""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

from halfawake.exit_codes import ExitCode

if TYPE_CHECKING:
    from halfawake.notebook import Line


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("text", nargs="+", metavar="TEXT", help="what was done or seen")
    parser.add_argument("--at", metavar="TIME", help="when; now without")
    parser.add_argument("--by", metavar="NAME", help="who; the name of this login without")
    parser.add_argument("-e", "--env", metavar="ENV")
    parser.add_argument("--source", metavar="NAME", help="which source, where several hold notes")
    parser.add_argument("--config", type=Path, metavar="FILE")
    parser.add_argument("--zone", metavar="ZONE", help="zone of TIME")


def run(arguments: argparse.Namespace) -> ExitCode:
    from halfawake.cli import UsageProblem
    from halfawake.notebook import NotebookProblem, append, notebook_for

    line = _line(arguments)
    try:
        notebook = notebook_for(arguments.config, arguments.env, arguments.source)
        written = append(notebook.path, line)
    except NotebookProblem as problem:
        raise UsageProblem(str(problem)) from None
    if notebook.remark:
        sys.stderr.write(f"halfawake: {notebook.remark}\n")
    sys.stdout.write(f"{written}\n  in {notebook.path}\n")
    return ExitCode.DONE


def _line(arguments: argparse.Namespace) -> Line:
    from halfawake.cli import UsageProblem
    from halfawake.notebook import Line
    from timeline.noted import SECONDS

    text = " ".join(arguments.text).strip()
    if not text:
        raise UsageProblem('Say what to note: halfawake note "paused mailers"')
    now = time.time_ns()
    if arguments.at is None:
        return Line(now, text, _who(arguments.by), to_the_second=True)
    return Line(
        _instant(arguments, now),
        text,
        _who(arguments.by),
        to_the_second=bool(SECONDS.search(arguments.at.strip().lower())),
    )


def _instant(arguments: argparse.Namespace, now: int) -> int:
    """ns UTC of `--at`. A time that could be two instants is refused with both, never guessed."""
    from halfawake.cli import UsageProblem
    from halfawake.where import zone_named
    from halfawake.zone import machine_zone
    from timeline.pin import Ambiguous, KeyPin, PinProblem, parse_pin

    zone = zone_named(arguments.zone)
    try:
        pin = parse_pin(arguments.at, now_ns=now, zone=zone or machine_zone())
    except PinProblem as problem:
        raise UsageProblem(str(problem)) from None
    if isinstance(pin, KeyPin):
        raise UsageProblem(f"--at wants a time, and {pin.key!r} is a key.")
    if isinstance(pin, Ambiguous):
        named = pin.readings[:-1]  # UTC is the last; a clock change can repeat a time of the zone
        if zone is not None and len(named) == 1:
            return named[0].ns
        listed = "".join(f"  {reading.text}\n" for reading in pin.readings)
        raise UsageProblem(f"{pin.sentence()}\n{listed}Say which: --zone UTC, or an offset on it.")
    if pin.zone_note:
        sys.stderr.write(f"halfawake: {pin.zone_note}\n")
    return pin.ns


def _who(given: str | None) -> str:
    from halfawake.notebook import login_name

    return given if given is not None else login_name()
