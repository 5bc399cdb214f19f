"""Which of two events came first, and how sure that is: certain, likely or possible.

After Stoller (WDAG 1997): with bounded clocks one event *definitely* precedes another when their
intervals are disjoint, otherwise it only possibly does. Causal edges (an id that had to exist
before it was sent, a request before its response) are consulted before any clock, and a shared
clock and sequence before bounds. Never moves a stamp.
"""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import TypeAlias

from timeline.clock import MILLISECOND_NS, ClockBound, ClockTable, interval, is_one_clock
from timeline.event import Event, Kind, Meaning, intrinsic_seq
from timeline.words import span_words

LIKELY_TENTHS = 9
"""`likely` is said when at least nine of ten draws order the events so, both clock errors drawn
evenly from their bounds. The even law is a convention, so the figure is never printed."""

SAME_CLOCK_GAP_NS = 2_000_000
"""Buffered multi-threaded loggers swap neighbouring lines; closer stamps need the sequence."""

LEAST_WITHIN_NS = MILLISECOND_NS
"""No reading over a network knows a clock better than this, so nobody is sent to look for it."""

_ITSELF = ClockBound(0, 0, "the same clock")
_WRITTEN_IN_SEQUENCE = frozenset(
    {Meaning.OCCURRED, Meaning.SENT, Meaning.COMMITTED, Meaning.INGESTED}
)
_OPEN_END = frozenset({Meaning.TRANSACTION_START})
_OPEN_BEGINNING = frozenset({Meaning.INGESTED, Meaning.POLLED})


class Verdict(StrEnum):
    """How sure a claim is. Three words only; a percentage would pretend to more."""

    CERTAIN = "certain"
    """Exact ids, certain order, and every absence covered by a source that was looking."""
    LIKELY = "likely"
    """One likely order, one inferred join, or one statistic that beats all its placebos."""
    POSSIBLE = "possible"
    """At least one order undecided or one absence that nobody could have seen."""


_RANK = {Verdict.CERTAIN: 0, Verdict.LIKELY: 1, Verdict.POSSIBLE: 2}


def weakest(verdicts: Iterable[Verdict]) -> Verdict:
    """The verdict of a chain: that of its weakest link; certain for an empty chain."""
    return max(verdicts, key=_RANK.__getitem__, default=Verdict.CERTAIN)


def at_least(verdict: Verdict, floor: Verdict) -> bool:
    """Whether `verdict` is as strong as `floor` or stronger."""
    return _RANK[verdict] <= _RANK[floor]


@dataclass(frozen=True, slots=True)
class Order:
    """The claim "first came before second", with its certainty and the reason in words.

    `verdict` is None when the records say the opposite for certain.
    """

    verdict: Verdict | None
    because: str
    needs: ClockNeed | None = None
    """What one would have to know about a clock for this order to be certain; None when no bound
    would do, or none is needed."""


@dataclass(frozen=True, slots=True)
class ClockNeed:
    """An order would be certain if each of `clocks` were right to within `within` ns.

    `known` is how well the first of them is known, in words.
    """

    clocks: tuple[str, ...]
    within: int
    known: str

    def sentence(self) -> str:
        names = " and ".join(f"{clock}'s clock" for clock in self.clocks)
        one = len(self.clocks) == 1
        length = f"{self.within / MILLISECOND_NS:.3g} ms"
        return (
            f"It is certain if {names} {'is' if one else 'are'} right to within {length} "
            f"(known to {self.known}): measure {'it' if one else 'them'} with `halfawake check`, "
            f"or declare {'it' if one else 'them'}."
        )


_Node: TypeAlias = tuple[str, str, Kind, int]


def _node(event: Event) -> _Node:
    """One record may tell several events (a job enqueued, then started): kind and stamp count."""
    return (event.source, event.ref, event.kind, event.timestamp)


class CausalEdges:
    """Before-relations that need no clock, closed transitively."""

    def __init__(self) -> None:
        self._after: defaultdict[_Node, dict[_Node, str]] = defaultdict(dict)
        self._events: dict[_Node, Event] = {}

    def add(self, first: Event, second: Event, because: str) -> None:
        """State that `first` had to happen before `second`; `because` is shown in the proof."""
        start, end = _node(first), _node(second)
        self._after[start][end] = because
        self._events[start], self._events[end] = first, second

    def path(self, first: Event, second: Event) -> tuple[str, ...] | None:
        """The reasons of the shortest chain from `first` to `second`, or None if no chain leads."""
        start, goal = _node(first), _node(second)
        return _chain(start, goal, lambda node: self._after.get(node, {}).items())

    def path_with_clocks(
        self, first: Event, second: Event, clocks: ClockTable
    ) -> tuple[str, ...] | None:
        """Like `path`, where a certain order of the clocks may stand between two edges."""
        start, goal = _node(first), _node(second)
        events = self._events | {start: first, goal: second}

        def steps(node: _Node) -> Iterator[tuple[_Node, str]]:
            yield from self._after.get(node, {}).items()
            for entry in (*self._after, goal):
                order = _by_clocks(events[node], events[entry], clocks)
                if order.verdict is Verdict.CERTAIN:
                    yield entry, order.because

        return _chain(start, goal, steps)


def _chain(
    start: _Node, goal: _Node, steps: Callable[[_Node], Iterable[tuple[_Node, str]]]
) -> tuple[str, ...] | None:
    """Reasons along the shortest way from `start` to `goal`, breadth first."""
    frontier: deque[tuple[_Node, tuple[str, ...]]] = deque([(start, ())])
    seen = {start}
    while frontier:
        node, reasons = frontier.popleft()
        for following, because in steps(node):
            if following == goal:
                return (*reasons, because)
            if following not in seen:
                seen.add(following)
                frontier.append((following, (*reasons, because)))
    return None


def before(
    first: Event, second: Event, clocks: ClockTable, edges: CausalEdges | None = None
) -> Order:
    """How sure it is that `first` happened before `second`.

    Never certain both ways: where causes contradict each other the order is only possible.
    """
    if _node(first) == _node(second):
        return Order(None, "it is the same record")
    if edges is None:
        return _by_clocks(first, second, clocks)
    causal = _one_way(edges.path(first, second), edges.path(second, first))
    if causal is not None:
        return causal
    onward = edges.path_with_clocks(first, second, clocks)
    back = edges.path_with_clocks(second, first, clocks)
    return _one_way(onward, back) or _by_clocks(first, second, clocks)


def _one_way(onward: tuple[str, ...] | None, back: tuple[str, ...] | None) -> Order | None:
    if onward is not None and back is not None:
        return Order(Verdict.POSSIBLE, "the records contradict each other about the order")
    if onward is not None:
        return Order(Verdict.CERTAIN, "; ".join(onward))
    if back is not None:
        return Order(None, "the other way round: " + "; ".join(back))
    return None


def _by_clocks(first: Event, second: Event, clocks: ClockTable) -> Order:
    clock = first.clock or first.source
    if clock == (second.clock or second.source) and is_one_clock(clock):
        return _same_clock(first, second, clock)
    return _by_intervals(first, second, clocks)


def _same_clock(first: Event, second: Event, clock: str) -> Order:
    """Two readings of one clock: its error is common to both and drops out."""
    first_earliest, first_latest = _interval(first, _ITSELF)
    second_earliest, second_latest = _interval(second, _ITSELF)
    gap = second.timestamp - first.timestamp
    if first_latest < second_earliest and gap >= SAME_CLOCK_GAP_NS:
        return Order(Verdict.CERTAIN, f"one clock ({clock}), {span_words(gap)} apart")
    if second_latest < first_earliest and -gap >= SAME_CLOCK_GAP_NS:
        return Order(None, f"one clock ({clock}) says the opposite")
    if _written_in_sequence(first, second):
        if first.seq < second.seq:
            return Order(Verdict.LIKELY, f"one clock ({clock}), in the order they were written")
        return Order(Verdict.POSSIBLE, f"one clock ({clock}), written the other way round")
    return Order(Verdict.POSSIBLE, f"one clock ({clock}), too close to tell apart")


def _written_in_sequence(first: Event, second: Event) -> bool:
    """Whether `seq` says in which order one writer wrote the two records."""
    return (
        (first.source, first.actor, first.meaning) == (second.source, second.actor, second.meaning)
        and first.meaning in _WRITTEN_IN_SEQUENCE
        and first.seq != second.seq
        and not any(event.seq == intrinsic_seq(event.ref) for event in (first, second))
    )


def _by_intervals(first: Event, second: Event, clocks: ClockTable) -> Order:
    first_earliest, first_latest = clocks.interval(first)
    second_earliest, second_latest = clocks.interval(second)
    if first_latest < second_earliest:
        return Order(Verdict.CERTAIN, "the two intervals do not touch")
    if second_latest < first_earliest:
        return Order(None, "the two intervals say the opposite")
    gap = (second.timestamp - first.timestamp) / 1e6
    bounds = [clocks.bound(event.clock or event.source) for event in (first, second)]
    words = " and ".join(bound.words() for bound in bounds)
    needs = _needs(first, second, *bounds)
    if _likely(first, second, *bounds):
        return Order(Verdict.LIKELY, f"{gap:.0f} ms apart, clocks {words}", needs)
    because = f"{gap:.0f} ms apart is inside the clock bounds ({words})"
    return Order(Verdict.POSSIBLE, because, needs)


def _needs(first: Event, second: Event, one: ClockBound, other: ClockBound) -> ClockNeed | None:
    """How well the clocks would have to be known for disjoint intervals.

    The clock that is known worse is asked for alone; both, when it alone would not do. A stamp
    that is open on the side of the claim, or a unit as long as the gap, cannot be helped.
    """
    if first.meaning in _OPEN_END or second.meaning in _OPEN_BEGINNING:
        return None
    if one.excludes_right or other.excludes_right:
        return None
    room = second.timestamp - first.timestamp - first.precision.nanoseconds
    names = [event.clock or event.source for event in (first, second)]
    errors = [one.ahead, other.behind]
    worse = 0 if (errors[0], names[0]) > (errors[1], names[1]) else 1
    within = room - max(errors[1 - worse], 0)
    clocks: tuple[str, ...] = (names[worse],)
    if names[0] == names[1] or within < LEAST_WITHIN_NS:
        within, clocks = room // 2, tuple(dict.fromkeys((names[worse], names[1 - worse])))
    if within < LEAST_WITHIN_NS or not all(is_one_clock(name) for name in clocks):
        return None
    known = (one, other)[worse].words()
    return ClockNeed(clocks, within, known)


def _likely(first: Event, second: Event, one: ClockBound, other: ClockBound) -> bool:
    """Whether P(first < second) reaches `LIKELY_TENTHS`, all lengths doubled to stay whole.

    An end that is open against the claim makes it unlikely to be shown; one that is open in its
    favour is not counted, nor is the cut-off unit of the second stamp.
    """
    if first.meaning in _OPEN_END or second.meaning in _OPEN_BEGINNING:
        return False
    unit = first.precision.nanoseconds - 1
    gap = (
        2 * (second.timestamp - first.timestamp)
        + (other.ahead - other.behind)
        - (one.ahead - one.behind)
        - unit
    )
    x = max(one.behind + one.ahead + unit, 1)
    y = max(other.behind + other.ahead, 1)
    ordered = (
        _square(gap + x + y) - _square(gap + x - y) - _square(gap - x + y) + _square(gap - x - y)
    )
    return 10 * ordered >= LIKELY_TENTHS * 8 * x * y


def _square(length: int) -> int:
    return max(length, 0) ** 2


def _interval(event: Event, bound: ClockBound) -> tuple[int, int]:
    return interval(event.timestamp, event.meaning, event.precision, bound)
