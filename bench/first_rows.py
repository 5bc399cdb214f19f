"""Time to the first rows at T: a bare Textual program, halfawake and, when installed, lnav.

Runs are interleaved and minima compared: medians wander by a tenth on an idle machine, minima by
a twentieth. lnav goes to T among the lines it has indexed so far, so it is asked again, four times
a second, until it shows T.
"""

from __future__ import annotations

import shutil
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from bench.generate import MARK, Log, log_of_size
from bench.hello import HELLO
from bench.table import milliseconds, ratio, write_table
from bench.terminal import Terminal

MEGABYTE = 1_000_000


@dataclass(frozen=True)
class Program:
    """What is started and the text that tells that it is there."""

    argv: Sequence[str]
    text: str = MARK
    asking: str = ""
    """What is typed until then; set for a program that writes changed cells only."""


def measure(folder: Path, quick: bool) -> None:
    """Print the minima and their ratio to the bare program."""
    sizes = (10, 100) if quick else (10, 1_000)
    logs = [log_of_size(folder / f"web-{size}.log", size * MEGABYTE, "text") for size in sizes]
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as home:
        environment = {"HOME": home, "XDG_CONFIG_HOME": home, "XDG_STATE_HOME": home}
        programs = _programs(logs)
        seconds: dict[str, list[float]] = {name: [] for name in programs}
        for _ in range(3 if quick else 20):
            for name, program in programs.items():
                seconds[name].append(once(program, environment))
    least = {name: min(times) for name, times in seconds.items()}
    base = least["textual hello"]
    rows = [[name, milliseconds(time), ratio(time, base)] for name, time in least.items()]
    runs = len(seconds["textual hello"])
    write_table(f"first rows at T, minimum of {runs}", ("program", "time", "ratio"), rows)


def halfawake_at(log: Log) -> Program:
    """The program under test, asked for the pinned instant of `log`."""
    argv = (sys.executable, "-m", "halfawake", "at", log.pin_text, str(log.path))
    return Program(argv)


def _programs(logs: Sequence[Log]) -> Mapping[str, Program]:
    programs = {"textual hello": Program((sys.executable, "-m", "bench.hello"), HELLO)}
    for log in logs:
        label = f"{log.size / MEGABYTE:,.0f} MB"
        programs[f"halfawake {label}"] = halfawake_at(log)
        if (lnav := shutil.which("lnav")) is not None:
            goto = f":goto {log.pin_text.removesuffix('Z')}"
            argv = (lnav, "-c", goto, str(log.path))
            programs[f"lnav {label}"] = Program(argv, asking=f"{goto}\r")
    return programs


def once(program: Program, environment: Mapping[str, str]) -> float:
    """Seconds from the start of one program to its text on the terminal."""
    with Terminal(program.argv, environment) as terminal:
        return terminal.seconds_until(
            program.text, cells=bool(program.asking), asking=program.asking
        )
