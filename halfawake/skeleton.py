"""The first frame, written by hand before the framework of the screen is loaded.

Loading it takes a fifth of a second, in which a terminal would stay as it was; T, what is looked at
and the window are known before. They stand where the screen shows them, so that nothing jumps when
it draws over them. Uses the standard library only, and no text that was not cleaned.
"""

from __future__ import annotations

import signal
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from timeline.clean import clean
from timeline.words import REACHING, age, clock_face, day, window_words

if TYPE_CHECKING:
    from types import FrameType

    from timeline.window import Window

_ENTER = "\x1b[?1049h\x1b[H\x1b[2J"
"""Another page of the terminal, which the framework will use as well, and empty."""
_LEAVE = "\x1b[?1049l"
_ONE_LINE_EACH = "\x1b[?7l", "\x1b[?7h"
"""What is longer than the terminal is wide is cut, not wrapped."""
_BOLD, _PLAIN = "\x1b[1m", "\x1b[0m"


@contextmanager
def skeleton(title: str, window: Window) -> Iterator[None]:
    """Draw it; give the terminal back if what is done meanwhile fails or is ended by SIGTERM."""
    before = signal.signal(signal.SIGTERM, _end)
    _write(_ENTER + _frame(title, window, time.time_ns()))
    try:
        yield
    except BaseException:
        _write(_LEAVE)
        raise
    finally:
        signal.signal(signal.SIGTERM, before)


def _end(number: int, _: FrameType | None) -> None:
    """As shells report it."""
    raise SystemExit(128 + number)


def _frame(title: str, window: Window, now: int) -> str:
    pin = window.pin
    date = "" if day(pin) == day(now) else f"{day(pin)} "
    told = (title, f"T {date}{clock_face(pin)}Z {age(now - pin)}", f"window {window_words(window)}")
    first = clean("   ".join(part for part in told if part))
    cutting, wrapping = _ONE_LINE_EACH
    return f"{cutting} {first}\r\n {_BOLD}{REACHING}{_PLAIN}{wrapping}"


def _write(text: str) -> None:
    """In the letters that the terminal has."""
    sys.stdout.buffer.write(text.encode(sys.stdout.encoding, "replace"))
    sys.stdout.buffer.flush()
