"""One collection: a store that grows, sources that answer, and who is told of it.

Two phases: the window of every source at once, then a look-up by id of the keys found in errors,
failed jobs and findings. Runs in the collector's loop; whatever counts rows runs in one ingest
thread behind it. One source that fails becomes a blind spot with a reason and a remedy.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from timeline.batch import LOSS_TOPICS, Batch, Preview
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


@dataclass
class _Reading:
    """One source while it answers."""

    source: PreparedSource
    status: SourceStatus
    began: float = field(default_factory=time.monotonic)
    reach: int = 0
    """Where the last answer ended (ns UTC), and the next one goes on."""

    def update(self, **changes: object) -> None:
        elapsed = time.monotonic() - self.began
        self.status = replace(self.status, elapsed_s=elapsed, **changes)  # type: ignore[arg-type]


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
        self._begin(window)
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
        if known is None or _told(incident, present=False) != _told(known, present=False):
            await self._analyse()
        elif _told(incident, present=True) != _told(known, present=True):
            # Another look at the present, a queue's depth say: nothing new to explain.
            self._incident = incident
            self._tell(IncidentGrew(incident, self._analysis))
        if [(s.phase, s.rows) for s in before] != [(s.phase, s.rows) for s in self.statuses]:
            self._tell(CollectionEnded(self.statuses))

    @property
    def reach(self) -> int | None:
        """The end of what was read (ns UTC); None before anything was asked for."""
        return self._window.end if self._window is not None else None

    async def _read_on(self, reading: _Reading, window: Window, until: int, overlap: int) -> None:
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
        import polars as pl

        held = incident.snapshot.events.get_column("source").cast(pl.String).value_counts()
        counts = dict(held.iter_rows())
        for name, reading in self._readings.items():
            reading.update(rows=counts.get(name, 0))

    def _begin(self, window: Window) -> None:
        self._window = window
        self._readings = {
            source.info.name: _Reading(source, _waiting(source), reach=window.end)
            for source in self._setup.sources
        }

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
        self,
        reading: _Reading,
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
            async with asyncio.timeout(limit), _closing(answers):
                async for answer in answers:
                    await self._take(reading, answer, seen)
        except SourceProblem as problem:
            tunnel = reading.source.tunnel
            if tunnel is not None and tunnel.ended:
                what = tunnel.epitaph()
                sentence = f"{what}. {problem.sentence()}"
            else:
                what, sentence = problem.what, problem.sentence()
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

    async def _take(self, reading: _Reading, answer: Answer, seen: list[Coverage] | None) -> None:
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
            await self._publish()

    async def _fail(
        self,
        reading: _Reading,
        window: Window,
        what: str,
        sentence: str,
        *,
        cut: bool = False,
        quiet: bool = False,
    ) -> None:
        """Turn a failure into a status and a blind spot."""
        import polars as pl

        from timeline.columns import EVENT_SCHEMA, KEY_SCHEMA
        from timeline.coverage import Coverage, Sight

        source = reading.source.info.name
        reading.update(phase=Phase.CUT if cut else Phase.FAILED, problem=sentence)
        if quiet:
            return
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


def _told(incident: Incident, *, present: bool) -> tuple[object, ...]:
    """How many measurements (`present`) or other events there are, and how much they say.

    A record read again may say more: a line that was being written, a job that went on.
    """
    import polars as pl

    from timeline.event import Kind

    events = incident.snapshot.events.lazy()
    measured = pl.col("kind") == Kind.METRIC.value
    sizes = [pl.col(name).str.len_bytes().sum().alias(name) for name in ("body", "attributes")]
    chosen = events.filter(measured if present else ~measured)
    return chosen.select(pl.len(), *sizes).collect().row(0)


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
