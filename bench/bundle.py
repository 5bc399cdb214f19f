"""A million lines as a bundle: written, read whole, and opened to the rows around T; its size.

Writing and reading run in a process of their own. Beside the time on the clock stands the
processor time, which does not depend on what else the machine does. The size is held against the
raw log packed by gzip, which knows no time, no key and no order.
"""

from __future__ import annotations

import gzip
import json
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from bench.first_rows import Program, once
from bench.generate import MARK
from bench.hello import HELLO
from bench.shop import incident_of, raw_log
from bench.table import milliseconds, ratio, write_table

LINES, QUICK_LINES = 1_000_000, 50_000
OTHERS_SHARE = 20
"""One job event and one row event beside so many lines."""
RUNS, QUICK_RUNS = 5, 2
GZIP_LEVEL = 6
"""What `gzip` and logrotate use unless told otherwise."""

Figures = dict[str, list[float]]


def measure(folder: Path, quick: bool) -> None:
    """Print a table of times and one of sizes."""
    lines, runs = (QUICK_LINES, QUICK_RUNS) if quick else (LINES, RUNS)
    log = raw_log(folder / f"shop-{lines}.log", lines)
    bundle = folder / f"shop-{lines}.halfawake"
    argv = [sys.executable, "-m", "bench.bundle", str(log), str(bundle), str(lines), str(runs)]
    done = subprocess.run(argv, capture_output=True, check=True)
    figures: Figures = json.loads(done.stdout)
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as home:
        environment = {"HOME": home, "XDG_CONFIG_HOME": home, "XDG_STATE_HOME": home}
        opened = Program((sys.executable, "-m", "halfawake", "open", str(bundle)), MARK)
        bare = Program((sys.executable, "-m", "bench.hello"), HELLO)
        screens: Figures = {"opened to the rows around T": [], "textual hello": []}
        for _ in range(runs * 2):
            for name, program in zip(screens, (opened, bare), strict=True):
                screens[name].append(once(program, environment))
    rows = [_row(name, figures[name], figures[f"{name}, processor"]) for name in ("write", "read")]
    rows += [_row(name, seconds, []) for name, seconds in screens.items()]
    events = lines + 2 * (lines // OTHERS_SHARE)
    head = ("", "least", "median", "processor, least")
    write_table(f"a bundle of {events:,} events, {runs} runs", head, rows)
    _sizes(log, bundle)


def _row(name: str, seconds: list[float], processor: list[float]) -> list[str]:
    spent = milliseconds(min(processor)) if processor else ""
    return [name, milliseconds(min(seconds)), milliseconds(statistics.median(seconds)), spent]


def _sizes(log: Path, bundle: Path) -> None:
    packed = _gzipped(log)
    sizes = {
        "raw log": log.stat().st_size,
        f"raw log, gzip -{GZIP_LEVEL}": packed,
        "bundle, with keys, jobs and rows": bundle.stat().st_size,
    }
    rows = [[name, f"{size / 1e6:,.1f} MB", ratio(size, packed)] for name, size in sizes.items()]
    write_table("size", ("", "", "against gzip"), rows)


def _gzipped(log: Path) -> int:
    with tempfile.TemporaryFile() as packed:
        with log.open("rb") as raw, gzip.open(packed, "wb", GZIP_LEVEL) as out:
            shutil.copyfileobj(raw, out, 1 << 20)
        return packed.tell()


def written_and_read(log: Path, bundle: Path, lines: int, runs: int) -> Figures:
    """Seconds of each run, on the clock and of the processor. Leaves the bundle there."""
    from halfawake.bundles import open_bundle, save_bundle

    others = lines // OTHERS_SHARE
    incident = incident_of(log, others, others)
    figures: Figures = {}
    for _ in range(runs):
        _timed(figures, "write", lambda: save_bundle(bundle, incident, ()))
        _timed(figures, "read", lambda: open_bundle(bundle))
    held = len(open_bundle(bundle)[0].snapshot)
    if held != lines + 2 * others:
        raise RuntimeError(f"{held:,} events came back of {lines + 2 * others:,}")
    return figures


def _timed(figures: Figures, name: str, act: Callable[[], object]) -> None:
    clock, processor = time.perf_counter(), time.process_time()
    act()
    figures.setdefault(f"{name}, processor", []).append(time.process_time() - processor)
    figures.setdefault(name, []).append(time.perf_counter() - clock)


if __name__ == "__main__":
    log, bundle = Path(sys.argv[1]), Path(sys.argv[2])
    measured = written_and_read(log, bundle, int(sys.argv[3]), int(sys.argv[4]))
    sys.stdout.write(json.dumps(measured))
