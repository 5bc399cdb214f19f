"""What a person means by a note typed over an open window: its text and its instant.

`paused mailers` is noted now; `@02:13 paused mailers`, `@-6m …`, `@10m ago …` at that instant. Pure
and standard library only. A time that could be two instants is refused with both, never guessed.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from datetime import UTC, tzinfo

from timeline.jump import instant_of, told
from timeline.pin import AHEAD_ALLOWED_NS, Pin, PinProblem, parse_pin
from timeline.window import Window

SIGN = "@"
MOST_WORDS = 3
"""Of a time: `2026-03-14 02:13 +01:00`."""
REPAIR_NS = 12 * 3_600 * 1_000_000_000
"""A time of day behind the window's end is of the hours of repair, as long as they last; farther
ahead each time of day would come twice."""
SECONDS = re.compile(
    r":[0-9]{2}:[0-9]{2}|[0-9] ?(ms|s|secs?|seconds?)\b|^[0-9]{9,20}(\.[0-9]+)?$|^now$"
)
"""A time that was given to the second; any other is told to the minute."""


@dataclass(frozen=True, slots=True)
class Meant:
    """One note: when (ns UTC), what, and how the time was understood, in words."""

    at: int
    text: str
    words: str
    to_the_second: bool


def note_meant(typed: str, window: Window, now: int, zone: tzinfo | None = None) -> Meant:
    """Understand `typed`. Raises `PinProblem` with one sentence: no text, no time, or two."""
    words = typed.split()
    if not words:
        raise PinProblem("Say what was done or seen; @02:13 before it says when.")
    if not words[0].startswith(SIGN) or words[0] == SIGN:
        return Meant(now, " ".join(words), f"now, {told(now, window.pin)}", to_the_second=True)
    words[0] = words[0].removeprefix(SIGN)
    at, said, used = _instant(words, window, now, zone)
    if at > now + AHEAD_ALLOWED_NS:
        raise PinProblem(f"{' '.join(words[:used])} has not come yet; a note tells what happened.")
    text = " ".join(words[used:])
    if not text:
        raise PinProblem(f"{said}: now say what was done or seen then.")
    asked = " ".join(words[:used]).lower()
    return Meant(at, text, said, to_the_second=bool(SECONDS.search(asked)))


def _instant(
    words: list[str], window: Window, now: int, zone: tzinfo | None
) -> tuple[int, str, int]:
    """The instant, how it was understood, and how many words said it; the longest reading wins."""
    for count in range(min(MOST_WORDS, len(words)), 1, -1):
        try:
            return *_read(" ".join(words[:count]), window, now, zone), count
        except PinProblem:
            continue
    return *_read(words[0], window, now, zone), 1


def _read(asked: str, window: Window, now: int, zone: tzinfo | None) -> tuple[int, str]:
    if asked.lower() == "now" or asked.lower().endswith(" ago"):
        meant = parse_pin(asked, now_ns=now, zone=zone or UTC)
        if isinstance(meant, Pin):
            return meant.ns, told(meant.ns, window.pin)
    until = max(window.end, min(now, window.end + REPAIR_NS))
    instant = instant_of(asked, replace(window, end=until), zone)
    return instant.at, instant.words
