"""How fast things came and went: counts over a stretch, with the interval that the count allows.

Pure arithmetic. A rate without its interval would make 3 jobs in a minute look like knowledge.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from timeline.facts.words import length

SECOND_NS = 1_000_000_000
MINUTE_NS = 60 * SECOND_NS
Z95 = 1.96
"""Half width of a 95 % interval in standard deviations; the standard deviation of a count of
independent arrivals is its square root (Poisson)."""
NOTHING_SEEN = 3.0
"""Upper 95 % bound of a count of which none was seen (the rule of three)."""
LONG_NS = 48 * 60 * MINUTE_NS
"""A backlog that needs longer than two days to drain is as good as standing still."""


@dataclass(frozen=True, slots=True)
class Rate:
    """`count` in `span` ns, per minute, with the 95 % interval of the true rate."""

    count: int
    span: int
    per_minute: float
    low: float
    high: float

    def words(self) -> str:
        """`41 (35 to 47) per minute`; the interval only where it is not the figure itself."""
        figure = plain(self.per_minute)
        low, high = plain(self.low), plain(self.high)
        between = "" if low == figure == high else f" ({low} to {high})"
        return f"{figure}{between} per minute"


def rate_of(count: int, span: int) -> Rate:
    """The rate of `count` events in `span` ns. Raises ValueError for a span without length."""
    if span <= 0:
        raise ValueError("a rate needs a stretch of time")
    minutes = span / MINUTE_NS
    half = Z95 * math.sqrt(count)
    high = (count + half) if count else NOTHING_SEEN
    return Rate(count, span, count / minutes, max(count - half, 0.0) / minutes, high / minutes)


@dataclass(frozen=True, slots=True)
class Drain:
    """How long a backlog needs until it is empty, ns: at best and at worst.

    `soonest` is None when it does not drain even at the favourable ends of both intervals,
    `latest` when it may not drain at the unfavourable ends.
    """

    soonest: int | None
    latest: int | None

    def words(self) -> str:
        if self.soonest is None:
            return "it does not drain at this pace"
        if self.latest is None:
            return f"it drains in {about(self.soonest)} at the soonest, or not at all"
        soon, late = about(self.soonest), about(self.latest)
        return f"it drains in about {soon}" if soon == late else f"it drains in {soon} to {late}"


def drain_of(depth: int, arrivals: Rate, completions: Rate) -> Drain:
    """Drain time of `depth` jobs when both rates go on as counted (Little's law needs no more)."""
    if not completions.count:
        return Drain(None, None)
    soonest = _emptied(depth, completions.high - arrivals.low)
    latest = _emptied(depth, completions.low - arrivals.high)
    return Drain(soonest, latest)


def _emptied(depth: int, net_per_minute: float) -> int | None:
    if net_per_minute <= 0:
        return None
    needed = int(depth / net_per_minute * MINUTE_NS)
    return needed if needed <= LONG_NS else None


def about(nanoseconds: int) -> str:
    """A length as an estimate deserves it: whole minutes from one minute on."""
    if nanoseconds < MINUTE_NS:
        return length(-(-nanoseconds // SECOND_NS) * SECOND_NS)
    hours, minutes = divmod(round(nanoseconds / MINUTE_NS), 60)
    if not hours:
        return f"{minutes} min"
    return f"{hours} h {minutes} min" if minutes else f"{hours} h"


def plain(figure: float) -> str:
    """`0.4`, `41`, `1200`: one decimal below ten."""
    return f"{figure:.1f}".removesuffix(".0") if figure < 10 else f"{figure:.0f}"
