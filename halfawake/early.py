"""Work that is begun in a process of its own while this one still loads the screen.

The first rows need no screen and the screen needs no rows, so two cores can prepare them at the
same time. Only for work of the standard library, asked for before this process has any thread.
"""

from __future__ import annotations

import os
import pickle
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")


def begun(work: Callable[[], T]) -> Callable[[], T]:
    """Start `work` now; the function that is handed back waits for its result.

    Where a process cannot be forked, or the child ended without a result, `work` is done by
    whoever asks, so an error is raised there and nowhere else.
    """
    try:
        reading, writing = os.pipe()
        child = os.fork()
    except (AttributeError, OSError):
        return work
    if child == 0:
        _answer(work, reading, writing)
    os.close(writing)

    def result() -> T:
        with open(reading, "rb") as pipe:  # noqa: PTH123  # a descriptor has no path
            told = pipe.read()
        os.waitpid(child, 0)
        if not told:
            return work()
        answer: T = pickle.loads(told)  # noqa: S301  # written by our own child
        return answer

    return result


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
