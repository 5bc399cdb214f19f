"""Five logs grow by 10,000 lines a second each while they are read live and keys are pressed.

Frame times are those of single keys; beside them, whether the row under the cursor kept its line
while nobody pressed anything.
"""

from __future__ import annotations

import statistics
import sys
import tempfile
import threading
import time
from datetime import UTC, datetime
from pathlib import Path

from bench.table import milliseconds, write_table
from bench.terminal import NotSeen, Terminal

SOURCES = 5
LINES_A_SECOND = 10_000
"""Of each log."""
BEAT_S = 0.1
DOWN, UP = "\x1b[B", "\x1b[A"
CURSOR = "\u25b8"


def measure(folder: Path, quick: bool) -> None:
    """Print frame times, what arrived and whether the row being read stayed."""
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as home:
        stop = threading.Event()
        logs = [Path(home) / f"service-{number}.log" for number in range(SOURCES)]
        pin = time.time()
        writers = [threading.Thread(target=_grow, args=(log, stop)) for log in logs]
        for writer in writers:
            writer.start()
        try:
            _watch(home, logs, pin, seconds=5.0 if quick else 30.0)
        finally:
            stop.set()
            for writer in writers:
                writer.join()


def _watch(home: str, logs: list[Path], pin: float, seconds: float) -> None:
    time.sleep(2)
    instant = datetime.fromtimestamp(pin + 1, UTC).isoformat(timespec="milliseconds")
    argv = [sys.executable, "-m", "halfawake", "at", instant, *map(str, logs), "--follow"]
    environment = {"HOME": home, "XDG_CONFIG_HOME": home, "XDG_STATE_HOME": home}
    waited: list[float] = []
    with Terminal(argv, environment) as terminal:
        terminal.seconds_until("request handled")
        time.sleep(8)
        until = time.perf_counter() + seconds
        while time.perf_counter() < until:
            waited.append(terminal.seconds_to_key((DOWN, UP)[len(waited) % 2]))
            time.sleep(0.05)
        places = _places(terminal.watch(seconds / 3))
        if terminal.process.poll() is not None:
            raise NotSeen("the screen left while lines arrived")
    cuts = statistics.quantiles(waited, n=100)
    lines = sum(log.read_bytes().count(b"\n") for log in logs)
    row = [str(len(waited)), milliseconds(statistics.median(waited)), milliseconds(cuts[98])]
    row += [milliseconds(max(waited)), f"{lines:,}", "stayed" if len(places) <= 1 else "moved"]
    head = ("keys", "p50", "p99", "worst", "lines written", "row being read")
    write_table(f"{SOURCES * LINES_A_SECOND:,} lines a second, read live", head, [row])


def _places(frames: list[list[str]]) -> set[tuple[int, str]]:
    """Where the cursor's row stood, and what stood there."""
    return {
        (number, line[:60])
        for frame in frames
        for number, line in enumerate(frame)
        if line.startswith(CURSOR)
    }


def _grow(log: Path, stop: threading.Event) -> None:
    """Append in beats; each line carries the instant it is written."""
    number, share = 0, int(LINES_A_SECOND * BEAT_S)
    following = time.perf_counter()
    with log.open("a", encoding="utf-8") as stream:
        while not stop.is_set():
            stamp = datetime.now(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")
            stream.write("".join(_line(log.stem, stamp, number + n) for n in range(share)))
            stream.flush()
            number += share
            following += BEAT_S
            time.sleep(max(following - time.perf_counter(), 0))


def _line(service: str, stamp: str, number: int) -> str:
    return f"{stamp} INFO {service} request handled id={number:08x} in {number % 41 + 3} ms\n"
