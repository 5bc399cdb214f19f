"""What is known of one collection so far, and who is told of it.

Owns the store, the snapshots and the analyses; whatever counts rows runs in one ingest thread. It
asks no source: `halfawake.collection` does. Everything here runs in the collector's loop.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, ParamSpec, TypeVar

from halfawake.early_looks import EarlyLooks
from halfawake.questions import Answers
from halfawake.source_reading import SourceReading, rows_by_source, with_unread
from timeline.progress import IncidentGrew, SourceStatus, StatusChanged, Update

if TYPE_CHECKING:
    from halfawake.setup import Setup
    from timeline.analysis import Analysis
    from timeline.batch import Batch
    from timeline.incident import Incident, SourceInfo
    from timeline.window import Window

SNAPSHOT_EVERY_S = 0.25
"""Four snapshots a second at most: a screen needs no more and a store pays for each."""
CANCEL_WITHIN_S = 1.0

Listener = Callable[[Update], None]
P = ParamSpec("P")
R = TypeVar("R")


class Telling:
    """The store of one collection, and its listener."""

    def __init__(self, setup: Setup, listener: Listener, now: Callable[[], int]) -> None:
        from timeline.store import Store

        self._setup = setup
        self._tell = listener
        self._now = now
        self._store = Store()
        self._clocks = setup.clocks
        self._answers = Answers(setup)
        self._ingest = ThreadPoolExecutor(1, thread_name_prefix="ingest")
        self._readings: dict[str, SourceReading] = {}
        self._added: dict[str, SourceInfo] = {}
        self._unread: set[str] = set()
        self._window: Window | None = None
        self._analysis: Analysis | None = None
        self._incident: Incident | None = None
        self._early: EarlyLooks | None = None
        self._published = 0.0
        self._unpublished = False
        self._watched = 0
        self._ticker: asyncio.Task[None] | None = None

    @property
    def statuses(self) -> tuple[SourceStatus, ...]:
        return tuple(reading.status for reading in self._readings.values())

    async def add(self, info: SourceInfo, batch: Batch) -> None:
        """Hold what did not come from a source that is asked: a person's notes."""
        self._added[info.name] = info
        await self._counting(self._store.add, batch)
        if self._window is None:
            return
        await self._publish(force=True)
        if not self._unread:  # else the whole is explained soon anyway
            await self._analyse()

    async def _counting(self, work: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
        """Run `work`, which touches rows, in the ingest thread."""
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._ingest, lambda: work(*args, **kwargs))

    async def _publish(self, *, force: bool = False) -> None:
        now = time.monotonic()
        if not force and now - self._published < SNAPSHOT_EVERY_S:
            return
        self._published, self._unpublished = now, False
        incident = self._incident = await self._counting(self._freeze)
        self._tell(IncidentGrew(incident, self._analysis))
        self._look_early()

    def _look_early(self) -> None:
        if self._early is not None and self._incident is not None:
            self._early.consider(self._incident)

    def _tell_early(self, analysis: Analysis) -> None:
        self._analysis = analysis
        if self._incident is not None:
            self._tell(IncidentGrew(self._incident, analysis))

    async def _analyse(self) -> None:
        incident, analysis = await self._counting(self._examine)
        self._incident, self._analysis = incident, analysis
        self._tell(IncidentGrew(incident, analysis))

    def _examine(self) -> tuple[Incident, Analysis]:
        incident = self._freeze()
        return incident, self._explain(incident)

    def _explain(self, incident: Incident) -> Analysis:
        from timeline.analysis import analyse

        return analyse(incident, self._setup.detectors)

    def _freeze(self) -> Incident:
        from timeline.incident import Incident

        window = self._window
        if window is None:
            raise RuntimeError("nothing was asked for yet")
        reading = self._still_reading()
        snapshot = with_unread(self._store.snapshot(), reading, window)
        return Incident(
            window=window,
            snapshot=snapshot,
            clocks=self._clocks,
            key_rules=self._setup.key_rules,
            sources=self._sources(),
            environment=self._setup.environment,
            expected_services=self._setup.expected_services,
            knowledge=self._answers.knowledge,
            reading=reading,
            collected_at=self._now(),
        )

    def _sources(self) -> tuple[SourceInfo, ...]:
        asked = {source.info.name: source.info for source in self._setup.sources}
        return tuple({**self._added, **asked}.values())

    def _still_reading(self) -> tuple[str, ...]:
        """Names of the sources whose answer to the window is not whole yet."""
        return tuple(
            name
            for name, reading in self._readings.items()
            if name in self._unread and not reading.status.answered
        )

    @contextlib.contextmanager
    def _ticking(self) -> Iterator[None]:
        """The screen is told how far everybody is, over and over, while the body runs."""
        self._watched += 1
        if self._ticker is None:
            self._ticker = asyncio.create_task(self._tick())
        try:
            yield
        finally:
            self._watched -= 1
            if not self._watched:
                self._ticker.cancel()
                self._ticker = None

    def _count_rows(self, incident: Incident) -> None:
        """What each source gave, without what was read twice."""
        counts = rows_by_source(incident)
        for name, reading in self._readings.items():
            reading.update(rows=counts.get(name, 0))

    async def close(self) -> None:
        """End every connection; gives up waiting after a second."""
        closing = [s.connector.close() for s in self._setup.sources if s.connector is not None]
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(CANCEL_WITHIN_S):
                await asyncio.gather(*closing, return_exceptions=True)
        self._ingest.shutdown(wait=False, cancel_futures=True)

    async def _tick(self) -> None:
        """Elapsed times move while sources answer, and what arrived last is shown and looked at."""
        while True:
            await asyncio.sleep(SNAPSHOT_EVERY_S)
            for reading in self._readings.values():
                if not reading.status.answered:
                    reading.update()
            self._tell(StatusChanged(self.statuses))
            if self._unpublished:
                await self._publish()
            self._look_early()
