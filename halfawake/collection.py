"""One collection: a store that grows, sources that answer, and who is told of it.

Two phases: the window of every source at once, then a look-up by id of the keys found in errors,
failed jobs and findings. Runs in the collector's loop; whatever counts rows runs in one ingest
thread behind it. One source that fails becomes a blind spot with a reason and a remedy.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import TYPE_CHECKING

from halfawake.early_looks import EarlyLooks
from halfawake.questions import Answers
from halfawake.source_reading import (
    SourceReading,
    closing_early,
    rows_by_source,
    told_by,
    unseen,
    waiting,
    with_unread,
    words_of,
)
from timeline.batch import LOSS_TOPICS, Preview
from timeline.progress import (
    CollectionEnded,
    IncidentGrew,
    Phase,
    PreviewArrived,
    SourceStatus,
    StatusChanged,
    Update,
)

if TYPE_CHECKING:
    from connectors.contract import Answer
    from halfawake.setup import PreparedSource, Setup
    from timeline.analysis import Analysis
    from timeline.coverage import Coverage
    from timeline.incident import Incident
    from timeline.window import Window

SNAPSHOT_EVERY_S = 0.25
"""Four snapshots a second at most: a screen needs no more and a store pays for each."""
CANCEL_WITHIN_S = 1.0

Listener = Callable[[Update], None]


class CollectionSession:
    """The state of one collection: a store that grows, sources that answer, who is told."""

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
        self._window: Window | None = None
        self._analysis: Analysis | None = None
        self._incident: Incident | None = None
        self._published = 0.0
        self._unpublished = False
        self._reading_window = False

    @property
    def statuses(self) -> tuple[SourceStatus, ...]:
        return tuple(reading.status for reading in self._readings.values())

    async def collect(self, window: Window) -> None:
        """Both phases for `window`; ends by telling `CollectionEnded`."""
        self._begin(window)
        self._tell(StatusChanged(self.statuses))
        ticker = asyncio.create_task(self._tick())
        try:
            await self._read_all(window)
            await self._analyse()
            if self._incident is not None and self._analysis is not None:
                from timeline.suspects import suspect_keys

                keys = suspect_keys(self._incident, self._analysis.findings)
                if keys:
                    await self._ask_all(keys)
                    await self._analyse()
        finally:
            ticker.cancel()
        self._tell(CollectionEnded(self.statuses))

    async def _read_all(self, window: Window) -> None:
        """Every source's answer to `window`; meanwhile, what can be said of what is there."""
        self._early = EarlyLooks(self._explain, self._tell_early)
        self._reading_window = True
        try:
            async with asyncio.TaskGroup() as group:
                for reading in self._readings.values():
                    group.create_task(self._read_window(reading, window))
                group.create_task(self._answers.ask())
        finally:
            self._reading_window = False
            self._early.end()

    async def look_up(self, keys: tuple[str, ...]) -> None:
        """Everything about `keys`, and about the requests and jobs they lead to."""
        from timeline.suspects import linked_keys

        await self._ask_all(keys)
        await self._analyse()
        if self._incident is not None and (further := linked_keys(self._incident, keys)):
            await self._ask_all(further)
            await self._analyse()
        self._tell(CollectionEnded(self.statuses))

    async def find(self, key: str, span: Window) -> None:
        """Ask every source for `key` within `span`, without reading a window first."""
        self._begin(span)
        await self.look_up((key,))

    async def extend(self, until: int, overlap: int) -> None:
        """Read every source on from where its last answer ended to `until` (ns UTC).

        It begins `overlap` ns earlier, for what arrived late; a record that is held already is
        held once. The window's end moves to `until`. The screen is told only of what changed.
        """
        if self._window is None:
            return
        before = self.statuses
        async with asyncio.TaskGroup() as group:
            for reading in self._readings.values():
                group.create_task(self._read_on(reading, self._window, until, overlap))
        self._window = replace(self._window, end=max(self._window.end, until))
        known = self._incident
        incident = await asyncio.get_running_loop().run_in_executor(self._ingest, self._freeze)
        self._count_rows(incident)
        if known is None or told_by(incident, present=False) != told_by(known, present=False):
            await self._analyse()
        elif told_by(incident, present=True) != told_by(known, present=True):
            # Another look at the present, a queue's depth say: nothing new to explain.
            self._incident = incident
            self._tell(IncidentGrew(incident, self._analysis))
        if [(s.phase, s.rows) for s in before] != [(s.phase, s.rows) for s in self.statuses]:
            self._tell(CollectionEnded(self.statuses))

    @property
    def reach(self) -> int | None:
        """The end of what was read (ns UTC); None before anything was asked for."""
        return self._window.end if self._window is not None else None

    async def _read_on(
        self, reading: SourceReading, window: Window, until: int, overlap: int
    ) -> None:
        connector = reading.source.connector
        if connector is None:
            return
        since = reading.reach - overlap
        part = replace(window, pin=until - 1, start=since, end=until)
        seen: list[Coverage] = []
        answers = connector.fetch(part, replace(reading.source.budget, preview=False))
        if await self._drain(reading, part, answers, seen):
            name = reading.source.info.name
            loop = asyncio.get_running_loop()
            await loop.run_in_executor(
                self._ingest, self._store.see_again, name, since, until, seen
            )
            reading.reach = until
            was_down = reading.status.phase is Phase.FAILED
            problem = "" if was_down else reading.status.problem
            reading.update(phase=Phase.CUT if problem else Phase.DONE, problem=problem)

    def _count_rows(self, incident: Incident) -> None:
        """What each source gave, without what was read twice."""
        counts = rows_by_source(incident)
        for name, reading in self._readings.items():
            reading.update(rows=counts.get(name, 0))

    def _begin(self, window: Window) -> None:
        self._window = window
        self._readings = {
            source.info.name: SourceReading(source, waiting(source), reach=window.end)
            for source in self._setup.sources
        }

    async def close(self) -> None:
        """End every connection; gives up waiting after a second."""
        closing = [s.connector.close() for s in self._setup.sources if s.connector is not None]
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(CANCEL_WITHIN_S):
                await asyncio.gather(*closing, return_exceptions=True)
        self._ingest.shutdown(wait=False, cancel_futures=True)

    async def _read_window(self, reading: SourceReading, window: Window) -> None:
        source = reading.source
        if source.connector is None:
            if source.problem is not None:
                await self._fail(reading, window, source.problem.what, source.problem.sentence())
            return
        reading.update(phase=Phase.READING)
        answers = source.connector.fetch(window, source.budget)
        if await self._drain(reading, window, answers):
            await self._read_clock(source)
            reading.update(phase=Phase.CUT if reading.status.problem else Phase.DONE)
        self._tell(StatusChanged(self.statuses))
        if self._still_reading():  # else the whole is told at once
            await self._publish(force=True)

    async def _drain(
        self,
        reading: SourceReading,
        window: Window,
        answers: AsyncIterator[Answer],
        seen: list[Coverage] | None = None,
    ) -> bool:
        """Take every answer of one source; True unless it failed altogether.

        With `seen` the screen is told nothing meanwhile, and what the source says of its sight is
        put there: it holds only when the answer is whole, else the stretch is asked for again.
        """
        from timeline.problems import SourceProblem

        limit = reading.source.budget.seconds
        try:
            async with asyncio.timeout(limit), closing_early(answers):
                async for answer in answers:
                    await self._take(reading, answer, seen)
        except SourceProblem as problem:
            what, sentence = words_of(problem, reading.source.tunnel)
            await self._fail(reading, window, what, sentence, quiet=seen is not None)
            return False
        except TimeoutError:
            what = f"it did not finish within {limit:g} s"
            sentence = f"{reading.source.info.name}: {what}."
            await self._fail(reading, window, what, sentence, cut=True, quiet=seen is not None)
            return False
        except Exception as error:  # a stranger's connector must not take the screen away
            what = f"the connector broke: {type(error).__name__}: {error}"
            sentence = f"{what}. Please report it."
            await self._fail(reading, window, what, sentence, quiet=seen is not None)
            return False
        return True

    async def _take(
        self, reading: SourceReading, answer: Answer, seen: list[Coverage] | None
    ) -> None:
        if isinstance(answer, Preview):
            self._tell(PreviewArrived(answer))
            return
        if seen is not None:
            seen.extend(answer.coverage)
            answer = replace(answer, coverage=())
        loop = asyncio.get_running_loop()
        await loop.run_in_executor(self._ingest, self._store.add, answer)
        cuts = [remark.sentence for remark in answer.remarks if remark.topic in LOSS_TOPICS]
        reading.update(
            rows=reading.status.rows + answer.events.height,
            bytes_read=reading.status.bytes_read + answer.bytes_read,
            problem=cuts[0] if cuts else reading.status.problem,
        )
        if seen is None:
            self._unpublished = True
            await self._publish()

    async def _fail(
        self,
        reading: SourceReading,
        window: Window,
        what: str,
        sentence: str,
        *,
        cut: bool = False,
        quiet: bool = False,
    ) -> None:
        """Turn a failure into a status and a blind spot."""
        reading.update(phase=Phase.CUT if cut else Phase.FAILED, problem=sentence)
        if quiet:
            return
        empty = unseen(reading.source.info.name, window, what, sentence, cut=cut)
        await asyncio.get_running_loop().run_in_executor(self._ingest, self._store.add, empty)
        self._tell(StatusChanged(self.statuses))

    async def _read_clock(self, source: PreparedSource) -> None:
        from timeline.clock import ClockTable, bound_from
        from timeline.problems import SourceProblem

        if source.connector is None:
            return
        try:
            async with asyncio.timeout(CANCEL_WITHIN_S):
                reading = await source.connector.clock()
        except (SourceProblem, TimeoutError):
            return
        if reading is not None and reading.clock not in self._setup.clocks.bounds:
            pin = self._window.pin if self._window is not None else reading.read_at
            bounds = {**self._clocks.bounds, reading.clock: bound_from(reading, pin)}
            self._clocks = ClockTable(bounds, self._clocks.assumed)

    async def _ask_all(self, keys: tuple[str, ...]) -> None:
        """Phase two: every source that has not failed is asked for `keys` by id."""
        window = self._window
        if window is None:
            return
        async with asyncio.TaskGroup() as group:
            for reading in self._readings.values():
                if reading.status.phase is not Phase.FAILED:
                    group.create_task(self._ask(reading, keys, window))

    async def _ask(self, reading: SourceReading, keys: tuple[str, ...], window: Window) -> None:
        before = reading.status.phase
        connector = reading.source.connector
        if connector is None:
            return
        reading.update(phase=Phase.LOOKING_UP)
        if await self._drain(
            reading, window, connector.lookup(keys, window, reading.source.budget)
        ):
            reading.update(phase=Phase.CUT if reading.status.problem else before)
        self._tell(StatusChanged(self.statuses))

    async def _publish(self, *, force: bool = False) -> None:
        now = time.monotonic()
        if not force and now - self._published < SNAPSHOT_EVERY_S:
            return
        self._published, self._unpublished = now, False
        incident = await asyncio.get_running_loop().run_in_executor(self._ingest, self._freeze)
        self._incident = incident
        self._tell(IncidentGrew(incident, self._analysis))
        self._look_early()

    def _look_early(self) -> None:
        if self._reading_window and self._incident is not None:
            self._early.consider(self._incident)

    def _tell_early(self, analysis: Analysis) -> None:
        self._analysis = analysis
        if self._incident is not None:
            self._tell(IncidentGrew(self._incident, analysis))

    async def _analyse(self) -> None:
        incident, analysis = await asyncio.get_running_loop().run_in_executor(
            self._ingest, self._examine
        )
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
            sources=tuple(source.info for source in self._setup.sources),
            environment=self._setup.environment,
            expected_services=self._setup.expected_services,
            knowledge=self._answers.knowledge,
            reading=reading,
            collected_at=self._now(),
        )

    def _still_reading(self) -> tuple[str, ...]:
        """Names of the sources whose answer to the window is not whole yet."""
        if not self._reading_window:
            return ()
        return tuple(status.source for status in self.statuses if not status.answered)

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
