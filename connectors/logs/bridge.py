"""Drive a blocking generator from an event loop, one step at a time, and stop it when cancelled."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncGenerator, Generator
from typing import Final, TypeVar

T = TypeVar("T")


class _End:
    """What a finished generator gives; StopIteration cannot cross a thread's future."""


_END: Final = _End()


async def in_thread(
    produce: Generator[T, None, None], stop: threading.Event
) -> AsyncGenerator[T, None]:
    """The items of `produce`, each computed in a worker thread; `produce` owns what it opens.

    Cancelling sets `stop` and returns at once. The step that is running then ends by itself, after
    one chunk at most, and closes the generator with everything it holds.
    """

    def step() -> T | _End:
        try:
            return next(produce, _END)
        finally:
            if stop.is_set():
                produce.close()

    while True:
        running = asyncio.ensure_future(asyncio.to_thread(step))
        try:
            item = await asyncio.shield(running)
        except asyncio.CancelledError:
            stop.set()
            running.add_done_callback(lambda done: _closed(done, produce))
            raise
        if isinstance(item, _End):
            return
        try:
            yield item
        except GeneratorExit:  # whoever asked has left: nothing runs now
            stop.set()
            await asyncio.to_thread(produce.close)
            raise


def _closed(step: asyncio.Future[T | _End], produce: Generator[T, None, None]) -> None:
    """Close what a cancelled caller left behind; its own outcome interests nobody any more."""
    if not step.cancelled():
        step.exception()
    produce.close()
