"""Which of a row of counts stands out from all before it; plain standard library.

Shared by whoever looks for a beginning: in events that were read, or in counts of those that were
not.
"""

from __future__ import annotations

from collections.abc import Iterable

MIN_BEFORE = 19
"""Quiet buckets that must come first: rank 1 among 19 is a false alarm in at most 1 of 20."""
FOLD = 2
MIN_ERRORS = 5
"""A bucket stands out with this many errors and `FOLD` times the highest bucket before it."""


def first_standing_out(counts: Iterable[int]) -> int | None:
    """Index of the first count that stands out, or None."""
    highest = 0
    for index, count in enumerate(counts):
        if index >= MIN_BEFORE and count >= MIN_ERRORS and count >= FOLD * max(highest, 1):
            return index
        highest = max(highest, count)
    return None
