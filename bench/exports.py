"""Ten thousand rows of a night in every format: each must be there in two seconds.

The rows are marked by a person, which is what keeps them all in the timeline. Redaction is on, as
it is for everybody. The analysis is made before and not counted.
"""

from __future__ import annotations

import gc
import statistics
import time
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from bench.shop import incident_of, raw_log
from bench.table import milliseconds, write_table
from halfawake.__main__ import GARBAGE_THRESHOLD
from timeline.export.contract import ExportOptions

if TYPE_CHECKING:
    from timeline.analysis import Analysis
    from timeline.incident import Incident

LINES, QUICK_LINES = 100_000, 10_000
OTHERS_SHARE = 20
ROWS, QUICK_ROWS = 10_000, 1_000
RUNS, QUICK_RUNS = 3, 1


def measure(folder: Path, quick: bool) -> None:
    """Print a table of times."""
    lines, rows, runs = (QUICK_LINES, QUICK_ROWS, QUICK_RUNS) if quick else (LINES, ROWS, RUNS)
    gc.set_threshold(GARBAGE_THRESHOLD)  # as the command does
    incident, analysis = analysed(folder, lines)
    marked = marked_of(incident, rows)
    table = []
    for name, (clock, processor, size) in each_format(incident, analysis, marked, runs).items():
        times = (min(clock), statistics.median(clock), min(processor))
        table.append([name, *(milliseconds(seconds) for seconds in times), f"{size / 1e6:.2f} MB"])
    head = ("format", "least", "median", "processor, least", "size")
    write_table(f"an export of {rows:,} rows, {runs} runs", head, table)


def analysed(folder: Path, lines: int) -> tuple[Incident, Analysis]:
    """The shop's night of that many lines, and what all detectors say of it."""
    from halfawake.plugins import detectors
    from timeline.analysis import analyse

    log = raw_log(folder / f"shop-{lines}.log", lines)
    incident = incident_of(log, lines // OTHERS_SHARE, lines // OTHERS_SHARE)
    return incident, analyse(incident, detectors())


def marked_of(incident: Incident, rows: int) -> ExportOptions:
    """Options in which so many rows around T are marked."""
    snapshot = incident.snapshot
    first = max(snapshot.position_at(incident.window.pin) - rows // 2, 0)
    options = ExportOptions(marked=tuple(snapshot.in_order(first, rows)), tool_version="bench")
    return replace(options, limit=10**9)


def each_format(
    incident: Incident, analysis: Analysis, options: ExportOptions, runs: int
) -> dict[str, tuple[list[float], list[float], int]]:
    """For each format seconds on the clock and of the processor, and the characters of the text."""
    from halfawake.plugins import EXPORTERS, exporter, names

    found = {}
    for name in sorted(names(EXPORTERS)):
        clock, processor, text = [], [], ""
        for _ in range(runs):
            began, spent = time.perf_counter(), time.process_time()
            text = exporter(name).render(incident, analysis, options)
            processor.append(time.process_time() - spent)
            clock.append(time.perf_counter() - began)
        found[name] = (clock, processor, len(text))
    return found
