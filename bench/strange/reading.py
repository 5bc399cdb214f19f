"""One strange log read and explained as the command does it, and what that cost."""

from __future__ import annotations

import asyncio
import re
import resource
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from bench.strange.shape import PIN, SPAN_S, START

if TYPE_CHECKING:
    from timeline.analysis import Analysis
    from timeline.incident import Incident

SECOND_NS = 1_000_000_000
SURE = ("certain", "likely")


@dataclass(frozen=True)
class Reading:
    """A log as columns, its findings, and processor and wall seconds of both steps."""

    incident: Incident
    analysis: Analysis
    read_s: float
    analyse_s: float
    read_processor_s: float
    analyse_processor_s: float
    """On all cores."""
    peak_mb: float
    """Of the whole process so far."""
    bold: tuple[str, ...] = field(default=())
    """Findings at likely or above: term and sentence."""


def read(path: Path) -> Reading:
    """Load a log through the `file` connector and analyse it."""
    from connectors.file import FileConnector, FileOptions
    from halfawake.plugins import detectors
    from timeline.analysis import analyse
    from timeline.batch import Batch
    from timeline.event import Lane
    from timeline.incident import Incident, SourceInfo
    from timeline.keys import KeyRules
    from timeline.store import Store
    from timeline.window import Budget, Window

    known = detectors()
    first = int(START.timestamp()) * SECOND_NS
    window = Window(int(PIN.timestamp()) * SECOND_NS, first, first + SPAN_S * SECOND_NS)
    store = Store()

    async def load() -> None:
        connector = FileConnector("log", FileOptions(paths=[str(path)]), KeyRules())
        budget = Budget(rows=20_000_000, bytes=8 * 1024**3, seconds=600, preview=True)
        async for answer in connector.fetch(window, budget):
            if isinstance(answer, Batch):
                store.add(answer)
        await connector.close()

    begun, spent = time.perf_counter(), time.process_time()
    asyncio.run(load())
    incident = Incident(
        window,
        store.snapshot(),
        sources=(SourceInfo("log", Lane.LOG, "file"),),
        collected_at=window.end + 5 * SECOND_NS,
    )
    loaded, spent_reading = time.perf_counter(), time.process_time() - spent
    analysis = analyse(incident, known)
    ended = time.perf_counter()
    bold = tuple(
        f"{finding.verdict}: {finding.term}: {finding.sentence()}"
        for finding in analysis.findings
        if finding.verdict in SURE
    )
    return Reading(
        incident,
        analysis,
        loaded - begun,
        ended - loaded,
        spent_reading,
        time.process_time() - spent - spent_reading,
        peak_mb(),
        bold,
    )


def peak_mb() -> float:
    """The most memory (MB of 2^20 bytes) that this program has held since it was loaded.

    Linux hands the figure of `getrusage` down to whoever a process starts (`exec_mmap`), so that a
    child of a large one seems as large; `VmHWM` (proc(5)) begins anew with each program.
    """
    status = Path("/proc/self/status")
    if status.exists():
        told = re.search(r"^VmHWM:\s+([0-9]+) kB$", status.read_text(), re.MULTILINE)
        if told is not None:
            return int(told[1]) / 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
