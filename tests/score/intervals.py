"""Bounds for shares and rates, so that no number stands without what it is worth."""

from __future__ import annotations

import math
from collections.abc import Sequence

Z = 1.96
"""95 %."""
RULE_OF_THREE = 3.0
"""Nothing in n windows means at most 3/n, with 95 % confidence (Hanley and Lippman-Hand, 1983)."""


def wilson(hits: int, of: int) -> tuple[float, float]:
    """95 % interval of a share (Wilson, 1927); (0, 1) when nothing was counted."""
    if not of:
        return 0.0, 1.0
    share, square = hits / of, Z * Z
    middle = (share + square / (2 * of)) / (1 + square / of)
    half = Z / (1 + square / of) * math.sqrt(share * (1 - share) / of + square / (4 * of * of))
    return max(0.0, middle - half), min(1.0, middle + half)


def upper_rate(events: int, windows: int) -> float:
    """Upper 95 % bound of events per window: three over n for none, else Poisson's.

    The Poisson bound is Wilson and Hilferty's approximation (1931).
    """
    if not windows:
        return math.inf
    if not events:
        return RULE_OF_THREE / windows
    n = events + 1
    return n * (1 - 1 / (9 * n) + 1.645 / (3 * math.sqrt(n))) ** 3 / windows


def quantile(values: Sequence[float], share: float) -> float | None:
    """The value that `share` of `values` does not exceed; None of nothing."""
    if not values:
        return None
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, math.ceil(share * len(ordered)) - 1)]
