"""Key to frame at a million rows: how long a key press waits while everything is loading."""

from __future__ import annotations

import statistics
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from bench.generate import MARK, log_of_lines
from bench.table import milliseconds, write_table
from bench.terminal import Terminal

LOADING_SECONDS = 6.0
"""How long after the first rows a key press counts as pressed while loading."""
UP, DOWN = "\x1b[A", "\x1b[B"
PAUSE_SECONDS = 0.03
"""Between two keys, so that one frame is not mistaken for the next."""


def measure(folder: Path, quick: bool) -> None:
    """Print p50, p90 and the worst key while loading and after."""
    if quick:
        run(folder, lines=100_000, loading=LOADING_SECONDS / 3, pause=1)
    else:
        run(folder, lines=1_000_000, loading=LOADING_SECONDS, pause=10)


def run(folder: Path, *, lines: int, loading: float, pause: float) -> None:
    """Press keys for `loading` seconds from the first rows on, and again after `pause` seconds."""
    step = 2
    log = log_of_lines(folder / f"dense-{lines}.log", lines, "json", step)
    window = lines * step // 60_000 + 2
    argv = [sys.executable, "-m", "halfawake", "at", log.pin_text, str(log.path)]
    argv += ["--before", f"{window}m", "--after", f"{window}m"]
    with (
        tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as home,
        Terminal(argv, {"HOME": home, "XDG_CONFIG_HOME": home, "XDG_STATE_HOME": home}) as terminal,
    ):
        terminal.seconds_until(MARK)
        early = _keys(terminal, loading)
        time.sleep(pause)
        after = _keys(terminal, min(loading, 2.0))
    rows = [_row("while loading", early), _row("loaded", after)]
    write_table(f"key to frame, {lines:,} rows", ("when", "keys", "p50", "p90", "worst"), rows)


def _keys(terminal: Terminal, seconds: float) -> list[float]:
    waited: list[float] = []
    until = time.perf_counter() + seconds
    while time.perf_counter() < until:
        key = DOWN if len(waited) % 2 else UP
        waited.append(terminal.seconds_to_frame(key))
        time.sleep(PAUSE_SECONDS)
    return waited


def _row(name: str, waited: Sequence[float]) -> list[str]:
    tenths = statistics.quantiles(waited, n=10)
    figures = (statistics.median(waited), tenths[8], max(waited))
    return [name, str(len(waited)), *(milliseconds(figure) for figure in figures)]
