"""The other half of overlapping-runs: two hands at one piece of work, without any queue's word.

Story: an importer held a lock that ended with its session; the pooler dropped the session, another
host took the same feed, and both wrote its pages. Or a sweep grew longer than its interval; or the
caller of a long request gave up and asked again while the first request went on.

Predicate: two runs, requests or hosts said the same things about one piece of work (equal lines but
for who speaks), each while the other was at it; or two instances stood at 1 of a gauge that only
one had held all night; or two sessions of a database ran one call at once, by its log of slow
statements. Likely at most: that the second hand was not meant is inferred.

False positives: hands that divide the work (they say different things), services of which every
host is told of everything, lines that were shipped twice, pairs that met so all night (silent).

Reference: fencing tokens and leases (Gray and Cheriton, 1989); Burrows, "The Chubby lock service",
OSDI 2006.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from timeline.facts.calls_at_once import CalledTwice, called_twice
from timeline.facts.one_at_a_time import HeldByTwo, held_by_two
from timeline.facts.side_by_side import SideBySide, side_by_side
from timeline.facts.sight import read_until
from timeline.facts.words import abridged, counted, instant, length, listed, short
from timeline.finding import Finding, Step
from timeline.order import Verdict, before, weakest

if TYPE_CHECKING:
    from timeline.incident import Incident

TERM = "overlapping-runs"
BASELINE_NS = 900_000_000_000
"""What happened a quarter of an hour before T or earlier is how the night usually goes."""
ROUTINE = 3
"""Pairs of one writer in the baseline before it is its habit."""
ALL_NIGHT = 0.5
"""Part of the window from which on being at it together is no event: a thread, a shard, a shared
object that lines name like a thing."""
MAX_FINDINGS = 5
MAX_KEYS = 200


@dataclass(frozen=True, kw_only=True)
class WorkedTwice(Finding):
    """Pairs of hands of one writer at the same work, by the second one's beginning."""

    term: ClassVar[str] = TERM
    remedy: ClassVar[str] = (
        "Give the work to one hand at a time by something that the second one's writes are checked "
        "against (a fencing token, a row's version), not by a lock that can be lost unnoticed."
    )

    actor: str
    pairs: tuple[SideBySide, ...]

    def sentence(self) -> str:
        first = self.pairs[0]
        told = (
            f"{self.actor} was at {_work(first)} twice at once, by {_hand(first.first)} and "
            f"{_hand(first.second)}, from {instant(first.since)} for "
            f"{length(first.until - first.since)}; both said {counted(first.same, 'thing')} alike"
        )
        more = len(self.pairs) - 1
        if more:
            told += f"; {counted(more, 'further pair')} likewise"
        return abridged(f"{told}.")

    def clause(self) -> str:
        return f"{self.actor} was at {_work(self.pairs[0])} twice at once"


@dataclass(frozen=True, kw_only=True)
class TwoHolders(Finding):
    """Instances that held together what one had held before."""

    term: ClassVar[str] = TERM
    remedy: ClassVar[str] = WorkedTwice.remedy

    held: HeldByTwo

    def sentence(self) -> str:
        one = self.held
        return (
            f"{listed(one.holders, 3)} stood at 1 of {one.gauge} together from "
            f"{instant(one.start)} to {instant(one.end)} ({counted(one.samples, 'sample')}); at "
            f"{counted(one.alone, 'sample')} before at most one did."
        )

    def clause(self) -> str:
        return f"two instances held {self.held.gauge} at once"


@dataclass(frozen=True, kw_only=True)
class RanTwice(Finding):
    """A call that two sessions of a database ran at the same time."""

    term: ClassVar[str] = TERM
    remedy: ClassVar[str] = (
        "Let the call itself take a lock on what it works on, and refuse when it is taken."
    )

    call: CalledTwice

    def sentence(self) -> str:
        one = self.call
        return abridged(
            f"Two database sessions ran “{one.statement}” at once from {instant(one.since)} for "
            f"{length(one.until - one.since)}; {counted(one.others, 'other call')} of that form "
            "ran once each."
        )

    def clause(self) -> str:
        return f"two sessions ran “{self.call.statement}” at once"


def worked_twice(incident: Incident) -> list[Finding]:
    """Findings of both kinds, strongest first."""
    usual = incident.window.pin - BASELINE_NS
    longest = ALL_NIGHT * (read_until(incident) - incident.window.start)
    by_actor: dict[str, list[SideBySide]] = {}
    for pair in side_by_side(incident):
        if pair.until - pair.since < longest and not _one_job(incident, pair):
            by_actor.setdefault(pair.actor, []).append(pair)
    found: list[Finding] = []
    for actor, pairs in by_actor.items():
        if sum(pair.since < usual for pair in pairs) < ROUTINE:
            found.append(_finding(incident, actor, pairs))
    found += [_held(incident, one) for one in held_by_two(incident)]
    found += [_called(incident, one) for one in called_twice(incident)]
    found.sort(key=lambda one: (list(Verdict).index(one.verdict), one.began))
    return found[:MAX_FINDINGS]


def _one_job(incident: Incident, pair: SideBySide) -> bool:
    """Whether both hands name one job: that is `delivered-again`."""
    one, two = incident.snapshot.events_at([pair.first_row, pair.second_row])
    shared = set(one.keys) & set(two.keys)
    return any(key.startswith(("job:", "message:")) for key in shared)


def _finding(incident: Incident, actor: str, pairs: Sequence[SideBySide]) -> WorkedTwice:
    first = pairs[0]
    begun, again, last = incident.snapshot.events_at(
        [first.first_row, first.second_row, first.last_row]
    )
    order = before(again, last, incident.clocks)
    verdict = weakest((order.verdict or Verdict.POSSIBLE, Verdict.LIKELY))
    link = "that only one should have been at it is inferred"
    hands = {hand for pair in pairs for hand in (pair.first, pair.second) if ":" in hand}
    things = {thing for pair in pairs for thing in pair.things[:MAX_KEYS]}
    work = {pair.work for pair in pairs if pair.work}
    who = f"{_hand(first.first)} and {_hand(first.second)}"
    return WorkedTwice(
        verdict=verdict,
        weakest_link=link if verdict is Verdict.LIKELY else order.because,
        began=min(pair.since for pair in pairs),
        ended=max(pair.until for pair in pairs),
        steps=(
            Step("first", begun, f"{_hand(first.first)} began"),
            Step(
                "second",
                again,
                f"{_hand(first.second)} began on the same",
                before(begun, again, incident.clocks),
            ),
            Step("first still at work", last, "and had not ended", order),
        ),
        keys=tuple(sorted(hands | things | work)),
        would_decide=(f"Ask whether {actor} may be at {_work(first)} twice at once.",),
        alternatives=("both were meant to go over the same things",),
        next_action=f"Stop one of {who}, then check what both wrote of {_work(first)}.",
        actor=actor,
        pairs=tuple(pairs),
    )


def _held(incident: Incident, one: HeldByTwo) -> TwoHolders:
    return TwoHolders(
        verdict=Verdict.LIKELY,
        weakest_link="that only one may hold it is learnt from the samples before",
        began=one.start,
        ended=one.end,
        steps=(Step("second holder", incident.snapshot.event(one.row), "one more stands at 1"),),
        would_decide=(f"Ask whether two may hold {one.gauge}.",),
        alternatives=("two may hold it, and seldom had to",),
        next_action=f"Check what {listed(one.holders)} did from {instant(one.start)} on.",
        held=one,
    )


def _called(incident: Incident, one: CalledTwice) -> RanTwice:
    ends = incident.snapshot.events_at(list(one.rows))
    likely, usual = Verdict.LIKELY, "that only one should have run it is learnt from the others"
    if not one.alone:
        likely, usual = Verdict.POSSIBLE, "calls of that form often run side by side"
    return RanTwice(
        verdict=likely,
        weakest_link=usual,
        began=one.since,
        ended=max(event.timestamp for event in ends),
        steps=tuple(
            Step(f"session {name}".strip(), event, "its own line says how long it had run by then")
            for name, event in zip(one.sessions, ends, strict=True)
        ),
        would_decide=("Ask who makes this call, and whether two may at once.",),
        alternatives=("the second one waited for the first and found nothing to do",),
        next_action=f"Check what both runs of “{one.statement}” wrote.",
        call=one,
    )


def _hand(hand: str) -> str:
    """`run 81b` of `run:81b`; a host as it is."""
    return hand.replace(":", " ", 1)


def _work(pair: SideBySide) -> str:
    if pair.work:
        return pair.work.replace(":", " ", 1)
    return listed([short(thing) for thing in pair.things], 2) or "the same work"
