"""The screen's collector over real sources: one thread with an event loop of its own.

The screen is told by updates; nothing here ever runs on its loop.
"""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable, Coroutine, Sequence
from typing import TYPE_CHECKING

from timeline.progress import Broke, PreviewArrived, SetupFailed

if TYPE_CHECKING:
    from halfawake.collection import CollectionSession
    from halfawake.setup import Setup
    from halfawake.telling import Listener
    from timeline.batch import Batch, Preview
    from timeline.incident import SourceInfo
    from timeline.progress import SourceStatus
    from timeline.window import Window

PAINT_FIRST_S = 0.03
"""How long the first rows have the interpreter to themselves before libraries are loaded."""


class SetupProblem(Exception):
    """Nothing can be collected; `exit_code` is what the command leaves with."""

    def __init__(self, sentence: str, exit_code: int) -> None:
        super().__init__(sentence)
        self.exit_code = exit_code


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
        self._tail: asyncio.Task[None] | None = None
        self._live = False
        self._session: CollectionSession | None = None
        self._waiting: list[str] = []
        self._again: set[asyncio.Task[None]] = set()

    def at_hand(self, window: Window) -> Sequence[Preview]:
        from halfawake.early import FirstRows

        rows = self._preview
        if not isinstance(rows, FirstRows) or not rows.is_there(window):
            return ()
        self._preview = None
        return rows(window)

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

    def keep_reading(self, on: bool) -> bool:
        self._live = on
        loop = self._loop
        if loop is not None and not loop.is_closed():
            loop.call_soon_threadsafe(self._follow_or_stop)
        return True

    def add(self, info: SourceInfo, batch: Batch) -> bool:
        """Hold what no source gave, a person's notes; False before there is anything beside it."""
        session = self._session
        if session is None or session.reach is None:
            return False
        self._submit(session.add(info, batch), replacing=False)
        return True

    def skip(self, source: str) -> bool:
        loop, status = self._loop, self._status(source)
        if loop is None or loop.is_closed() or status is None or status.answered:
            return False
        loop.call_soon_threadsafe(self._skip, source)
        return True

    def retry(self, source: str) -> bool:
        loop, status = self._loop, self._status(source)
        if loop is None or loop.is_closed() or status is None or not status.incomplete:
            return False
        loop.call_soon_threadsafe(self._retry, source)
        return True

    def _status(self, source: str) -> SourceStatus | None:
        statuses = self._session.statuses if self._session is not None else ()
        return next((status for status in statuses if status.source == source), None)

    def _skip(self, source: str) -> None:
        """In the loop, like `_retry`."""
        if self._session is not None:
            self._session.skip(source)

    def _retry(self, source: str) -> None:
        if self._session is not None:
            task = asyncio.create_task(self._session.retry(source))
            self._again.add(task)
            task.add_done_callback(self._again.discard)
            task.add_done_callback(self._ended)

    def close(self) -> None:
        loop, thread = self._loop, self._thread
        if loop is not None and not loop.is_closed():
            loop.call_soon_threadsafe(self._stop)
        if thread is not None and thread is not threading.current_thread():
            from halfawake.telling import CANCEL_WITHIN_S

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
        except Exception as error:  # a defect, too: a module of somebody's own that does not load
            self._listener(Broke(error))
            return
        try:
            asyncio.run(self._serve(setup, window))
        except Exception as error:  # a defect: whoever watches would wait for ever
            self._listener(Broke(error))

    async def _serve(self, setup: Setup, window: Window) -> None:
        from halfawake.collection import CollectionSession  # not needed for the first rows

        self._loop = asyncio.get_running_loop()
        self._stopping = asyncio.Event()
        self._session = CollectionSession(setup, self._listener, self._now)
        try:
            self._work = asyncio.create_task(self._first(self._session, window))
            self._work.add_done_callback(self._ended)
            self._follow_or_stop()
            await self._stopping.wait()
        finally:
            await self._session.close()
            setup.release()

    async def _first(self, session: CollectionSession, window: Window) -> None:
        """The window, then the keys that were asked for before there was a session."""
        await session.collect(window)
        if self._waiting:
            await session.look_up(tuple(self._waiting))

    def _ended(self, task: asyncio.Task[None]) -> None:
        """A task that a defect ended is told; nobody else looks at it."""
        if not task.cancelled() and isinstance(error := task.exception(), Exception):
            self._listener(Broke(error))

    def _follow_or_stop(self) -> None:
        """In the loop: end the tail, and begin a new one behind the window of now when live."""
        if self._tail is not None:
            self._tail.cancel()
            self._tail = None
        if self._live and self._session is not None:
            self._tail = asyncio.create_task(self._follow(self._session))
            self._tail.add_done_callback(self._ended)

    async def _follow(self, session: CollectionSession) -> None:
        from halfawake.tail import Tail

        if self._work is not None:
            await asyncio.wait({self._work})
        await Tail(session, self._now).run()

    def _stop(self) -> None:
        for task in (self._work, self._tail, *self._again):
            if task is not None:
                task.cancel()
        self._stopping.set()

    def _submit(self, work: Coroutine[None, None, None], *, replacing: bool) -> None:
        loop = self._loop
        if loop is None or loop.is_closed():
            work.close()
            return

        def begin() -> None:
            if replacing:
                for old in (self._work, *self._again):
                    if old is not None:
                        old.cancel()
            task = loop.create_task(work)
            task.add_done_callback(self._ended)
            if replacing:
                self._work = task
                self._follow_or_stop()
            else:
                self._extra = task

        loop.call_soon_threadsafe(begin)
