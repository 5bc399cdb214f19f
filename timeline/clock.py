"""Whose clock a stamp is, how far it may be off, and the interval the event therefore lies in.

Stamps are never moved. `interval` widens a stamp by the clock's error, by the unit it was written
in, and by what it means (a PostgreSQL `now()` is only a lower bound of the commit). Intervals are
computed when asked, never stored, so that re-grading a clock rewrites nothing.
Source of the default bounds: common practice with NTP in one site (tens of ms) and none (seconds).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field

from timeline.event import Event, Meaning, Precision

MILLISECOND_NS = 1_000_000
FOREVER_NS = 2**63 - 1
"""Stands for an open end: as late as can be."""

EVER_NS = -(2**63)
"""Stands for an open beginning: as early as can be."""

ASSUMED_ERROR_NS = 250 * MILLISECOND_NS
"""Clock error assumed for a host nobody declared or measured: NTP across providers."""


@dataclass(frozen=True, slots=True)
class ClockBound:
    """The true time lies in `[stamp - behind, stamp + ahead]` for stamps of this clock (ns).

    A clock known to run fast has a negative `ahead`, one known to run slow a negative `behind`.
    `how` is `measured`, `declared` or `assumed` and is shown beside every use.
    """

    behind: int = ASSUMED_ERROR_NS
    ahead: int = ASSUMED_ERROR_NS
    how: str = "assumed"

    def __post_init__(self) -> None:
        if self.behind + self.ahead < 0:
            raise ValueError(
                f"a clock bound ends before it begins: -{self.behind}, +{self.ahead} ns"
            )

    def widened(self, by: int) -> ClockBound:
        """The same clock trusted `by` nanoseconds less on either side."""
        return ClockBound(self.behind + by, self.ahead + by, self.how)

    def joined(self, other: ClockBound) -> ClockBound:
        """What allows all that either of the two allows."""
        return ClockBound(max(self.behind, other.behind), max(self.ahead, other.ahead), self.how)

    def shifted(self, by: int, how: str) -> ClockBound:
        """The same uncertainty around a clock that runs `by` ns fast (slow when negative)."""
        return ClockBound(self.behind + by, self.ahead - by, how)

    @property
    def excludes_right(self) -> bool:
        """Whether the clock is known to be wrong: it certainly runs fast, or certainly slow."""
        return self.behind < 0 or self.ahead < 0

    def words(self) -> str:
        """For example `±12 ms measured`, or `1800 ms slow ±12 ms measured` of a wrong clock."""
        if self.excludes_right:
            wrong = (self.behind - self.ahead) / 2 / MILLISECOND_NS
            half = (self.behind + self.ahead) / 2 / MILLISECOND_NS
            return (
                f"{abs(wrong):.0f} ms {'fast' if wrong > 0 else 'slow'} ±{half:.3g} ms {self.how}"
            )
        widest = max(abs(self.behind), abs(self.ahead)) / MILLISECOND_NS
        return f"±{widest:.3g} ms {self.how}"


def is_one_clock(clock: str) -> bool:
    """Whether equal names mean the same clock.

    A name that ends in `?` stands for some host of a group (`client?`: whichever process enqueued
    the job). Two stamps of it may come from two hosts, so they are compared by bounds alone.
    """
    return not clock.endswith("?")


@dataclass(frozen=True, slots=True)
class ClockReading:
    """One probe of a server's clock: offset (server - here) and its bound, in nanoseconds.

    Half the round trip bounds the error (Cristian). It measures the clock now, not at T.
    """

    clock: str
    offset: int
    error: int
    read_at: int


_CONSULTED: ContextVar[set[str] | None] = ContextVar("consulted_clocks", default=None)


@contextmanager
def consulted_clocks() -> Iterator[set[str]]:
    """The names of all clocks whose bound is asked for inside the block, in this thread.

    What never asked for a clock cannot change when that clock becomes known better.
    """
    names: set[str] = set()
    token = _CONSULTED.set(names)
    try:
        yield names
    finally:
        _CONSULTED.reset(token)


@dataclass(frozen=True, slots=True)
class ClockTable:
    """The bound of every named clock; a clock nobody named gets the assumed bound."""

    bounds: Mapping[str, ClockBound] = field(default_factory=dict)
    assumed: ClockBound = ClockBound()

    def bound(self, clock: str) -> ClockBound:
        consulted = _CONSULTED.get()
        if consulted is not None:
            consulted.add(clock)
        return self.bounds.get(clock, self.assumed)

    def knowing(self, better: Mapping[str, ClockBound]) -> ClockTable:
        """The same table with the bounds of some clocks replaced."""
        return ClockTable({**self.bounds, **better}, self.assumed)

    def interval(self, event: Event) -> tuple[int, int]:
        """Earliest and latest instant (ns UTC, inclusive) at which `event` may have happened."""
        return interval(
            event.timestamp, event.meaning, event.precision, self.bound(event.clock or event.source)
        )


def interval(
    timestamp: int, meaning: Meaning, precision: Precision, bound: ClockBound
) -> tuple[int, int]:
    """The asymmetric interval of one stamp; see `Meaning` for why an end may be open.

    A stamp written in a coarse unit was cut off, so the truth lies up to one unit after it.
    """
    earliest = timestamp - bound.behind
    latest = timestamp + bound.ahead + precision.nanoseconds - 1
    if meaning in (Meaning.INGESTED, Meaning.POLLED):
        earliest = EVER_NS
    if meaning is Meaning.TRANSACTION_START:
        latest = FOREVER_NS
    return max(earliest, EVER_NS), min(latest, FOREVER_NS)


DRIFT_PER_S_NS = 50_000
"""50 ppm: how fast an unsynchronised quartz walks away, so how stale a reading becomes."""


def bound_from(reading: ClockReading, at: int) -> ClockBound:
    """The bound of a clock that was read once, for stamps near `at` (ns UTC).

    The offset is kept inside the bound instead of being subtracted from any stamp. The reading is
    valid for `at` only if the clock was not stepped since; drift widens it by the time between.
    """
    drift = abs(reading.read_at - at) * DRIFT_PER_S_NS // 1_000_000_000
    error = reading.error + drift
    return ClockBound(reading.offset + error, error - reading.offset, "measured")
