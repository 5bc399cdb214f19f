"""How far a server's clock is from ours, with a bound that holds without trusting the network.

Each sample brackets one reading of the server between two readings of the local clock; the true
offset lies somewhere inside, however lopsided the two directions were (Cristian 1989). All
samples must agree, so their intervals are intersected.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from timeline.clock import ClockReading

SAMPLES = 9
"""Readings per probe: on a warm connection the best of nine is close to the shortest round trip."""


@dataclass(frozen=True, slots=True)
class ClockSample:
    """One exchange, in ns UTC: local clock before and after, and what the server said between.

    `unit` is the resolution of the server's answer in nanoseconds.
    """

    before: int
    server: int
    after: int
    unit: int = 1_000


def reading_from(clock: str, samples: Iterable[ClockSample]) -> ClockReading:
    """The offset (server minus here) that all samples allow. Raises ValueError for no sample.

    When the samples contradict each other (a clock stepped while it was read), the bound is
    widened to hold all of them instead of pretending to know.
    """
    taken = list(samples)
    if not taken:
        raise ValueError("a clock reading needs at least one sample")
    lowest = [sample.server - sample.after for sample in taken]
    highest = [sample.server + sample.unit - sample.before for sample in taken]
    low, high = max(lowest), min(highest)
    if low > high:
        low, high = min(lowest), max(highest)
    offset = (low + high) // 2
    return ClockReading(clock, offset, max(high - offset, offset - low), taken[-1].after)
