"""Which clocks are wrong, and by how much at least, from pairs of which one had to come first.

Let `o` be how far a clock runs fast. A record sent at stamp `s` and received at stamp `r` says
`o(receiver) - o(sender) <= r - s`; the declared bound of a clock says `-ahead <= o <= behind`.
Together they bound every offset or contradict each other (`timeline.facts.differences`). Duda et
al. 1987 and Ashton 1995 bound the offsets of traces that way. Never moves a stamp.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from timeline.clock import ClockBound, is_one_clock
from timeline.facts.delays import MIN_SKEW_NS, Limit, Limits
from timeline.facts.differences import Constraint, distances, negative_cycle, reversed_
from timeline.window import SECOND_NS

if TYPE_CHECKING:
    from timeline.clock import ClockTable

ZONE_NS = 900 * SECOND_NS
"""Offsets of time zones are multiples of a quarter of an hour."""
ZONE_SLACK_NS = 2 * SECOND_NS
ZONE_SPREAD_NS = 60 * SECOND_NS
"""A feasible interval wider than this holds a multiple by chance too often."""
OPEN_SIDE_NS = 3_600 * SECOND_NS
"""What is granted on a side that no pair bounds: nothing there may be called certain."""
VOUCHING_SHARE = 0.25
"""A fastest delay of at most this share of the contradiction is no delay that hides it."""
MIN_VOUCHERS = 2
VOUCHING_IDS = 6
"""Of one sender with another receiver, all in time, and of early ones with this: a few lines that
were written late strike either."""
MAX_WRONG = 5
"""Clocks that are found wrong in one incident; beyond that the pairs, not the clocks, are."""

_TRUE = ""
"""The node of true time. No clock has an empty name."""


@dataclass(frozen=True, slots=True)
class Skew:
    """A clock that is wrong. `low` and `high` bound how far it runs ahead of `against`, ns.

    A side that nothing bounds is None. `bound` is the bound it deserves, `was` the one it had;
    `doubted` names the clocks of which any may be the wrong one. `zone` is the multiple of 15
    minutes that the offset is, ns, or 0. `contradicts` says whether `was` cannot be right,
    `steady` whether one constant offset agrees with all pairs, `spoken` whether only log lines,
    which may have been written late, stand after their effects.
    """

    clock: str
    against: str
    low: int | None
    high: int | None
    was: ClockBound
    bound: ClockBound
    doubted: tuple[str, ...]
    zone: int
    contradicts: bool
    steady: bool
    spoken: bool
    ids: int
    violating: int
    dropped: int
    places: tuple[int, ...]
    """Indexes into the pairs, the one that sets the limit first."""

    @property
    def may_be_late(self) -> bool:
        """Whether lines that were written late would look the same: nothing else bounds it."""
        both = self.low is not None and self.high is not None
        return self.spoken and not (both and self.steady)

    @property
    def least(self) -> int:
        """The smallest difference that agrees with the pairs, ns; positive when it runs ahead."""
        if self.low is not None and self.low > 0:
            return self.low
        return self.high if self.high is not None and self.high < 0 else 0


def skews_of(limits: Limits, clocks: ClockTable) -> list[Skew]:
    """Every clock that cannot be right by its bound, then pairs that differ within their bounds.

    Two directions that exclude each other mean that a clock was set or drifts. Each then holds for
    a time of its own: both are judged apart, and what they ask for is put together.
    """
    moved = frozenset(
        (sender, receiver)
        for (sender, receiver), limit in limits.items()
        if (back := limits.get((receiver, sender))) is not None and limit.most + back.most < 0
    )
    if not moved:
        return _steady_skews(limits, clocks)
    names = frozenset(name for pair in moved for name in pair)
    parts = [
        _steady_skews({pair: one for pair, one in limits.items() if pair not in left_out}, clocks)
        for left_out in ({p for p in moved if p[0] < p[1]}, {p for p in moved if p[0] > p[1]})
    ]
    return _together(parts, names)


def _together(parts: list[list[Skew]], moved: frozenset[str]) -> list[Skew]:
    """One skew a clock, whose bound holds at either time."""
    found: dict[str, Skew] = {}
    for part, other in (parts, parts[::-1]):
        there = {skew.clock: skew.bound for skew in other}
        for skew in part:
            if skew.clock not in found:
                bound = skew.bound.joined(there.get(skew.clock, skew.was))
                steady = skew.clock not in moved
                found[skew.clock] = replace(skew, bound=bound, steady=steady, zone=0)
    return sorted(found.values(), key=_by_size)


def _by_size(skew: Skew) -> tuple[bool, int, str]:
    return not skew.contradicts, -abs(skew.least), skew.clock


def _steady_skews(limits: Limits, clocks: ClockTable) -> list[Skew]:
    if all(limit.most >= -MIN_SKEW_NS for limit in limits.values()):
        return []
    limits = _reconciled(limits)
    if all(limit.most >= -MIN_SKEW_NS for limit in limits.values()):
        return []
    names = sorted({name for pair in limits for name in pair})
    bounds = {name: clocks.bound(name) for name in names}
    freed: list[str] = []
    doubted: list[tuple[str, ...]] = []
    while len(freed) < MAX_WRONG and _contradicted(limits, _held(bounds, freed)):
        suspects = _suspects(limits, bounds, freed)
        doubted.append(suspects)
        freed += suspects
    if not freed:
        return _within_bounds(limits, bounds)
    found = [
        _skew(limits, bounds, name, suspects, freed) for suspects in doubted for name in suspects
    ]
    return sorted((skew for skew in found if skew), key=_by_size)


def _reconciled(limits: Limits) -> dict[tuple[str, str], Limit]:
    """Limits that some constant offsets fulfil: a contradictory cycle loses its worst member.

    What is lost counts as dropped in every limit that speaks of the same clocks. A contradiction
    below `MIN_SKEW_NS` is none.
    """
    kept = {
        pair: limit._replace(most=0) if -MIN_SKEW_NS <= limit.most < 0 else limit
        for pair, limit in limits.items()
    }
    while cycle := negative_cycle(_edges(kept, {})):
        worst = min(cycle, key=lambda pair: (kept[pair].most, pair))
        lost = kept.pop(worst)
        for pair, limit in kept.items():
            if set(pair) & set(worst):
                kept[pair] = limit._replace(dropped=limit.dropped + lost.ids)
    return kept


def _held(bounds: Mapping[str, ClockBound], freed: Iterable[str]) -> dict[str, ClockBound]:
    return {name: bound for name, bound in bounds.items() if name not in set(freed)}


def _edges(limits: Limits, bounds: Mapping[str, ClockBound]) -> list[Constraint]:
    told = [(sender, receiver, limit.most) for (sender, receiver), limit in limits.items()]
    told += [(_TRUE, name, bound.behind) for name, bound in bounds.items()]
    told += [(name, _TRUE, bound.ahead) for name, bound in bounds.items()]
    return told


def _contradicted(limits: Limits, bounds: Mapping[str, ClockBound]) -> bool:
    """Whether no offsets within `bounds` agree with the limits."""
    return bool(negative_cycle(_edges(limits, bounds)))


def _suspects(
    limits: Limits, bounds: Mapping[str, ClockBound], freed: list[str]
) -> tuple[str, ...]:
    """The clocks that may be the wrong one: those that would explain everything alone, then those
    that are known worst, then those that contradict the most others. Several when it is open."""
    held = _held(bounds, freed)
    blamed = _direct(limits, held)
    candidates = sorted(blamed) or sorted(held)
    alone = [name for name in candidates if not _contradicted(limits, _held(held, [name]))]
    if not alone:  # several are wrong, or one direction contradicts itself
        most = max((blamed.get(name, 0) for name in candidates), default=0)
        return tuple(name for name in candidates if blamed.get(name, 0) == most)[:2]
    ranks = {name: _TRUST.get(bounds[name].how, 1) for name in alone}
    alone = [name for name in alone if ranks[name] == min(ranks.values())]
    alone = [name for name in alone if not _vouched(limits, held, name)] or alone
    most = max(blamed.get(name, 0) for name in alone)
    return tuple(name for name in alone if blamed.get(name, 0) == most)[:2]


def _vouched(limits: Limits, bounds: Mapping[str, ClockBound], name: str) -> bool:
    """Whether `MIN_VOUCHERS` others show `name` to be right.

    Were it wrong by as much as the contradiction asks for, then its fastest messages to (or from)
    each of them would all happen to take just that long.
    """
    for side in (0, 1):
        mine = [(pair, limit.most) for pair, limit in limits.items() if pair[side] == name]
        worst = min((most for _, most in mine), default=0)
        if worst >= -MIN_SKEW_NS:
            continue
        close = [pair for pair, most in mine if 0 <= most <= -worst * VOUCHING_SHARE]
        if len([pair for pair in close if pair[1 - side] in bounds]) >= MIN_VOUCHERS:
            return True
    return False


_TRUST = {"assumed": 0, "declared": 1, "measured": 2}


def _direct(limits: Limits, bounds: Mapping[str, ClockBound]) -> dict[str, int]:
    """How many other clocks each clock contradicts directly."""
    against: dict[str, set[str]] = {}
    for (sender, receiver), limit in limits.items():
        if sender not in bounds or receiver not in bounds:
            continue
        if limit.most < -(bounds[receiver].ahead + bounds[sender].behind):
            against.setdefault(sender, set()).add(receiver)
            against.setdefault(receiver, set()).add(sender)
    return {name: len(others) for name, others in against.items()}


def _skew(
    limits: Limits,
    bounds: Mapping[str, ClockBound],
    name: str,
    suspects: tuple[str, ...],
    freed: list[str],
) -> Skew | None:
    """What the pairs say of `name` while all clocks that are not in doubt are trusted."""
    others = [one for one in freed if one != name and one not in suspects]
    trusted = _held(bounds, [name, *others])
    edges = _edges(limits, trusted)
    above, below = distances(edges, _TRUE), distances(reversed_(edges), _TRUE)
    if above is None or below is None:
        high, low = _extremes(limits, trusted, name)
    else:
        high = above.get(name)
        low = -below[name] if name in below else None
    was = bounds[name]
    nearest = _nearest(limits, name)
    if nearest is None:
        return None
    against, difference = nearest
    zone = _zone(*difference) if len(suspects) == 1 or is_one_clock(name) else 0
    bound = _bound(was, low, high, zone, doubted=len(suspects) > 1 or not is_one_clock(name))
    told = [limit for pair, limit in limits.items() if name in pair and limit.most < -MIN_SKEW_NS]
    if not told:
        return None  # it contradicts nobody itself: others between it and the rest do
    return Skew(
        clock=name,
        against=against,
        low=difference[0],
        high=difference[1],
        was=was,
        bound=bound,
        doubted=suspects if len(suspects) > 1 else (),
        zone=zone,
        contradicts=True,
        steady=True,
        spoken=all(limit.spoken for limit in told) and not _taken_in_time(limits, name),
        ids=sum(limit.ids for pair, limit in limits.items() if name in pair),
        violating=sum(limit.violating for limit in told),
        dropped=max(limit.dropped for pair, limit in limits.items() if name in pair),
        places=tuple(limit.place for limit in sorted(told, key=lambda one: one.most)),
    )


def _taken_in_time(limits: Limits, name: str) -> bool:
    """Whether other clocks stamp what the same senders sent in time, wherever `name` is too early.

    Lines of a sender that were written late would come too late for everybody, if only for a few:
    one that is too early elsewhere, too, does not vouch.
    """
    early = [pair[0] for pair, one in limits.items() if pair[1] == name and one.most < -MIN_SKEW_NS]
    late = [pair for pair, one in limits.items() if pair[0] == name and one.most < -MIN_SKEW_NS]
    others = {
        sender
        for (sender, receiver), one in limits.items()
        if receiver != name and not one.early and one.ids >= VOUCHING_IDS
    }
    struck = sum(one.violating for (_, to), one in limits.items() if to == name)
    return struck >= VOUCHING_IDS and not late and others.issuperset(early)


def _extremes(
    limits: Limits, trusted: Mapping[str, ClockBound], name: str
) -> tuple[int | None, int | None]:
    """The offsets that single limits ask for, when they cannot all hold: others are wrong, too."""
    told: list[int] = []
    for (sender, receiver), limit in limits.items():
        if receiver == name and sender in trusted:
            told += [limit.most + trusted[sender].behind, limit.most - trusted[sender].ahead]
        if sender == name and receiver in trusted:
            told += [-limit.most - trusted[receiver].ahead, -limit.most + trusted[receiver].behind]
    return (max(told), min(told)) if told else (None, None)


def _nearest(limits: Limits, name: str) -> tuple[str, tuple[int | None, int | None]] | None:
    """The clock that contradicts `name` most, and how far `name` runs ahead of it."""
    best: tuple[int, str] | None = None
    for pair, limit in limits.items():
        if name in pair:
            other = pair[0] if pair[1] == name else pair[1]
            best = min(filter(None, (best, (limit.most, other))))
    if best is None:
        return None
    other = best[1]
    there, back = limits.get((other, name)), limits.get((name, other))
    return other, (None if back is None else -back.most, None if there is None else there.most)


def _zone(low: int | None, high: int | None) -> int:
    """The multiple of 15 minutes that the difference is, ns; 0 when it is none."""
    if low is not None and high is not None:
        if not 0 <= high - low <= ZONE_SPREAD_NS:
            return 0
        middle = (low + high) // 2
    else:
        middle = high if high is not None else low if low is not None else 0
    nearest = round(middle / ZONE_NS) * ZONE_NS
    ends = (middle if low is None else low, middle if high is None else high)
    inside = ends[0] - ZONE_SLACK_NS <= nearest <= ends[1] + ZONE_SLACK_NS
    return nearest if inside else 0


def _bound(
    was: ClockBound, low: int | None, high: int | None, zone: int, *, doubted: bool
) -> ClockBound:
    """What may be said of the clock from now on. In doubt, the old interval stays part of it."""
    if zone and not doubted:
        return was.shifted(zone, "in another zone")
    if low is None and high is None:
        return was
    top = high if high is not None else max((low or 0) + OPEN_SIDE_NS, was.behind)
    bottom = low if low is not None else min((high or 0) - OPEN_SIDE_NS, -was.ahead)
    if doubted:
        top, bottom = max(top, was.behind), min(bottom, -was.ahead)
    return ClockBound(max(top, bottom), -min(top, bottom), "from shared ids")


def _within_bounds(limits: Limits, bounds: Mapping[str, ClockBound]) -> list[Skew]:
    """Clocks that differ by more than `MIN_SKEW_NS`, as their bounds allow."""
    found: list[Skew] = []
    seen: set[frozenset[str]] = set()
    ranked = sorted(limits.items(), key=lambda item: (item[1].most, item[0]))
    for (sender, receiver), limit in ranked:
        if limit.most >= -MIN_SKEW_NS or frozenset((sender, receiver)) in seen:
            continue
        if len(found) == MAX_WRONG:
            break
        seen.add(frozenset((sender, receiver)))
        back = limits.get((receiver, sender))
        was = bounds[receiver]
        found.append(
            Skew(
                clock=receiver,
                against=sender,
                low=None if back is None else -back.most,
                high=limit.most,
                was=was,
                bound=was,
                doubted=(receiver, sender),
                zone=0,
                contradicts=False,
                steady=True,
                spoken=limit.spoken,
                ids=limit.ids + (back.ids if back else 0),
                violating=limit.violating,
                dropped=max(limit.dropped, back.dropped if back else 0),
                places=(limit.place,),
            )
        )
    return found
