"""A million-line window: read, keyed, put in order, scanned for errors and explained.

Runs in a process of its own, so that the peak of memory is that of this work alone.
"""

from __future__ import annotations

import asyncio
import json
import os
import resource
import subprocess
import sys
import time
from datetime import timedelta
from pathlib import Path

from bench.generate import START, Log, log_of_lines
from bench.table import milliseconds, ratio, write_table
from halfawake.__main__ import ALLOCATOR

STEP_MS = 2
NS_PER_MS = 1_000_000


def measure(folder: Path, quick: bool) -> None:
    """Print the time of every stage and the peak of memory against the file's size."""
    lines = 100_000 if quick else 1_000_000
    log = log_of_lines(folder / f"dense-{lines}.log", lines, "json", STEP_MS)
    best: dict[str, float] = {}
    for _ in range(1 if quick else 3):
        argv = [sys.executable, "-m", "bench.load", str(folder), str(lines)]
        environment = {**ALLOCATOR, **os.environ}
        done = subprocess.run(argv, capture_output=True, check=True, env=environment)
        figures: dict[str, float] = json.loads(done.stdout)
        best = {name: min(value, best.get(name, value)) for name, value in figures.items()}
    peak = best.pop("peak")
    rows = [[name, milliseconds(seconds)] for name, seconds in best.items()]
    rows.append(["everything", milliseconds(sum(best.values()))])
    rows.append(["peak memory / file", ratio(peak, log.size)])
    write_table(f"{lines:,} lines, {log.size / 1e6:,.0f} MB", ("stage", "best"), rows)


def stages(log: Log) -> dict[str, float]:
    """Seconds of every stage, in order, and `peak` in bytes."""
    figures: dict[str, float] = {}
    started = time.perf_counter()

    def stage(name: str) -> None:
        nonlocal started
        figures[name] = time.perf_counter() - started
        started = time.perf_counter()

    from connectors.file import FileConnector, FileOptions
    from halfawake.plugins import detectors
    from timeline.analysis import analyse
    from timeline.batch import Batch
    from timeline.event import Lane
    from timeline.incident import Incident, SourceInfo
    from timeline.keys import KeyRules
    from timeline.store import Store
    from timeline.window import Budget, Window

    stage("import")
    pin = int(log.pin.timestamp() * 1000) * NS_PER_MS
    start = int(START.timestamp() * 1000) * NS_PER_MS
    span = int(timedelta(milliseconds=log.lines * STEP_MS).total_seconds() * 1000) * NS_PER_MS
    window = Window(pin, start, start + span + 1)
    store = Store()

    async def load() -> None:
        connector = FileConnector("web", FileOptions(paths=[str(log.path)]), KeyRules())
        budget = Budget(rows=2 * log.lines, bytes=2 * log.size, seconds=600)
        async for answer in connector.fetch(window, budget):
            if isinstance(answer, Batch):
                store.add(answer)
        await connector.close()

    asyncio.run(load())
    stage("load and key")
    snapshot = store.snapshot()
    if len(snapshot) != log.lines:
        raise RuntimeError(f"{len(snapshot):,} events were loaded from {log.lines:,} lines")
    stage("snapshot and order")
    incident = Incident(window, snapshot, sources=(SourceInfo("web", Lane.LOG, "file"),))
    if not incident.errors.height:
        raise RuntimeError("no error was recognised in a log that holds one in a hundred lines")
    stage("errors")
    analyse(incident, detectors())
    stage("analysis")
    figures["peak"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    return figures


if __name__ == "__main__":
    folder, lines = Path(sys.argv[1]), int(sys.argv[2])
    measured = stages(log_of_lines(folder / f"dense-{lines}.log", lines, "json", STEP_MS))
    sys.stdout.write(json.dumps(measured))
