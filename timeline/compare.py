"""Two of a kind side by side: jobs, requests, orders or rows, step by step from where each began.

Steps are aligned by what they are (kind, service, shape of the line), never by their stamps; stamps
only tell how long each side took. A side is called slower only where the difference is larger than
what its stamps and clocks leave open. It never says why they differ.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from timeline.compare_attributes import differing
from timeline.compare_sides import Side, side_of
from timeline.compare_steps import Step, aligned

if TYPE_CHECKING:
    from timeline.incident import Incident


@dataclass(frozen=True, slots=True)
class Comparison:
    """`attributes` are (name, values left, values right) of those that differ."""

    left: Side
    right: Side
    steps: tuple[Step, ...]
    attributes: tuple[tuple[str, str, str], ...]
    unseen: tuple[str, ...]
    """What could not be seen of either side, one sentence each."""


def compare(incident: Incident, left: str, right: str) -> Comparison:
    """The two keys side by side. Raises ValueError when one of them has no row, or both are one."""
    if left == right:
        raise ValueError(f"{left} cannot be compared with itself.")
    one, other = side_of(incident, left, beside=right), side_of(incident, right, beside=left)
    return Comparison(
        one,
        other,
        tuple(aligned(one, other, incident.clocks)),
        tuple(differing(one, other)),
        _unseen(incident, one, other),
    )


def _unseen(incident: Incident, *sides: Side) -> tuple[str, ...]:
    names = [source.name for source in incident.sources]
    coverage = incident.snapshot.coverage
    limits = [
        entry
        for side in sides
        for entry in coverage.limits(names, side.began, side.began + side.lasted + 1, key=side.key)
    ]
    return tuple(dict.fromkeys(entry.sentence() for entry in limits))
