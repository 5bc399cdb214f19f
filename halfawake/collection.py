"""One collection: every source asked, and what becomes of its answer.

Two phases: the window of every source at once, then a look-up by id of the keys found in errors,
failed jobs and findings. One source that fails, is cut or is skipped becomes a blind spot with a
reason and a remedy, and can be asked again. Runs in the collector's loop.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import TYPE_CHECKING

from halfawake.early_looks import EarlyLooks
from halfawake.source_reading import (
    SourceReading,
    closing_early,
    told_by,
    unseen,
    waiting,
    words_of,
)
from halfawake.telling import CANCEL_WITHIN_S, Telling
from timeline.batch import LOSS_TOPICS, Preview
from timeline.progress import (
    CollectionEnded,
    IncidentGrew,
    Phase,
    PreviewArrived,
    StatusChanged,
)

if TYPE_CHECKING:
    from connectors.contract import Answer
    from halfawake.setup import PreparedSource
    from timeline.coverage import Coverage
    from timeline.window import Window


ASK_AGAIN = "ask it for this window once more"
"""What helps against a source that was not waited for."""


class CollectionSession(Telling):
    """The sources of one collection, and the questions to them."""

    async def collect(self, window: Window) -> None:
        """Both phases for `window`; ends by telling `CollectionEnded`."""
        self._begin(window)
        self._tell(StatusChanged(self.statuses))
        with self._ticking():
            await self._read_all(window)
            await self._analyse()
            if self._incident is not None and self._analysis is not None:
                from timeline.suspects import suspect_keys

                keys = suspect_keys(self._incident, self._analysis.findings)
                if keys:
                    await self._ask_all(keys)
                    await self._analyse()
        self._tell(CollectionEnded(self.statuses))

    async def _read_all(self, window: Window) -> None:
        """Every source's answer to `window`; meanwhile, what can be said of what is there."""
        early = self._early = EarlyLooks(self._explain, self._tell_early)
        try:
            async with asyncio.TaskGroup() as group:
                for reading in self._readings.values():
                    group.create_task(self._read_window(reading, window))
                group.create_task(self._answers.ask())
        finally:
            early.end()
            if self._early is early:
                self._early = None

    def skip(self, source: str) -> bool:
        """Wait no longer for one source: its rows stay, the rest is a blind spot that says so."""
        reading = self._readings.get(source)
        if reading is None or not reading.skip(self._now()):
            return False
        self._tell(StatusChanged(self.statuses))
        return True

    async def retry(self, source: str) -> None:
        """Ask a source that failed, was cut or was skipped for the window once more."""
        before, window = self._readings.get(source), self._window
        if before is None or window is None or not before.status.incomplete:
            return
        reading = SourceReading(before.source, waiting(before.source), reach=window.end)
        self._readings[source] = reading
        self._unread.add(source)
        self._tell(StatusChanged(self.statuses))
        with self._ticking():
            await before.idle.wait()
            await self._counting(self._store.forget, source, window.start, window.end)
            await self._read_window(reading, window)
            await self._analyse()
        if self._incident is not None:
            self._count_rows(self._incident)
        done = all(status.answered for status in self.statuses)
        self._tell(CollectionEnded(self.statuses) if done else StatusChanged(self.statuses))

    async def look_up(self, keys: tuple[str, ...]) -> None:
        """Everything about `keys`, and about the requests and jobs they lead to."""
        from timeline.suspects import linked_keys

        with self._ticking():
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
        incident = await self._counting(self._freeze)
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
        if connector is None or reading.skipped:
            return
        since = reading.reach - overlap
        part = replace(window, pin=until - 1, start=since, end=until)
        seen: list[Coverage] = []
        answers = connector.fetch(part, replace(reading.source.budget, preview=False))
        if await self._drain(reading, part, answers, seen):
            name = reading.source.info.name
            await self._counting(self._store.see_again, name, since, until, seen)
            reading.reach = until
            was_down = reading.status.phase is Phase.FAILED
            problem = "" if was_down else reading.status.problem
            reading.update(phase=Phase.CUT if problem else Phase.DONE, problem=problem)

    def _begin(self, window: Window) -> None:
        self._window = window
        self._readings = {
            source.info.name: SourceReading(source, waiting(source), reach=window.end)
            for source in self._setup.sources
        }
        self._unread = set(self._readings)

    async def _read_window(self, reading: SourceReading, window: Window) -> None:
        source = reading.source
        if source.connector is None:
            if source.problem is not None:
                await self._fail(reading, window, source.problem.what, source.problem.sentence())
            self._unread.discard(source.info.name)
            return
        reading.begin(Phase.READING)
        answers = source.connector.fetch(window, source.budget)
        if await self._drain(reading, window, answers):
            await self._read_clock(source)
            reading.update(phase=Phase.CUT if reading.status.problem else Phase.DONE)
        self._unread.discard(source.info.name)
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
        with reading.being_asked():
            return await self._drained(reading, window, answers, seen)

    async def _drained(
        self,
        reading: SourceReading,
        window: Window,
        answers: AsyncIterator[Answer],
        seen: list[Coverage] | None,
    ) -> bool:
        from timeline.problems import SourceProblem

        limit = reading.source.budget.seconds
        try:
            async with asyncio.timeout(limit) as deadline, closing_early(answers):
                reading.deadlines.add(deadline)
                async for answer in answers:
                    await self._take(reading, answer, seen)
        except SourceProblem as problem:
            what, sentence = words_of(problem, reading.source.tunnel)
            await self._fail(reading, window, what, sentence, quiet=seen is not None)
            return False
        except TimeoutError:
            what = reading.skipped or f"it did not finish within {limit:g} s"
            sentence = reading.skipped or f"{reading.source.info.name}: {what}."
            await self._fail(reading, window, what, sentence, cut=True, quiet=seen is not None)
            return False
        except Exception as error:  # a stranger's connector must not take the screen away
            from timeline.export.redact_messages import without_secrets

            what = without_secrets(f"the connector broke: {type(error).__name__}: {error}")
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
        await self._counting(self._store.add, answer)
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
        partly = cut and (reading.status.rows > 0 or not reading.skipped)
        remedy = ASK_AGAIN if cut else sentence
        empty = unseen(reading.source.info.name, window, what, remedy, cut=partly)
        await self._counting(self._store.add, empty)
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
                if reading.status.phase is not Phase.FAILED and not reading.skipped:
                    group.create_task(self._ask(reading, keys, window))

    async def _ask(self, reading: SourceReading, keys: tuple[str, ...], window: Window) -> None:
        before, answered = reading.status.phase, reading.status.answered
        connector = reading.source.connector
        if connector is None:
            return
        if answered:  # else it is still telling the window, and stays "reading"
            reading.begin(Phase.LOOKING_UP)
        answers = connector.lookup(keys, window, reading.source.budget)
        if await self._drain(reading, window, answers) and answered:
            reading.update(phase=Phase.CUT if reading.status.problem else before)
        self._tell(StatusChanged(self.statuses))
