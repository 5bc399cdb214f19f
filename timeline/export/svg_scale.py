"""From instants to places on the picture, and the round instants that its axis names."""

from __future__ import annotations

from dataclasses import dataclass

from timeline.event import Precision
from timeline.window import MINUTE_NS, SECOND_NS
from timeline.words import DAY_NS, HOUR_NS, day, wall_time

LEFT = 190
RIGHT = 970
WIDTH = 1200
"""Of the picture; the names stand left of the plot and the figures right of it."""
MOST_TICKS = 9
"""Times on the axis: with seconds they are 60 points wide, and need air between them."""

_STEPS = (
    *(scale * unit for unit in (10**n for n in range(9)) for scale in (1, 2, 5)),
    *(n * SECOND_NS for n in (1, 2, 5, 10, 15, 30)),
    *(n * MINUTE_NS for n in (1, 2, 5, 10, 15, 30)),
    *(n * HOUR_NS for n in (1, 2, 3, 6, 12)),
)


@dataclass(frozen=True, slots=True)
class Scale:
    """The plot from `start` to `end`, ns UTC."""

    start: int
    end: int

    def x(self, timestamp: int) -> float:
        """Where an instant stands; the edge when it lies outside the window."""
        inside = min(max(timestamp, self.start), self.end)
        return LEFT + (inside - self.start) * (RIGHT - LEFT) / (self.end - self.start)

    def shows(self, timestamp: int) -> bool:
        return self.start <= timestamp <= self.end

    def ticks(self) -> list[tuple[int, str]]:
        """Round instants (ns) with their time of day; the first and each new day with its date."""
        length = self.end - self.start
        days = -(-length // (MOST_TICKS * DAY_NS)) * DAY_NS
        step = next((size for size in _STEPS if length // size < MOST_TICKS), days)
        first = -(-self.start // step) * step
        ticks: list[tuple[int, str]] = []
        shown = ""
        for instant in range(first, self.end + 1, step):
            date = day(instant)
            words = wall_time(instant, _unit(step))
            ticks.append((instant, words if date == shown else f"{date} {words}"))
            shown = date
        return ticks


def _unit(step: int) -> Precision:
    """The coarsest unit that still tells neighbouring ticks apart."""
    for unit in (Precision.MINUTE, Precision.SECOND, Precision.MILLISECOND, Precision.MICROSECOND):
        if step % unit.nanoseconds == 0:
            return unit
    return Precision.NANOSECOND
