"""The screen at a million rows beside a bare scroll view of the same size, in the same run.

Key to frame, bytes of a frame, processor time while nothing happens, and the time to the skeleton
and to the rows around T against a bare Textual program.
"""

from __future__ import annotations

import statistics
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from bench.bare import BARE
from bench.first_rows import Program, once
from bench.generate import MARK, Log, log_of_lines
from bench.hello import HELLO
from bench.table import milliseconds, ratio, write_table
from bench.terminal import Terminal
from timeline.words import REACHING

UP, DOWN, PAGE_UP, PAGE_DOWN = "\x1b[A", "\x1b[B", "\x1b[5~", "\x1b[6~"
PAUSE_S = 0.03
"""Between two keys, so that one frame is not mistaken for the next."""
STEP_MS = 2
HELLO_NAME, SKELETON, SCREEN, ROWS = "textual hello", "skeleton", "screen", "rows around T"
ON_SCREEN = "o goes to the onset"
"""What is written once the screen takes keys."""


def measure(folder: Path, quick: bool) -> None:
    """Print four small tables."""
    lines = 100_000 if quick else 1_000_000
    log = log_of_lines(folder / f"dense-{lines}.log", lines, "json", STEP_MS)
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as home:
        environment = {"HOME": home, "XDG_CONFIG_HOME": home, "XDG_STATE_HOME": home}
        _start(log, environment, runs=3 if quick else 15)
        _keys(log, lines, environment, settle=3.0 if quick else 15.0, keys=40 if quick else 200)


def started(log: Log, environment: Mapping[str, str], runs: int) -> dict[str, float]:
    """Least seconds of interleaved starts until each stage of ours, and until the bare program."""
    argv = (sys.executable, "-m", "halfawake", "at", log.pin_text, str(log.path))
    programs = {
        HELLO_NAME: Program((sys.executable, "-m", "bench.hello"), HELLO),
        SKELETON: Program(argv, REACHING),
        SCREEN: Program(argv, ON_SCREEN),
        ROWS: Program(argv, MARK),
    }
    seconds: dict[str, list[float]] = {name: [] for name in programs}
    for _ in range(runs):
        for name, program in programs.items():
            seconds[name].append(once(program, environment))
    return {name: min(times) for name, times in seconds.items()}


def _start(log: Log, environment: Mapping[str, str], runs: int) -> None:
    least = started(log, environment, runs)
    base = least[HELLO_NAME]
    rows = [[name, milliseconds(time), ratio(time, base)] for name, time in least.items()]
    write_table(f"start, minimum of {runs}", ("until", "time", "ratio"), rows)


def _keys(
    log: Log, lines: int, environment: Mapping[str, str], *, settle: float, keys: int
) -> None:
    waited, sizes, idle = pressed(log, lines, environment, settle=settle, keys=keys)
    p90 = ninetieth(waited)
    rows = [
        [
            name,
            milliseconds(statistics.median(times)),
            milliseconds(p90[name]),
            ratio(p90[name], p90["bare"]),
            f"{max(sizes[name]) / 1000:.1f} kB",
        ]
        for name, times in waited.items()
    ]
    head = ("screen", "p50", "p90", "against bare", "largest frame")
    write_table(f"key to frame, {lines:,} rows", head, rows)
    write_table("nothing happens for 10 s", ("processor",), [[f"{idle:.2f} %"]])


def ninetieth(waited: Mapping[str, Sequence[float]]) -> dict[str, float]:
    """The 90th percentile of each."""
    return {name: statistics.quantiles(times, n=10)[8] for name, times in waited.items()}


def pressed(
    log: Log, lines: int, environment: Mapping[str, str], *, settle: float, keys: int
) -> tuple[dict[str, list[float]], dict[str, Sequence[int]], float]:
    """Seconds from key to frame and bytes of pages of both, and our processor time in percent.

    `settle` is how many seconds the rows have to load before the first key.
    """
    window = lines * STEP_MS // 60_000 + 2
    around = ("--before", f"{window}m", "--after", f"{window}m")
    ours = (sys.executable, "-m", "halfawake", "at", log.pin_text, str(log.path), *around)
    bare = (sys.executable, "-m", "bench.bare", str(lines))
    with Terminal(ours, environment) as screen, Terminal(bare, environment) as floor:
        screen.seconds_until(MARK)
        floor.seconds_until(BARE)
        time.sleep(settle)
        screen.drain()
        waited = _interleaved(screen, floor, keys)
        sizes: dict[str, Sequence[int]] = {
            "halfawake": _bytes(screen),
            "bare": _bytes(floor),
        }
        idle = _idle_percent(screen, 10.0)
    return waited, sizes, idle


def _interleaved(screen: Terminal, floor: Terminal, keys: int) -> dict[str, list[float]]:
    waited: dict[str, list[float]] = {"bare": [], "halfawake": []}
    for number in range(keys):
        key = (DOWN, UP)[number % 2] if number % 10 else (PAGE_DOWN, PAGE_UP)[number // 10 % 2]
        waited["bare"].append(floor.seconds_to_frame(key))
        waited["halfawake"].append(screen.seconds_to_frame(key))
        time.sleep(PAUSE_S)
    return waited


def _bytes(terminal: Terminal) -> Sequence[int]:
    """Bytes of twenty whole pages, forth and back."""
    return [terminal.bytes_of_frame((PAGE_DOWN, PAGE_UP)[n // 10 % 2]) for n in range(20)]


def _idle_percent(terminal: Terminal, seconds: float) -> float:
    before = terminal.cpu_seconds()
    time.sleep(seconds)
    return (terminal.cpu_seconds() - before) / seconds * 100
