"""The screen's collector over real sources: one thread with an event loop of its own.

The screen is told by updates; nothing here ever runs on its loop.
"""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable, Coroutine, Sequence
from typing import TYPE_CHECKING

from halfawake.collection import CANCEL_WITHIN_S, CollectionSession, Listener
from timeline.batch import Preview
from timeline.progress import PreviewArrived, SetupFailed

if TYPE_CHECKING:
    from halfawake.setup import Setup
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

    def _follow_or_stop(self) -> None:
        """In the loop: end the tail, and begin a new one behind the window of now when live."""
        if self._tail is not None:
            self._tail.cancel()
            self._tail = None
        if self._live and self._session is not None:
            self._tail = asyncio.create_task(self._follow(self._session))

    async def _follow(self, session: CollectionSession) -> None:
        from halfawake.tail import Tail

        if self._work is not None:
            await asyncio.wait({self._work})
        await Tail(session, self._now).run()

    def _stop(self) -> None:
        for task in (self._work, self._tail):
            if task is not None:
                task.cancel()
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
                self._follow_or_stop()
            else:
                self._extra = task

        loop.call_soon_threadsafe(begin)
