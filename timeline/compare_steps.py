"""The steps of two sides beside each other, and who took longer from one to the next.

Equal steps are of one kind, one service and one shape; stamps never decide what is equal.
"""

from __future__ import annotations

from dataclasses import dataclass
from difflib import SequenceMatcher
from enum import StrEnum
from typing import TYPE_CHECKING, NamedTuple

import polars as pl

from timeline.clock import is_one_clock
from timeline.compare_sides import Side, own_values
from timeline.event import Event, Meaning, intrinsic_seq
from timeline.line_shapes import line_shape
from timeline.templates import HOLE, service_of
from timeline.window import SECOND_NS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from timeline.clock import ClockTable

SLOWER = 3.0
"""Times as long from which a step is called slower."""
SLOWER_BY_NS = SECOND_NS // 100
"""And by at least this much: below 10 ms a person would not notice."""
SHORTEST_NS = SECOND_NS // 1_000
"""A shorter step is taken for this long, so that no ratio is made of nothing."""

_OPEN = (Meaning.INGESTED, Meaning.POLLED, Meaning.TRANSACTION_START)
"""Stamps that bound their event on one side only: no length can be measured with them."""


class Mark(StrEnum):
    """How the two sides stand to each other in one step."""

    SAME = "same"
    LEFT = "only left"
    RIGHT = "only right"
    OTHERWISE = "differs"
    """Both sides have a step here, of the same service, that says something else."""
    MOVED = "elsewhere"
    """The other side has this step as well, at another place."""
    LEFT_SLOWER = "left slower"
    RIGHT_SLOWER = "right slower"


@dataclass(frozen=True, slots=True)
class Step:
    """A row of either side or of both; `took` is how long each side took since the equal step
    before, ns, where one was slower."""

    mark: Mark
    left: Event | None
    right: Event | None
    took: tuple[int, int] = (0, 0)

    @property
    def times(self) -> float:
        """How many times as long the slower side took; one of no length is taken for 1 ms."""
        return max(self.took) / max(min(self.took), SHORTEST_NS)


def aligned(one: Side, other: Side, clocks: ClockTable) -> Iterator[Step]:
    """Both sides in their own order, equal steps beside each other."""
    (left, lefts), (right, rights) = _in_order(one), _in_order(other)
    matcher = SequenceMatcher(None, left, right, autojunk=False)
    alone_left, alone_right = _alone(matcher, len(left), len(right))
    elsewhere = {left[i] for i in alone_left} & {right[j] for j in alone_right}
    before: tuple[Event, Event] | None = None
    for tag, i, i_end, j, j_end in matcher.get_opcodes():
        first, second = range(i, i_end), range(j, j_end)
        if tag == "equal":
            for a, b in zip(first, second, strict=True):
                pair = lefts[a], rights[b]
                yield _paired(pair, before, clocks)
                before = pair
        elif _otherwise(left, right, first, second, elsewhere):
            for a, b in zip(first, second, strict=True):
                yield Step(Mark.OTHERWISE, lefts[a], rights[b])
        else:
            for a in first:
                mark = Mark.MOVED if left[a] in elsewhere else Mark.LEFT
                yield Step(mark, lefts[a], None)
            for b in second:
                mark = Mark.MOVED if right[b] in elsewhere else Mark.RIGHT
                yield Step(mark, None, rights[b])


class _Signature(NamedTuple):
    """What a step is, the same on both sides."""

    lane: str
    service: str
    what: str


def _in_order(side: Side) -> tuple[list[_Signature], list[Event]]:
    """The steps in time order. Where equal stamps of a source without an order of its own leave
    the order open, it is the same on both sides."""
    told = list(zip(_signatures(side), side.events, strict=True))
    told.sort(key=lambda pair: (pair[1].timestamp, *_tie(*pair)))
    return [signature for signature, _ in told], [event for _, event in told]


def _tie(signature: _Signature, event: Event) -> tuple[bool, tuple[str, ...]]:
    open_order = event.seq == intrinsic_seq(event.ref)
    return open_order, signature if open_order else ()


def _signatures(side: Side) -> list[_Signature]:
    """The step of every event: its kind and shape, without the values of the side's own keys."""
    holes = own_values(side)
    bodies = [holes.sub(HOLE, event.body) for event in side.events]
    told = pl.DataFrame({"body": bodies, "actor": [event.actor for event in side.events]})
    told = told.select(line_shape(pl.col("body")), service_of(pl.col("actor")))
    return [
        _Signature(event.lane, service, f"{event.kind} {shape}")
        for event, (shape, service) in zip(side.events, told.iter_rows(), strict=True)
    ]


def _alone(
    matcher: SequenceMatcher[_Signature], left: int, right: int
) -> tuple[set[int], set[int]]:
    """Places of both sides that have no equal beside them."""
    alone_left, alone_right = set(range(left)), set(range(right))
    for block in matcher.get_matching_blocks():
        alone_left -= set(range(block.a, block.a + block.size))
        alone_right -= set(range(block.b, block.b + block.size))
    return alone_left, alone_right


def _otherwise(
    left: list[_Signature],
    right: list[_Signature],
    first: range,
    second: range,
    elsewhere: set[_Signature],
) -> bool:
    """Whether as many steps of the same services stand here on both sides, saying other things."""
    places = [(left[a], right[b]) for a, b in zip(first, second, strict=False)]
    return len(first) == len(second) and all(
        a[:2] == b[:2] and a not in elsewhere and b not in elsewhere for a, b in places
    )


def _paired(
    pair: tuple[Event, Event], before: tuple[Event, Event] | None, clocks: ClockTable
) -> Step:
    """An equal step, with who came to it more slowly from the equal step before."""
    if before is None:
        return Step(Mark.SAME, *pair)
    took = pair[0].timestamp - before[0].timestamp, pair[1].timestamp - before[1].timestamp
    slack = [_slack(then, now, clocks) for now, then in zip(pair, before, strict=True)]
    step = Step(Mark.LEFT_SLOWER if took[0] > took[1] else Mark.RIGHT_SLOWER, *pair, took)
    least = max(sum(part for part in slack if part is not None) + 1, SLOWER_BY_NS)
    if None in slack or abs(took[0] - took[1]) < least or step.times < SLOWER:
        return Step(Mark.SAME, *pair)
    return step


def _slack(first: Event, second: Event, clocks: ClockTable) -> int | None:
    """How far the length between two stamps may be off, ns; None when nothing bounds it."""
    if first.meaning in _OPEN or second.meaning in _OPEN:
        return None
    units = first.precision.nanoseconds + second.precision.nanoseconds
    clock, other = first.clock or first.source, second.clock or second.source
    if clock == other and is_one_clock(clock):
        return units
    bounds = clocks.bound(clock), clocks.bound(other)
    return units + sum(bound.behind + bound.ahead for bound in bounds)
