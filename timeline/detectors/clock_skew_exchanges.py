"""clock-skew by calls that lie outside whoever made them (`timeline.facts.exchange_skews`).

Story: a machine was moved to other iron and woke with a wrong time. Every line it writes is true
but for its stamp: it answers before it is asked, or is at work when the answer has been read.

Predicate: at least `MIN_IDS` calls of one clock that no order of cause and effect allows, all of
them by one offset, and enough calls of the same services by its siblings, or by itself before,
that lie as they should. Likely from `SURE_CALLS` on, unless the only other clock may be the wrong
one or the bounds of both allow as much: a declared bound that is exceeded is what is refuted.

False positives: work that nobody waits for, lines that are written late, a queue in between: all
spread, or of every host alike (silent).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, ClassVar

from timeline.asking import Flip
from timeline.clock import ClockBound
from timeline.facts.exchange_skews import ExchangeSkew, exchange_skews
from timeline.facts.words import counted, instant, length, listed
from timeline.finding import Finding, Stage, Step
from timeline.order import Verdict

if TYPE_CHECKING:
    from timeline.incident import Incident

SURE_CALLS = 6
"""Displaced calls of one constant from which on chance is no rival."""


@dataclass(frozen=True, kw_only=True)
class SkewByCalls(Finding):
    """One clock and how far it is off, ns, positive when it runs ahead; see `ExchangeSkew`."""

    term: ClassVar[str] = "clock-skew"
    stage: ClassVar[Stage] = Stage.SIGHT
    remedy: ClassVar[str] = (
        "Keep every host on NTP (chrony), let it step the clock when a machine wakes elsewhere, "
        "and alert on its offset."
    )

    clock: str
    peers: tuple[str, ...]
    low: int
    high: int
    agreed_until: int | None
    displaced: int
    calls: int
    control: int
    doubted: str
    bounds: Mapping[str, ClockBound] = field(default_factory=dict)
    flipped: tuple[Flip, ...] = ()

    def better_clocks(self) -> Mapping[str, ClockBound]:
        return self.bounds

    def having_flipped(self, flips: tuple[Flip, ...]) -> Finding:
        return replace(self, flipped=flips)

    def sentence(self) -> str:
        are = "lies" if self.calls == 1 else "lie"
        told = (
            f"{self._difference()} since {instant(self.began)}: {self.displaced} of "
            f"{counted(self.calls, 'call')} {are} outside the callers that waited for them, always "
            f"by as much; {counted(self.control, 'call')} of the same services lie inside."
        )
        if self.agreed_until is not None:
            told += f" It agreed until {instant(self.agreed_until)}."
        if self.flipped:
            again = listed([flip.words() for flip in self.flipped], 3)
            told += f" Graded again by the bound it deserves: {again}."
        return told

    def clause(self) -> str:
        told = self._difference()
        return f"{told[0].lower()}{told[1:]}"

    def _difference(self) -> str:
        least, most = sorted((abs(self.low), abs(self.high)))
        apart = length(least) if length(least) == length(most) else f"{length(least)} to "
        apart += "" if length(least) == length(most) else length(most)
        side = "ahead of" if self.low > 0 else "behind"
        told = f"The clock of {self.clock} runs {apart} {side} that of {listed(self.peers, 2)}"
        return f"{told} (either may be the wrong one)" if self.doubted else told


def skews_by_calls(incident: Incident, measured: frozenset[str]) -> Iterator[SkewByCalls]:
    """One finding a clock, without those that are `measured` otherwise."""
    for one in exchange_skews(incident):
        if one.clock not in measured and not (one.doubted and one.doubted in measured):
            yield _finding(incident, one)


def _finding(incident: Incident, one: ExchangeSkew) -> SkewByCalls:
    clocks = incident.clocks
    was = clocks.bound(one.clock)
    others = [clocks.bound(peer) for peer in one.peers]
    ahead = one.least > 0
    allowed = (was.behind if ahead else was.ahead) + max(
        peer.ahead if ahead else peer.behind for peer in others
    )
    refuted = abs(one.least) > allowed
    verdict, link = _verdict(one, refuted=refuted)
    now = ClockBound(one.high, -one.low, "from shared calls").joined(was)
    return SkewByCalls(
        verdict=verdict,
        weakest_link=link,
        began=one.began,
        ended=max(one.ended, one.began),
        steps=tuple(_steps(incident, one)),
        would_decide=(f"Read `chronyc tracking` on {one.clock}, and whether it was moved.",),
        alternatives=("lines that are stamped where they are collected, always as late",),
        next_action=f"Trust no order between {one.clock} and others by their stamps alone.",
        clock=one.clock,
        peers=one.peers,
        low=one.low,
        high=one.high,
        agreed_until=one.agreed_until,
        displaced=one.displaced,
        calls=one.calls,
        control=one.control,
        doubted=one.doubted,
        bounds={one.clock: now} if refuted and verdict is Verdict.LIKELY else {},
    )


def _verdict(one: ExchangeSkew, *, refuted: bool) -> tuple[Verdict, str]:
    if not refuted:
        return Verdict.POSSIBLE, "the bounds of the clocks allow as much"
    if one.displaced < SURE_CALLS:
        return Verdict.POSSIBLE, f"only {counted(one.displaced, 'call')} say so"
    if one.doubted:
        return Verdict.LIKELY, f"whether {one.clock} or {one.doubted} is wrong, no call tells"
    return Verdict.LIKELY, "lines that are all stamped equally late would look the same"


def _steps(incident: Incident, one: ExchangeSkew) -> Iterator[Step]:
    """What contradicts, of two calls: the asking and the work, or the work and the answer."""
    for asked, begun, ended, over in one.rows:
        first, work, last, answer = incident.snapshot.events_at([asked, begun, ended, over])
        if work.timestamp < first.timestamp:
            yield Step("asked", first, "the call is sent")
            early = length(first.timestamp - work.timestamp)
            yield Step("begun", work, f"stamped {early} before it was asked for")
        else:
            yield Step("done", last, "the last that is said of the call where it was worked on")
            early = length(abs(last.timestamp - answer.timestamp))
            yield Step("answered", answer, f"stamped {early} before that work was over")
