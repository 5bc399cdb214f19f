"""Difference constraints `x(second) - x(first) <= most`: whether they can hold, and how tightly.

Each is an edge of a graph. Shortest paths from a node bound every other, and a cycle of negative
length cannot hold (Bellman and Ford). Pure arithmetic over names; it knows no clocks.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeAlias

Constraint: TypeAlias = tuple[str, str, int]
"""(first, second, most)."""


def distances(constraints: Sequence[Constraint], start: str) -> dict[str, int] | None:
    """The most that `x(name) - x(start)` can be, for every name that is bounded.

    None when a cycle that can be reached cannot hold.
    """
    nodes = {node for first, second, _ in constraints for node in (first, second)}
    far = {start: 0}
    for _ in range(len(nodes) + 1):
        changed = False
        for first, second, most in constraints:
            if first in far and (second not in far or far[first] + most < far[second]):
                far[second] = far[first] + most
                changed = True
        if not changed:
            return far
    return None


def reversed_(constraints: Sequence[Constraint]) -> list[Constraint]:
    """The same constraints seen from their ends: distances then bound `x(start) - x(name)`."""
    return [(second, first, most) for first, second, most in constraints]


def negative_cycle(constraints: Sequence[Constraint]) -> list[tuple[str, str]]:
    """The (first, second) pairs of a cycle that cannot hold, one of them if there are several.

    Empty when all constraints can hold together.
    """
    nodes = sorted({node for first, second, _ in constraints for node in (first, second)})
    far = dict.fromkeys(nodes, 0)
    came: dict[str, str] = {}
    last = ""
    for _ in range(len(nodes) + 1):
        changed = False
        for first, second, most in constraints:
            if far[first] + most < far[second]:
                far[second], came[second] = far[first] + most, first
                last, changed = second, True
        if not changed:
            return []
    for _ in nodes:  # back into the cycle itself
        last = came[last]
    cycle, node = [(came[last], last)], came[last]
    while node != last:
        cycle.append((came[node], node))
        node = came[node]
    return cycle
