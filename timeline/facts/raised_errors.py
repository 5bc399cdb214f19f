"""A service whose errors rose after its own change, however slowly they come.

A path that fails for everybody who takes it, and few do, stands out in no minute; nor does it among
the errors that others write all night. It does in the errors of one service, counted before and
after one instant. Owns that comparison; whether the instant explains it is for others to say.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import exp, lgamma, log
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import polars as pl

MANY = 10
"""Fewer errors than this after the change are what any service writes in ten minutes."""
FOLD = 5
"""How many times the rate of before: a bursty evening doubles a rate, or triples it."""
BEYOND_CHANCE = 1_000
"""So many, at that fold, need no reckoning."""
CHANCE = 1e-4
"""Of so many errors falling after the instant by chance, were the rate as before (binomial)."""
MIN_BEFORE_NS = 5 * 60 * 1_000_000_000
"""What was read of a shorter time before tells of no usual rate."""


@dataclass(frozen=True, slots=True)
class Raised:
    """Errors of one service around an instant: `count` after it, from `first` (ns) on, and
    `earlier` in all the time that was read before."""

    first: int
    count: int
    earlier: int


def raised_after(stamps: pl.Series, since: int, at: int, until: int) -> Raised | None:
    """Whether the errors at `stamps` (ns, ascending) rose after `at`: those from `at` to `until`
    against those from `since` to `at`. None where they did not, or where too little was read."""
    before_span, after_span = at - since, until - at
    if before_span < MIN_BEFORE_NS or after_span <= 0:
        return None
    earlier = int(stamps.is_between(since, at, "left").sum())
    later = stamps.filter(stamps.is_between(at, until, "left"))
    if later.len() < MANY or later.len() * before_span < FOLD * max(earlier, 1) * after_span:
        return None
    share = after_span / (after_span + before_span)
    if (
        later.len() < BEYOND_CHANCE
        and _at_least(later.len(), later.len() + earlier, share) > CHANCE
    ):
        return None
    return Raised(int(later[0]), later.len(), earlier)


def _at_least(hits: int, of: int, share: float) -> float:
    """The chance of `hits` or more among `of` draws that each hit with `share`."""
    return sum(
        exp(
            lgamma(of + 1)
            - lgamma(n + 1)
            - lgamma(of - n + 1)
            + n * log(share)
            + (of - n) * log(1 - share)
        )
        for n in range(hits, of + 1)
    )
