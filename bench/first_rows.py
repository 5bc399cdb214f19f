"""Time to the first rows at T: a bare Textual program, halfawake and, when installed, lnav.

Runs are interleaved and minima compared: medians wander by a tenth on an idle machine, minima by
a twentieth. lnav indexes the whole file before it can go to T; that is the comparison.
"""

from __future__ import annotations

import shutil
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

from bench.generate import MARK, Log, log_of_size
from bench.hello import HELLO
from bench.table import milliseconds, ratio, write_table
from bench.terminal import Terminal

MEGABYTE = 1_000_000


def measure(folder: Path, quick: bool) -> None:
    """Print the minima and their ratio to the bare program."""
    sizes = (10, 100) if quick else (10, 1_000)
    logs = [log_of_size(folder / f"web-{size}.log", size * MEGABYTE, "text") for size in sizes]
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as home:
        environment = {"HOME": home, "XDG_CONFIG_HOME": home, "XDG_STATE_HOME": home}
        programs = _programs(logs)
        seconds: dict[str, list[float]] = {name: [] for name in programs}
        for _ in range(3 if quick else 20):
            for name, (argv, text) in programs.items():
                seconds[name].append(once(argv, text, environment))
    least = {name: min(times) for name, times in seconds.items()}
    base = least["textual hello"]
    rows = [[name, milliseconds(time), ratio(time, base)] for name, time in least.items()]
    runs = len(seconds["textual hello"])
    write_table(f"first rows at T, minimum of {runs}", ("program", "time", "ratio"), rows)


def _programs(logs: Sequence[Log]) -> Mapping[str, tuple[list[str], str]]:
    python = sys.executable
    programs: dict[str, tuple[list[str], str]] = {
        "textual hello": ([python, "-m", "bench.hello"], HELLO)
    }
    for log in logs:
        label = f"{log.size / MEGABYTE:,.0f} MB"
        argv = [python, "-m", "halfawake", "at", log.pin_text, str(log.path)]
        programs[f"halfawake {label}"] = (argv, MARK)
        if (lnav := shutil.which("lnav")) is not None:
            goto = f":goto {log.pin_text.removesuffix('Z')}"
            programs[f"lnav {label}"] = ([lnav, "-c", goto, str(log.path)], MARK)
    return programs


def once(argv: Sequence[str], text: str, environment: Mapping[str, str]) -> float:
    """Seconds from the start of one program to `text` on its terminal."""
    with Terminal(argv, environment) as terminal:
        return terminal.seconds_until(text, cells=Path(argv[0]).name == "lnav")
