"""Work that is begun in a process of its own while this one still loads the screen.

The first rows need no screen and the screen needs no rows, so two cores can prepare them at the
same time. Only for work of the standard library, asked for before this process has any thread.
"""

from __future__ import annotations

import os
import pickle
import select
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Generic, TypeVar

if TYPE_CHECKING:
    from timeline.batch import Preview
    from timeline.window import Window

T = TypeVar("T")


class Begun(Generic[T]):
    """Work in a child process; to call it, once, waits for the result."""

    def __init__(self, work: Callable[[], T], child: int, reading: int) -> None:
        self._work = work
        self._child = child
        self._reading = reading

    @property
    def is_there(self) -> bool:
        """Whether the child has answered, so that a call would not wait."""
        return self._reading >= 0 and bool(select.select([self._reading], [], [], 0)[0])

    def __call__(self) -> T:
        if self._reading < 0:
            return self._work()
        with open(self._reading, "rb") as pipe:  # noqa: PTH123  # a descriptor has no path
            told = pipe.read()
        os.waitpid(self._child, 0)
        if not told:
            return self._work()
        answer: T = pickle.loads(told)  # noqa: S301  # written by our own child
        return answer


def begun(work: Callable[[], T]) -> Begun[T]:
    """Start `work` now.

    Where a process cannot be forked, or the child ended without a result, `work` is done by
    whoever asks, so an error is raised there and nowhere else.
    """
    try:
        reading, writing = os.pipe()
        child = os.fork()
    except (AttributeError, OSError):
        return Begun(work, 0, -1)
    if child == 0:
        _answer(work, reading, writing)
    os.close(writing)
    return Begun(work, child, reading)


class FirstRows:
    """Rows nearest T, looked for while the screen loads; for another window, when it is asked."""

    def __init__(self, preview: Callable[[Window], Sequence[Preview]], window: Window) -> None:
        self._preview = preview
        self._window = window
        self._begun = begun(lambda: preview(window))

    def __call__(self, window: Window) -> Sequence[Preview]:
        return self._begun() if window == self._window else self._preview(window)

    def is_there(self, window: Window) -> bool:
        """Whether a call would not wait."""
        return window == self._window and self._begun.is_there


def _answer(work: Callable[[], object], reading: int, writing: int) -> None:
    """The child: one result into the pipe, or nothing, and out without any clean-up."""
    status = 1
    try:
        os.close(reading)
        with open(writing, "wb") as pipe:
            pipe.write(pickle.dumps(work()))
        status = 0
    finally:
        os._exit(status)
