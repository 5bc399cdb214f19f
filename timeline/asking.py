"""Asks every detector, and asks those again whose clocks turned out to be wrong.

A detector that breaks is reported as not evaluated. A finding that knows a clock better than its
bound did (`KnowsClocks`) makes every detector that consulted that clock judge once more by the
better bound: at most one further pass, over those alone. Stamps never change.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from operator import attrgetter
from typing import Protocol, runtime_checkable

from timeline.clock import ClockBound, consulted_clocks
from timeline.finding import Detector, Finding, NotEvaluated, speaks_early
from timeline.incident import Incident
from timeline.order import Verdict

HANDS = 2
"""Threads that ask the detectors of many events: two thirds of an analysis of a million lines lie
in Polars, which lets the other thread go on meanwhile. What both want is built once."""
MANY = 50_000
"""From so many events on. Over fewer the two mostly wait for each other: nothing is gained at
3,000, a quarter at 100,000 (`python -m bench detectors`)."""

LONGEST = tuple(attrgetter(name) for name in ("executions", "errors", "records", "spoken"))
"""Facts that take longest and rest on little else: built side by side, before detectors that would
wait for one another's."""


@dataclass(frozen=True, slots=True)
class Flip:
    """A finding that is graded otherwise by better known clocks. None: it is not told."""

    term: str
    before: Verdict | None
    after: Verdict | None

    def words(self) -> str:
        """`job-before-commit: certain → possible`."""
        before, after = (v.value if v else "not told" for v in (self.before, self.after))
        return f"{self.term}: {before} → {after}"


@runtime_checkable
class KnowsClocks(Protocol):
    """A finding that tells how wrong some clocks are."""

    def better_clocks(self) -> Mapping[str, ClockBound]:
        """The bounds that the clocks deserve, by name; empty when theirs hold."""
        ...

    def having_flipped(self, flips: tuple[Flip, ...]) -> Finding:
        """The same finding, telling what was graded otherwise because of it."""
        ...


@dataclass(frozen=True, slots=True)
class Answer:
    """What one detector said, and the clocks whose bounds it asked for."""

    term: str
    said: tuple[Finding, ...] | NotEvaluated
    consulted: frozenset[str]

    @property
    def findings(self) -> tuple[Finding, ...]:
        return () if isinstance(self.said, NotEvaluated) else self.said


@dataclass(frozen=True, slots=True)
class Answers:
    """What all detectors said, in their order."""

    each: tuple[Answer, ...]

    @property
    def findings(self) -> list[Finding]:
        return [finding for answer in self.each for finding in answer.findings]

    @property
    def not_evaluated(self) -> tuple[NotEvaluated, ...]:
        return tuple(a.said for a in self.each if isinstance(a.said, NotEvaluated))

    @property
    def looked_for(self) -> tuple[str, ...]:
        """Terms of those that looked and found nothing, sorted."""
        return tuple(sorted(answer.term for answer in self.each if answer.said == ()))


def ask_all(incident: Incident, detectors: Sequence[Detector]) -> Answers:
    """What `detectors` say of `incident`, by the best that is known of its clocks."""
    answers = _ask_each(incident, detectors)
    better = _better_clocks(answers)
    if better:
        corrected = incident.with_clocks(incident.clocks.knowing(better))
        again = [
            _ask(corrected, detector) if _concerned(answer, better) else answer
            for detector, answer in zip(detectors, answers, strict=True)
        ]
        flips = _flips(answers, again)
        answers = [_telling(answer, flips) for answer in again]
    return Answers(tuple(_with_needs(answer) for answer in answers))


def _ask_each(incident: Incident, detectors: Sequence[Detector]) -> list[Answer]:
    if len(incident.snapshot) < MANY:
        return [_ask(incident, detector) for detector in detectors]
    with ThreadPoolExecutor(HANDS, thread_name_prefix="detectors") as hands:
        for fact in LONGEST:  # one that breaks breaks again for whoever asks for it
            hands.submit(fact, incident)
        return list(hands.map(partial(_ask, incident), detectors))


def _ask(incident: Incident, detector: Detector) -> Answer:
    if incident.reading and not speaks_early(detector):
        needs = NotEvaluated(detector.term, "every source to have answered")
        return Answer(detector.term, needs, frozenset())
    said: tuple[Finding, ...] | NotEvaluated
    with consulted_clocks() as consulted:
        try:
            result = detector.detect(incident)
            said = result if isinstance(result, NotEvaluated) else tuple(result)
        except Exception as error:  # a stranger's detector must not take the screen away
            said = NotEvaluated(detector.term, f"a repair: {error!r}")
    return Answer(detector.term, said, frozenset(consulted))


def _better_clocks(answers: Iterable[Answer]) -> dict[str, ClockBound]:
    better: dict[str, ClockBound] = {}
    for answer in answers:
        for finding in answer.findings:
            if isinstance(finding, KnowsClocks):
                better |= finding.better_clocks()
    return better


def _concerned(answer: Answer, better: Mapping[str, ClockBound]) -> bool:
    """Whether another bound could change the answer; who knows the clocks is not asked twice."""
    knows = any(isinstance(finding, KnowsClocks) for finding in answer.findings)
    return not knows and not answer.consulted.isdisjoint(better)


def _flips(before: Sequence[Answer], after: Sequence[Answer]) -> tuple[Flip, ...]:
    found: list[Flip] = []
    for one, other in zip(before, after, strict=True):
        left = list(other.findings)
        for finding in one.findings:
            same = next((f for f in left if _same(finding, f)), None)
            if same is not None:
                left.remove(same)
            verdict = same.verdict if same is not None else None
            if verdict is not finding.verdict:
                found.append(Flip(finding.term, finding.verdict, verdict))
        found += [Flip(finding.term, None, finding.verdict) for finding in left]
    return tuple(dict.fromkeys(found))


def _same(one: Finding, other: Finding) -> bool:
    """Whether two findings of one detector are about the same records, however graded."""
    if one.term != other.term:
        return False
    mine, theirs = (_marks(finding) for finding in (one, other))
    return bool(mine & theirs) or mine == theirs


def _marks(finding: Finding) -> frozenset[str]:
    return frozenset(finding.keys) | {step.event.id for step in finding.steps}


def _telling(answer: Answer, flips: tuple[Flip, ...]) -> Answer:
    if not flips or not any(isinstance(finding, KnowsClocks) for finding in answer.findings):
        return answer
    told = tuple(
        finding.having_flipped(flips)
        if isinstance(finding, KnowsClocks) and finding.better_clocks()
        else finding
        for finding in answer.findings
    )
    return dataclasses.replace(answer, said=told)


def _with_needs(answer: Answer) -> Answer:
    if isinstance(answer.said, NotEvaluated):
        return answer
    told = tuple(with_clock_needs(finding) for finding in answer.findings)
    return dataclasses.replace(answer, said=told)


def with_clock_needs(finding: Finding) -> Finding:
    """`finding`, saying which clock would have to be known how well for it to be certain.

    Only where an order by clocks is its weakest link, as its own words say. Of several such orders
    that need the same clock, the one that needs it most exactly is told.
    """
    if finding.verdict is Verdict.CERTAIN:
        return finding
    orders = [step.order for step in finding.steps if step.order is not None]
    weak = [
        order.needs
        for order in orders
        if order.needs is not None
        and order.verdict is finding.verdict
        and order.because in finding.weakest_link
    ]
    tightest = {need.clocks: need for need in sorted(weak, key=lambda need: -need.within)}
    told = tuple(need.sentence() for _, need in sorted(tightest.items()))
    new = tuple(sentence for sentence in told if sentence not in finding.would_decide)
    if not new:
        return finding
    return dataclasses.replace(finding, would_decide=(*finding.would_decide, *new))
