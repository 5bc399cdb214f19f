"""Who gets a column of a sequence diagram: the same choice on screen and on paper.

Pure. An actor is whatever names the caller compares it by; nothing here draws.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Sequence
from typing import TypeVar

A = TypeVar("A", bound=Hashable)


def columns(acted: Sequence[A], most: int) -> tuple[list[A], list[A]]:
    """Actors in the order of their first step, and those that share the last column.

    Of more than `most` the busiest keep a column of their own; `most` counts the shared one.
    """
    order = list(dict.fromkeys(acted))
    if len(order) <= most:
        return order, []
    counts = Counter(acted)
    busiest = sorted(order, key=lambda actor: (-counts[actor], order.index(actor)))
    chosen = set(busiest[: most - 1])
    return [a for a in order if a in chosen], [a for a in order if a not in chosen]
