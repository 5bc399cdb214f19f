"""Where to look closely in a window that is too large to be read: pure, from counts alone.

The neighbourhood of T, of the bar in which errors first stand out and of the highest one, and both
ends of the window. A wrong guess costs rows and nothing else: no claim rests on it.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from connectors.elasticsearch.counting import Bar
from connectors.elasticsearch.queries import Stretch
from timeline.event import SEVERITY_ERROR, SEVERITY_WARN
from timeline.standing_out import first_standing_out

PIN_ROWS = 2_000
"""Records around T: some ten screens either way, and what was in flight at that moment."""
END_ROWS = 100
"""Records at each end of the window: how far the log reaches is read, not guessed."""
LEAST_CLOSE_ROWS = 4_000
CLOSE_SHARE = 0.015
"""Share of the window's records that may travel because errors stood out near them: with T and the
severe ones it stays below one in twenty."""
CLOSE_BUDGET = 0.5
"""And at most this share of the rows allowed: warnings and worse of the rest come after them."""
MARGIN_MS = 3_000
"""Read beside bars that stand out: what was under way when the first error was written began
earlier, by the seconds that clients wait."""
FOLD = 2
"""A bar belongs to the trouble while it holds this multiple of the usual number of errors."""
MOST_BARS = 12
"""Bars of one trouble that are read from its beginning; the rest shows in counts and errors."""


@dataclass(frozen=True, slots=True)
class Place:
    """Read outwards from `at` (ms) inside `stretch` until it ends or `rows` have travelled."""

    at: int
    stretch: Stretch
    rows: int


def around(pin: int, window: Stretch, rows: int) -> Place:
    """The neighbourhood of T, which needs no counts."""
    middle = min(max(pin, window.start), window.end)
    return Place(middle, window, max(1, min(PIN_ROWS, rows // 5)))


def places(bars: Sequence[Bar], window: Stretch, rows: int) -> list[Place]:
    """The further places to read in full, the most urgent first."""
    found: list[Place] = []
    troubles = _troubles(bars)
    total = sum(bar.total for bar in bars)
    close = min(rows * CLOSE_BUDGET, max(LEAST_CLOSE_ROWS, total * CLOSE_SHARE))
    for first, last in troubles:
        stretch = Stretch(
            max(bars[first].stretch.start - MARGIN_MS, window.start),
            min(bars[last].stretch.end + MARGIN_MS, window.end),
        )
        found.append(Place(bars[first].stretch.start, stretch, int(close / len(troubles))))
    few = max(1, min(END_ROWS, rows // 50))
    ends = [Place(window.start, window, few), Place(window.end, window, few)]
    return [*found, *ends]


def onset(bars: Sequence[Bar]) -> int | None:
    """Where (ms) severe records are read from outwards; None when no bar stands out."""
    troubles = _troubles(bars)
    return bars[troubles[0][0]].stretch.start if troubles else None


def _troubles(bars: Sequence[Bar]) -> list[tuple[int, int]]:
    """First and last bar of what stands out: where it first does, and where it is worst."""
    least = SEVERITY_ERROR if any(bar.above(SEVERITY_ERROR) for bar in bars) else SEVERITY_WARN
    heights = [bar.above(least) for bar in bars]
    if not any(heights):
        return []
    usual = sorted(heights)[len(heights) // 2]
    worst = max(range(len(heights)), key=heights.__getitem__)
    first = first_standing_out(heights)
    found: list[tuple[int, int]] = []
    for index in dict.fromkeys([worst if first is None else first, worst]):
        low, high = _extent(heights, index, max(1, math.ceil(usual * FOLD)))
        low = max(low, index - MOST_BARS // 2)
        high = min(high, low + MOST_BARS - 1)
        if not any(low <= other_high and other_low <= high for other_low, other_high in found):
            found.append((low, high))
    return found


def _extent(heights: Sequence[int], index: int, least: int) -> tuple[int, int]:
    low = high = index
    while low > 0 and heights[low - 1] >= least:
        low -= 1
    while high + 1 < len(heights) and heights[high + 1] >= least:
        high += 1
    return low, high
