"""What each detector costs, alone, over a million lines, and how that grows with the lines.

The facts that detectors share are timed by themselves: whoever asks first would pay for all.
"""

from __future__ import annotations

import time
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from bench.night import night
from bench.shop import incident_of, raw_log
from bench.table import milliseconds, ratio, write_table

if TYPE_CHECKING:
    from collections.abc import Sequence

    from timeline.finding import Detector
    from timeline.incident import Incident

EVENTS = 50_000
"""Job events and row events at every size."""
SIZES = (10_000, 100_000, 1_000_000)
OTHERS_SHARE = 20
"""Lines for each job event and for each row event of the shop."""
FACTS = (
    "speakers",
    "errors",
    "jobs",
    "records",
    "executions",
    "handled",
    "workers",
    "tries",
    "silences",
    "failures",
    "lost_attempts",
    "failed_lookups",
    "failed_pushes",
    "points",
    "templates",
    "spoken",
    "chains",
    "presses",
    "planned",
    "batches",
    "streams",
    "unnamed_work",
    "changes_told",
    "stated_after",
    "turned_away",
)
RUNS = 3


def shared_facts(incident: Incident) -> dict[str, float]:
    """Seconds for each shared fact, in the order in which they build on one another."""
    spent = {}
    for name in FACTS:
        begun = time.perf_counter()
        getattr(incident, name)
        spent[name] = time.perf_counter() - begun
    return spent


def each_alone(incident: Incident, detectors: Sequence[Detector]) -> dict[str, float]:
    """Seconds of each detector once the shared facts are known, the best of `RUNS`."""
    best: dict[str, float] = {}
    for detector in detectors:
        for _ in range(RUNS):
            begun = time.perf_counter()
            detector.detect(incident)
            elapsed = time.perf_counter() - begun
            best[detector.term] = min(elapsed, best.get(detector.term, elapsed))
    return best


def whole(incident: Incident, detectors: Sequence[Detector], runs: int = RUNS) -> float:
    """Seconds of a first analysis: facts, detectors, reading order and headline; best of `runs`."""
    from timeline.analysis import analyse

    spent = []
    for _ in range(runs):
        fresh = replace(incident, snapshot=replace(incident.snapshot))
        begun = time.perf_counter()
        analyse(fresh, detectors)
        spent.append(time.perf_counter() - begun)
    return min(spent)


def measure(folder: Path, quick: bool) -> None:
    """Print what each detector costs, and an analysis of lines that hardly repeat."""
    from halfawake.plugins import detectors

    known = detectors()
    sizes = SIZES[:2] if quick else SIZES
    columns: list[dict[str, float]] = []
    for lines in sizes:
        incident = night(lines, EVENTS, EVENTS)
        told = {"whole analysis": whole(incident, known)}
        told |= {f"fact: {name}": spent for name, spent in shared_facts(incident).items()}
        told |= each_alone(incident, known)
        columns.append(told)
    rows = [
        (name, *(milliseconds(column[name]) for column in columns), ratio(last, first))
        for name, last in sorted(columns[-1].items(), key=lambda item: -item[1])
        if (first := max(columns[0][name], 1e-6))
    ]
    head = ("detector", *(f"{lines:,} lines" for lines in sizes), "growth")
    write_table(f"with {EVENTS:,} job events and {EVENTS:,} row events", head, rows)
    unlike = [
        (f"{lines:,} lines", milliseconds(whole(shop(folder, lines), known))) for lines in sizes[1:]
    ]
    write_table("lines of half a kilobyte, each with ids of its own", ("lines", "whole"), unlike)


def shop(folder: Path, lines: int) -> Incident:
    """A night of `bench.shop`: where a search that learns its texts by heart never ends."""
    log = raw_log(folder / f"shop-{lines}.log", lines)
    return incident_of(log, lines // OTHERS_SHARE, lines // OTHERS_SHARE)
