"""Collects a live incident: one thread with its own event loop, one ingest thread behind it.

Two phases: the window of every source at once, then a look-up by id of the keys found in errors,
failed jobs and findings. The screen is told by updates; nothing here ever runs on its loop. One
source that fails becomes a blind spot with a reason and a remedy, never an end.
"""

from __future__ import annotations

import asyncio
import contextlib
import threading
import time
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Coroutine, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from timeline.batch import LOSS_TOPICS, Batch, Preview
from timeline.progress import (
    CollectionEnded,
    IncidentGrew,
    Phase,
    PreviewArrived,
    SetupFailed,
    SourceStatus,
    StatusChanged,
    Update,
)

if TYPE_CHECKING:
    from connectors.contract import Answer
    from halfawake.setup import PreparedSource, Setup
    from timeline.analysis import Analysis
    from timeline.incident import Incident
    from timeline.window import Window

SNAPSHOT_EVERY_S = 0.25
"""Four snapshots a second at most: a screen needs no more and a store pays for each."""
PAINT_FIRST_S = 0.03
"""How long the first rows have the interpreter to themselves before libraries are loaded."""
CANCEL_WITHIN_S = 1.0

Listener = Callable[[Update], None]


class SetupProblem(Exception):
    """Nothing can be collected; `exit_code` is what the command leaves with."""

    def __init__(self, sentence: str, exit_code: int) -> None:
        super().__init__(sentence)
        self.exit_code = exit_code


@dataclass
class _Reading:
    """One source while it answers."""

    source: PreparedSource
    status: SourceStatus
    began: float = field(default_factory=time.monotonic)

    def update(self, **changes: object) -> None:
        elapsed = time.monotonic() - self.began
        self.status = replace(self.status, elapsed_s=elapsed, **changes)  # type: ignore[arg-type]


class LiveCollector:
    """The screen's `Collector` over real sources. `prepare` runs in the collector thread."""

    def __init__(
        self,
        prepare: Callable[[], Setup],
        preview: Callable[[Window], Sequence[Preview]] | None = None,
        now: Callable[[], int] = time.time_ns,
    ) -> None:
        self._prepare = prepare
        self._preview = preview
        self._now = now
        self._listener: Listener = lambda update: None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._ready = threading.Event()
        self._thread: threading.Thread | None = None
        self._work: asyncio.Task[None] | None = None
        self._session: CollectionSession | None = None
        self._waiting: list[str] = []

    def start(self, window: Window, on_update: Listener) -> None:
        self._listener = on_update
        self._thread = threading.Thread(
            target=self._run, args=(window,), name="collector", daemon=True
        )
        self._thread.start()

    def look_up(self, keys: Sequence[str]) -> None:
        session = self._session
        if session is None:
            self._waiting.extend(keys)
        else:
            self._submit(session.look_up(tuple(keys)), replacing=False)

    def repin(self, window: Window) -> None:
        if self._session is not None:
            self._submit(self._session.collect(window), replacing=True)

    def close(self) -> None:
        loop, thread = self._loop, self._thread
        if loop is not None and not loop.is_closed():
            loop.call_soon_threadsafe(self._stop)
        if thread is not None and thread is not threading.current_thread():
            thread.join(timeout=CANCEL_WITHIN_S * 2)

    def _run(self, window: Window) -> None:
        try:
            if self._preview is not None:
                for preview in self._preview(window):
                    self._listener(PreviewArrived(preview))
                time.sleep(PAINT_FIRST_S)
            setup = self._prepare()
        except SetupProblem as problem:
            self._listener(SetupFailed(str(problem), problem.exit_code))
            return
        asyncio.run(self._serve(setup, window))

    async def _serve(self, setup: Setup, window: Window) -> None:
        self._loop = asyncio.get_running_loop()
        self._stopping = asyncio.Event()
        self._session = CollectionSession(setup, self._listener, self._now)
        try:
            self._work = asyncio.create_task(self._first(self._session, window))
            await self._stopping.wait()
        finally:
            await self._session.close()
            setup.release()

    async def _first(self, session: CollectionSession, window: Window) -> None:
        """The window, then the keys that were asked for before there was a session."""
        await session.collect(window)
        if self._waiting:
            await session.look_up(tuple(self._waiting))

    def _stop(self) -> None:
        if self._work is not None:
            self._work.cancel()
        self._stopping.set()

    def _submit(self, work: Coroutine[None, None, None], *, replacing: bool) -> None:
        loop = self._loop
        if loop is None or loop.is_closed():
            work.close()
            return

        def begin() -> None:
            if replacing and self._work is not None:
                self._work.cancel()
            task = loop.create_task(work)
            if replacing:
                self._work = task
            else:
                self._extra = task

        loop.call_soon_threadsafe(begin)


class CollectionSession:
    """The state of one collection: a store that grows, sources that answer, who is told."""

    def __init__(self, setup: Setup, listener: Listener, now: Callable[[], int]) -> None:
        from timeline.store import Store

        self._setup = setup
        self._tell = listener
        self._now = now
        self._store = Store()
        self._clocks = setup.clocks
        self._ingest = ThreadPoolExecutor(1, thread_name_prefix="ingest")
        self._readings: dict[str, _Reading] = {}
        self._window: Window | None = None
        self._analysis: Analysis | None = None
        self._incident: Incident | None = None
        self._published = 0.0

    @property
    def statuses(self) -> tuple[SourceStatus, ...]:
        return tuple(reading.status for reading in self._readings.values())

    async def collect(self, window: Window) -> None:
        """Both phases for `window`; ends by telling `CollectionEnded`."""
        self._window = window
        self._readings = {
            source.info.name: _Reading(source, _waiting(source)) for source in self._setup.sources
        }
        self._tell(StatusChanged(self.statuses))
        ticker = asyncio.create_task(self._tick())
        try:
            async with asyncio.TaskGroup() as group:
                for reading in self._readings.values():
                    group.create_task(self._read_window(reading, window))
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
        self._window = span
        self._readings = {
            source.info.name: _Reading(source, _waiting(source)) for source in self._setup.sources
        }
        await self.look_up((key,))

    async def close(self) -> None:
        """End every connection; gives up waiting after a second."""
        closing = [s.connector.close() for s in self._setup.sources if s.connector is not None]
        try:
            async with asyncio.timeout(CANCEL_WITHIN_S):
                await asyncio.gather(*closing, return_exceptions=True)
        except TimeoutError:
            pass
        self._ingest.shutdown(wait=False, cancel_futures=True)

    async def _read_window(self, reading: _Reading, window: Window) -> None:
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
        if any(not status.answered for status in self.statuses):
            await self._analyse()  # a sentence from what has answered; the others may be slow

    async def _drain(
        self, reading: _Reading, window: Window, answers: AsyncIterator[Answer]
    ) -> bool:
        """Take every answer of one source; True unless it failed altogether."""
        from timeline.problems import SourceProblem

        limit = reading.source.budget.seconds
        try:
            async with asyncio.timeout(limit), _closing(answers):
                async for answer in answers:
                    await self._take(reading, answer)
        except SourceProblem as problem:
            tunnel = reading.source.tunnel
            if tunnel is not None and tunnel.ended:
                what = tunnel.epitaph()
                await self._fail(reading, window, what, f"{what}. {problem.sentence()}")
            else:
                await self._fail(reading, window, problem.what, problem.sentence())
            return False
        except TimeoutError:
            what = f"it did not finish within {limit:g} s"
            await self._fail(
                reading, window, what, f"{reading.source.info.name}: {what}.", cut=True
            )
            return False
        except Exception as error:  # a stranger's connector must not take the screen away
            what = f"the connector broke: {type(error).__name__}: {error}"
            await self._fail(reading, window, what, what + ". Please report it.")
            return False
        return True

    async def _take(self, reading: _Reading, answer: Answer) -> None:
        if isinstance(answer, Preview):
            self._tell(PreviewArrived(answer))
            return
        loop = asyncio.get_running_loop()
        await loop.run_in_executor(self._ingest, self._store.add, answer)
        cuts = [remark.sentence for remark in answer.remarks if remark.topic in LOSS_TOPICS]
        reading.update(
            rows=reading.status.rows + answer.events.height,
            bytes_read=reading.status.bytes_read + answer.bytes_read,
            problem=cuts[0] if cuts else reading.status.problem,
        )
        await self._publish()

    async def _fail(
        self, reading: _Reading, window: Window, what: str, sentence: str, *, cut: bool = False
    ) -> None:
        """Turn a failure into a status and a blind spot."""
        import polars as pl

        from timeline.columns import EVENT_SCHEMA, KEY_SCHEMA
        from timeline.coverage import Coverage, Sight

        source = reading.source.info.name
        reading.update(phase=Phase.CUT if cut else Phase.FAILED, problem=sentence)
        sight = Sight.PARTIAL if cut else Sight.BLIND
        blind = Coverage(source, window.start, window.end, sight, what, sentence)
        empty = Batch(
            source, pl.DataFrame(schema=EVENT_SCHEMA), pl.DataFrame(schema=KEY_SCHEMA), (blind,)
        )
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

    async def _ask(self, reading: _Reading, keys: tuple[str, ...], window: Window) -> None:
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
        self._published = now
        incident = await asyncio.get_running_loop().run_in_executor(self._ingest, self._freeze)
        self._tell(IncidentGrew(incident, self._analysis))

    async def _analyse(self) -> None:
        incident, analysis = await asyncio.get_running_loop().run_in_executor(
            self._ingest, self._examine
        )
        self._incident, self._analysis = incident, analysis
        self._tell(IncidentGrew(incident, analysis))

    def _examine(self) -> tuple[Incident, Analysis]:
        from timeline.analysis import analyse

        incident = self._freeze()
        return incident, analyse(incident, self._setup.detectors)

    def _freeze(self) -> Incident:
        from timeline.incident import Incident

        if self._window is None:
            raise RuntimeError("nothing was asked for yet")
        return Incident(
            window=self._window,
            snapshot=self._store.snapshot(),
            clocks=self._clocks,
            key_rules=self._setup.key_rules,
            sources=tuple(source.info for source in self._setup.sources),
            environment=self._setup.environment,
            expected_services=self._setup.expected_services,
            collected_at=self._now(),
        )

    async def _tick(self) -> None:
        """Elapsed times move while sources answer."""
        while True:
            await asyncio.sleep(SNAPSHOT_EVERY_S)
            for reading in self._readings.values():
                if not reading.status.answered:
                    reading.update()
            self._tell(StatusChanged(self.statuses))


@contextlib.asynccontextmanager
async def _closing(answers: AsyncIterator[Answer]) -> AsyncIterator[None]:
    """Close a generator that is left early now, not when it happens to be collected."""
    try:
        yield
    finally:
        if isinstance(answers, AsyncGenerator):
            await answers.aclose()


def _waiting(source: PreparedSource) -> SourceStatus:
    info = source.info
    return SourceStatus(
        info.name, info.lane, info.system, Phase.WAITING, deadline_s=source.budget.seconds
    )
