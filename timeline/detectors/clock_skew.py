"""clock-skew: a clock is wrong, because effects are stamped before their causes.

Story: jobs start before they were pushed, answers leave before their questions came. Nothing ran
backwards; one host's clock does not tell the time, or its lines are read in the wrong time zone.

Predicate: pairs of records that one id puts in order (`timeline.facts.causal_pairs`) leave no
offset within `MIN_SKEW_NS` of zero between two clocks, by at least `MIN_IDS` ids. If the declared
bounds cannot hold either, the clock deserves another bound, and every finding that used it is
graded again by `timeline.asking`. A multiple of 15 minutes is a time zone, not skew. What no pair
measures, rows and tokens may show (`timeline.detectors.clock_skew_told`).

False positives: a retried job whose stamps are of two attempts (jobs that ran twice give no pair,
and a few wrong matches are dropped), lines that are written late and a difference that the
declared bounds allow (only qualifiers).

Reference: Duda et al. 1987, Ashton 1995, Zhang, Liu and Xia 2002 on offsets from message pairs.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, ClassVar

import polars as pl

from timeline.asking import Flip
from timeline.clock import ClockBound, is_one_clock
from timeline.detectors.clock_skew_exchanges import skews_by_calls
from timeline.detectors.clock_skew_told import told_otherwise
from timeline.facts.causal_pairs import causal_pairs
from timeline.facts.clock_signs import clock_signs
from timeline.facts.delays import (
    MIN_IDS,
    allowed_to_drop,
    limits_of,
    set_between,
    without_strays,
)
from timeline.facts.skew import Skew, skews_of
from timeline.facts.words import capital, counted, instant, length, listed, short
from timeline.finding import Finding, NotEvaluated, Stage, Step
from timeline.order import CausalEdges, Verdict, before
from timeline.window import SECOND_NS

if TYPE_CHECKING:
    from timeline.incident import Incident

CERTAIN_IDS = 10
"""From so many ids on, stamps of two attempts that were taken for one cannot be what is seen."""
MAX_PAIRS_SHOWN = 3
AGREE_NS = 600 * SECOND_NS
"""Signs of two kinds about one clock within this time are one story."""
MIN_SIGNS = 2
"""One complaint of a program may be about the token or the certificate and not about a clock."""


@dataclass(frozen=True, kw_only=True)
class ClockSkew(Finding):
    """One clock that is wrong against another. Offsets in ns, positive when `clock` runs ahead.

    `low` and `high` hold the offset that every pair agrees with, None on a side that no pair
    bounds. `doubted` names both clocks when either may be the wrong one. `bounds` are the bounds
    that the clocks deserve; empty when theirs hold. `set_between` holds two instants between which
    the offset changed, where it is not constant and one change explains it.
    """

    term: ClassVar[str] = "clock-skew"
    stage: ClassVar[Stage] = Stage.SIGHT
    remedy: ClassVar[str] = (
        "Keep every host on NTP (chrony) and alert on its offset; log in UTC with the offset "
        "written out, and log a sequence number where order matters."
    )

    clock: str
    against: str
    low: int | None
    high: int | None
    doubted: tuple[str, ...]
    zone: int
    ids: int
    violating: int
    dropped: int
    steady: bool
    set_between: tuple[int, int] | None
    signs: int
    bounds: Mapping[str, ClockBound]
    flipped: tuple[Flip, ...] = ()

    def better_clocks(self) -> Mapping[str, ClockBound]:
        return self.bounds

    def having_flipped(self, flips: tuple[Flip, ...]) -> Finding:
        return replace(self, flipped=flips)

    def sentence(self) -> str:
        told = f"{capital(self._difference())}: {_effects(self.violating)} ({self.ids} ids read)."
        if self.set_between is not None:
            first, last = (instant(stamp) for stamp in self.set_between)
            told = f"{told} It changed between {first} and {last}."
        if self.flipped:
            again = listed([flip.words() for flip in self.flipped], 3)
            told = f"{told} Graded again by the bounds it deserves: {again}."
        return told

    def clause(self) -> str:
        return self._difference()

    def _difference(self) -> str:
        ahead = (self.low or 0) > 0 or (self.low is None and (self.high or 0) > 0)
        side = "ahead of" if ahead else "behind"
        if self.zone:
            apart = zone_length(abs(self.zone))
            return (
                f"stamps of {clock_name(self.clock)} are {apart} {side} those of "
                f"{clock_name(self.against)}, a time zone and not skew"
            )
        words = f"the clock of {clock_name(self.clock)} runs {self._amount()} {side} that of"
        words = f"{words} {clock_name(self.against)}"
        return words if not self.doubted else f"{words} (either may be the wrong one)"

    def _amount(self) -> str:
        ends = sorted(abs(side) for side in (self.low, self.high) if side is not None)
        if len(ends) < 2 or not self.steady:
            return f"at least {length(ends[0])}"
        least, most = (length(end) for end in ends)
        return f"about {least}" if least == most else f"{least} to {most}"


@dataclass(frozen=True, kw_only=True)
class ClockComplaint(Finding):
    """Programs that complain about a clock which no pair of records measures."""

    term: ClassVar[str] = "clock-skew"
    stage: ClassVar[Stage] = Stage.SIGHT
    remedy: ClassVar[str] = ClockSkew.remedy

    actors: tuple[str, ...]
    signs: int
    clock: str = ""
    """The one clock of which signs of several kinds speak, or empty."""

    def sentence(self) -> str:
        if self.clock:
            return (
                f"The clock of {clock_name(self.clock)} may be off from {instant(self.began)} on: "
                f"{counted(self.signs, 'sign')} of two kinds say so, and no id measures it."
            )
        return (
            f"{capital(listed(self.actors))} complained about a clock in "
            f"{counted(self.signs, 'line')} from {instant(self.began)} on."
        )


class ClockSkewDetector:
    """Finds clocks that cannot be right; see the module."""

    term: ClassVar[str] = ClockSkew.term

    def detect(self, incident: Incident) -> Sequence[Finding] | NotEvaluated:
        pairs = without_strays(causal_pairs(incident))
        signs = clock_signs(incident)
        limits = limits_of(pairs)
        otherwise = told_otherwise(incident, signs)
        skews = skews_of(limits, incident.clocks)
        told = {name for skew in skews if skew.contradicts for name in (skew.clock, *skew.doubted)}
        otherwise += skews_by_calls(incident, frozenset(told))
        if not limits and signs.is_empty() and not otherwise:
            return NotEvaluated(self.term, f"{MIN_IDS} jobs or requests that two clocks stamped")
        groups: dict[tuple[str, ...], list[Skew]] = {}
        for skew in skews:
            groups.setdefault(skew.doubted or (skew.clock,), []).append(skew)
        found: list[Finding] = [
            _finding(incident, group, pairs, signs) for group in groups.values()
        ]
        measured = {skew.clock for skew in skews} | {skew.against for skew in skews}
        found += [_complaint(incident, part) for part in _suspected(signs, measured)]
        found += otherwise
        wrong = signs.filter(pl.col("kind").is_in(["wrong", "premature"]))
        if not found and wrong.height >= MIN_SIGNS:
            found.append(_complaint(incident, wrong))
        return found


def _suspected(signs: pl.DataFrame, measured: set[str]) -> list[pl.DataFrame]:
    """The signs of each clock of which signs of two kinds agree, where no pair measures it."""
    of_one = signs.filter(~pl.col("clock").is_in(sorted(measured)))
    several = of_one.filter(pl.col("kind").n_unique().over("clock") > 1)
    parts = several.partition_by("clock", maintain_order=True)
    return [part for part in parts if part["timestamp"][-1] - part["timestamp"][0] <= AGREE_NS]


def _finding(
    incident: Incident, group: list[Skew], pairs: pl.DataFrame, signs: pl.DataFrame
) -> ClockSkew:
    """One finding for a clock, or for two of which either may be the wrong one."""
    skew = group[0]
    near = signs.filter(pl.col("clock").is_in([skew.clock, skew.against]))
    steps = _steps(incident, skew, pairs)
    change = None if skew.steady else set_between(pairs, skew.clock, skew.against)
    late = skew.may_be_late and change is None and near.is_empty()
    verdict, weakest_link = _verdict(skew, near.height, late=late)
    stamps = [step.event.timestamp for step in steps]
    return ClockSkew(
        verdict=verdict,
        weakest_link=weakest_link,
        began=min(*stamps, *_first_early(skew, pairs)),
        ended=max(stamps),
        steps=(*steps, *_sign_steps(incident, near)),
        would_decide=_would_decide(skew),
        alternatives=_alternatives(skew),
        next_action=_next(skew),
        qualifier=not skew.contradicts or late,
        clock=skew.clock,
        against=skew.against,
        low=skew.low,
        high=skew.high,
        doubted=skew.doubted,
        zone=skew.zone,
        ids=skew.ids,
        violating=skew.violating,
        dropped=skew.dropped,
        steady=skew.steady,
        set_between=change,
        signs=near.height,
        bounds={one.clock: one.bound for one in group if one.contradicts},
    )


def _steps(incident: Incident, skew: Skew, pairs: pl.DataFrame) -> tuple[Step, ...]:
    """The pairs that set the limits: the cause, then the effect that is stamped before it."""
    steps: list[Step] = []
    for place in skew.places[:MAX_PAIRS_SHOWN]:
        pair = pairs.row(place, named=True)
        cause, effect = incident.snapshot.events_at([pair["sent_row"], pair["received_row"]])
        edges = CausalEdges()
        edges.add(cause, effect, pair["how"])
        early = length(abs(pair["received"] - pair["sent"]))
        said = f"{short(pair['id'])}: {pair['how']}"
        order = before(cause, effect, incident.clocks, edges)
        steps.append(Step("cause", cause, said))
        steps.append(Step("effect", effect, f"stamped {early} before its cause", order))
    return tuple(steps)


def _first_early(skew: Skew, pairs: pl.DataFrame) -> tuple[int, ...]:
    """The stamps of the first pair, if any, that is too early by half as much as the one that sets
    the limit, or more: from then on the clock was wrong, however late the clearest pair stands."""
    worst = pairs.row(skew.places[0], named=True)
    same = pairs.filter(
        (pl.col("sender") == worst["sender"])
        & (pl.col("receiver") == worst["receiver"])
        & (2 * (pl.col("received") - pl.col("sent")) <= worst["received"] - worst["sent"])
    )
    return (int(same["sent"][0]), int(same["received"][0])) if same.height else ()


def _sign_steps(incident: Incident, signs: pl.DataFrame) -> tuple[Step, ...]:
    events = incident.snapshot.events_at(signs.get_column("row").to_list()[:MAX_PAIRS_SHOWN])
    return tuple(Step("complaint", event, "a program says so itself") for event in events)


def _verdict(skew: Skew, signs: int, *, late: bool) -> tuple[Verdict, str]:
    """That the two clocks differ. Which of them is wrong is told apart, and may stay open."""
    groups = [name for name in (skew.clock, skew.against) if not is_one_clock(name)]
    if skew.dropped > allowed_to_drop(skew.ids):
        words = f"{skew.dropped} of {skew.ids} pairs contradict the others and were dropped"
        return Verdict.POSSIBLE, words
    if late:
        return Verdict.POSSIBLE, "log lines that were written out late would look the same"
    if groups:
        return Verdict.LIKELY, f"which host {clock_name(groups[0])} is, no record tells"
    if skew.violating < CERTAIN_IDS and not signs:
        return Verdict.LIKELY, (
            f"{counted(skew.violating, 'id')} say so; fewer than {CERTAIN_IDS} could be stamps of "
            "two attempts"
        )
    if not skew.steady:
        return Verdict.LIKELY, "no constant offset agrees with all pairs: it drifts or was set"
    said = "; a program complained, too" if signs else ""
    return Verdict.CERTAIN, f"{counted(skew.violating, 'id')} say so, and ids need no clock{said}"


def _would_decide(skew: Skew) -> tuple[str, ...]:
    names = [name for name in (skew.clock, skew.against) if is_one_clock(name)]
    if skew.zone:
        return (f"Compare one line of {clock_name(skew.clock)} with the time in its own zone.",)
    hosts = listed([f"`chronyc tracking` on {name}" for name in names]) or "the hosts' clocks"
    return (f"Read {hosts}, and whether a clock was set since.",)


def _alternatives(skew: Skew) -> tuple[str, ...]:
    if skew.zone:
        return ("a clock that was set wrong by exactly that much",)
    found = ["lines that were stamped when they were written out, not when it happened"]
    if not skew.steady:
        found.append("a clock that was set, or a machine that was paused, within the window")
    return tuple(found)


def _next(skew: Skew) -> str:
    if not skew.contradicts:
        return ""
    if skew.zone:
        return (
            f"Set the time zone of {clock_name(skew.clock)} in halfawake's configuration; until "
            "then read its stamps with that in mind."
        )
    names = skew.doubted or (skew.clock,)
    whose = " and ".join(clock_name(name) for name in names)
    return f"Trust no order between {whose} and others by their stamps alone."


def _complaint(incident: Incident, signs: pl.DataFrame) -> ClockComplaint:
    """What programs say of clocks that no pair measures: a claim where signs of two kinds agree
    about one clock (nobody keeps it, and it was moved, or its source went bad)."""
    actors = signs.get_column("actor").unique(maintain_order=True).to_list()
    agreed = signs.get_column("kind").n_unique() > 1 and signs.get_column("clock").n_unique() == 1
    return ClockComplaint(
        verdict=Verdict.POSSIBLE,
        weakest_link="no pair of records with one id measures the difference",
        began=signs["timestamp"][0],
        ended=signs["timestamp"][-1],
        steps=_sign_steps(incident, signs),
        would_decide=(
            "Read `chronyc tracking` on the hosts that are named, or `halfawake check`.",
        ),
        alternatives=("an expired or early certificate or token, with right clocks",)
        if not agreed
        else ("the clock kept right until its time service came back",),
        next_action=f"Trust no order by stamps of {clock_name(signs['clock'][0])} alone from "
        f"{instant(signs['timestamp'][0])} on."
        if agreed
        else "",
        qualifier=not agreed,
        actors=tuple(name for name in actors if name),
        signs=signs.height,
        clock=signs["clock"][0] if agreed else "",
    )


def clock_name(clock: str) -> str:
    """A clock as people say it: `web-1`, or `some client` for a host of a group."""
    return clock if is_one_clock(clock) else f"some {clock.removesuffix('?')}"


def zone_length(offset: int) -> str:
    """`2 h`, `5 h 30 min`: a multiple of 15 minutes."""
    hours, minutes = divmod(offset // SECOND_NS // 60, 60)
    return " ".join(filter(None, (f"{hours} h" * bool(hours), f"{minutes} min" * bool(minutes))))


def _effects(violating: int) -> str:
    return f"{counted(violating, 'effect')} {'is' if violating == 1 else 'are'} stamped before " + (
        "its cause" if violating == 1 else "their causes"
    )
