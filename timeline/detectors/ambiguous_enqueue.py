"""ambiguous-enqueue: pushing a job ended in an error that does not say whether it arrived.

Story: `enqueue` raises a time-out inside a sign-up. The account exists; the mail may or may not
have been queued; a unique constraint stops the person from trying again.

Predicate: a network error of a producer against the broker inside the request that wrote entity k.
Split per k into lost, executed, doubled, rolled back, unknown, and not sent (a connection that was
never made: certainly absent, which is good news). Rows without their usual follow-up are listed.

False positives: a cache on the same broker (the line does not speak of pushing: silent when the
job is there, at most possible otherwise), transparent retries of a library (the job is there), a
consumer's error about a message that it had received (silent); where every push certainly arrived,
nothing is open, and it only colours other findings.
A queue that forgets successes makes a job not visible, never missing.

Reference: lost acknowledgement; resque/resque#840, sidekiq/sidekiq#3303.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from timeline.detectors.push_outcomes import (
    DOUBLED,
    EXECUTED,
    LOST,
    NOT_SENT,
    OUTCOMES,
    ROLLED_BACK,
    UNKNOWN,
    PushCase,
    case_of,
)
from timeline.event import Event, Lane
from timeline.facts.follow_ups import FollowUps, missing_follow_ups
from timeline.facts.pushes import FailedPush
from timeline.facts.sight import heard
from timeline.facts.witnesses import witnesses_of
from timeline.facts.words import abridged, capital, counted, instant, listed, short
from timeline.finding import Finding, NotEvaluated, Step
from timeline.order import Verdict, before, weakest

if TYPE_CHECKING:
    from timeline.incident import Incident

MAX_STEPS = 7


@dataclass(frozen=True, kw_only=True)
class AmbiguousEnqueue(Finding):
    """All failed pushes of an incident to one broker. `cases` hold one entity each, worst first.

    `without_follow_up` are keys of rows that lack what the others of their table have
    (`follow_up`: a table name, or `job`), with the grade of that absence.
    """

    term: ClassVar[str] = "ambiguous-enqueue"
    remedy: ClassVar[str] = (
        "Push under an idempotency key so that a retry is safe, or write the job in the same "
        "transaction (outbox); reconcile rows without their job periodically."
    )

    broker: str
    producers: tuple[str, ...]
    cases: tuple[PushCase, ...]
    follow_up: str
    without_follow_up: tuple[str, ...]
    follow_up_verdict: Verdict | None
    follow_up_limits: tuple[str, ...]

    def with_outcome(self, *outcomes: str) -> list[PushCase]:
        """The cases of any of `outcomes`."""
        return [case for case in self.cases if case.outcome in outcomes]

    def sentence(self) -> str:
        parts = [
            f"{len(cases)} {outcome} ({listed([short(case.key) for case in cases], 3)})"
            for outcome in OUTCOMES
            if (cases := self.with_outcome(outcome))
        ]
        told = (
            f"{capital(counted(len(self.cases), 'push', 'pushes'))} from "
            f"{listed(self.producers)} to {self.broker} ended in an error from "
            f"{instant(self.began)} on: {', '.join(parts)}"
        )
        if self.without_follow_up:
            told += f"; {self._missing_words()}"
        return abridged(f"{told}.")

    def clause(self) -> str:
        doubtful = self.with_outcome(LOST, UNKNOWN)
        counts = [(len(doubtful), _doubt(doubtful))] if doubtful else []
        counts += [(len(self.with_outcome(word)), word) for word in (DOUBLED, ROLLED_BACK)]
        if not any(number for number, _ in counts):
            counts = [(len(self.with_outcome(word)), word) for word in (NOT_SENT, EXECUTED)]
        told = [(number, word) for number, word in counts if number]
        first, *more = told
        words = [f"{counted(first[0], 'enqueue')} {first[1]}"]
        words += [f"{number} {word}" for number, word in more]
        if self.without_follow_up:
            words.append(self._missing_words())
        return ", ".join(words)

    def _missing_words(self) -> str:
        number = len(self.without_follow_up)
        kind = self.without_follow_up[0].partition(":")[0]
        noun = kind if number == 1 else _plural(kind)
        has = "has" if number == 1 else "have"
        what = "visible job" if self.follow_up == "job" else f"row in {self.follow_up}"
        return f"{number} {noun} {has} no {what}"


def _plural(kind: str) -> str:
    return f"{kind[:-1]}ies" if re.search("[^aeiou]y$", kind) else f"{kind}s"


class AmbiguousEnqueueDetector:
    """Finds pushes whose outcome their error leaves open; see the module."""

    term: ClassVar[str] = AmbiguousEnqueue.term

    def detect(self, incident: Incident) -> Sequence[Finding] | NotEvaluated:
        if not heard(incident, Lane.LOG):
            return NotEvaluated(self.term, "the log of whoever pushes jobs")
        pushes = incident.failed_pushes
        seen = witnesses_of(incident, sorted({push.key for push in pushes}))
        judged = [(push, case_of(incident, push, seen[push.key])) for push in pushes]
        cases: dict[str, list[tuple[FailedPush, PushCase]]] = {}
        for push, case in judged:
            if case is not None:
                cases.setdefault(push.system, []).append((push, case))
        missing = missing_follow_ups(incident) if cases else None
        found = [_finding(incident, system, group, missing) for system, group in cases.items()]
        return sorted(found, key=lambda finding: finding.began)


def _finding(
    incident: Incident,
    system: str,
    pairs: list[tuple[FailedPush, PushCase]],
    missing: FollowUps | None,
) -> AmbiguousEnqueue:
    cases = sorted(
        (case for _, case in pairs),
        key=lambda case: (OUTCOMES.index(case.outcome), case.failed_at, case.key),
    )
    keys = {case.key for case in cases} | {job for case in cases for job in case.jobs}
    verdict = weakest(case.verdict for case in cases)
    weak = next(case for case in cases if case.verdict is verdict)
    doubtful = [case for case in cases if case.outcome in (LOST, UNKNOWN)]
    return AmbiguousEnqueue(
        verdict=verdict,
        weakest_link=f"{weak.key}: {weak.because}",
        began=min(push.sent for push, _ in pairs),
        ended=max(push.failed_at for push, _ in pairs),
        steps=_steps(incident, cases),
        keys=tuple(sorted(keys | set(missing.missing if missing else ()))),
        would_decide=_would_decide(doubtful),
        alternatives=("the client retried by itself and the job arrived later",),
        next_action=_next(cases, doubtful),
        qualifier=_nothing_open(cases, missing),
        broker=next((push.peer for push, _ in pairs if push.peer), system),
        producers=tuple(sorted({push.actor for push, _ in pairs})),
        cases=tuple(cases),
        follow_up=missing.effect if missing else "",
        without_follow_up=missing.missing if missing else (),
        follow_up_verdict=missing.verdict if missing else None,
        follow_up_limits=missing.reasons if missing else (),
    )


def _nothing_open(cases: Sequence[PushCase], missing: FollowUps | None) -> bool:
    """Whether every push is known to have arrived: then nothing is ambiguous any more."""
    known = all(case.outcome == EXECUTED and case.verdict is Verdict.CERTAIN for case in cases)
    return known and not (missing and missing.missing)


def _steps(incident: Incident, cases: list[PushCase]) -> tuple[Step, ...]:
    """For the worst cases first: the error, and what shows that the push arrived."""
    steps: list[Step] = []
    for case in cases:
        told = [("push failed", case.error_rows[0], _why(case))]
        told += [("witness", row, case.because) for row in case.witness_rows[:1]]
        events = [(role, incident.snapshot.event(row), why) for role, row, why in told]
        for number, (role, event, why) in enumerate(sorted(events, key=_stamp)):
            order = before(steps[-1].event, event, incident.clocks) if number else None
            steps.append(Step(role, event, why, order))
        if len(steps) >= MAX_STEPS:
            break
    return tuple(steps)


def _stamp(told: tuple[str, Event, str]) -> int:
    return told[1].timestamp


def _why(case: PushCase) -> str:
    error = case.error.replace("_", " ")
    return f"the push for {case.key} ended in a {error}: {case.outcome} ({case.verdict.value})"


def _would_decide(doubtful: list[PushCase]) -> tuple[str, ...]:
    if not doubtful:
        return ()
    names = listed([short(case.key) for case in doubtful])
    return (
        f"Ask the receiving service what it did for {names}.",
        f"Search the workers' own logs for {names}, also outside the window.",
    )


def _next(cases: list[PushCase], doubtful: list[PushCase]) -> str:
    if doubtful:
        names = listed([short(case.key) for case in doubtful])
        return f"Look up {names} before replaying."
    if lacking := [case for case in cases if case.outcome == NOT_SENT]:
        names = listed([short(case.key) for case in lacking])
        return f"Push again for {names}: the first push certainly did not arrive."
    if doubled := [case for case in cases if case.outcome == DOUBLED]:
        return f"Check {listed([short(case.key) for case in doubled])} for double effects."
    return ""


def _doubt(cases: list[PushCase]) -> str:
    """`lost` only where all of them are, for certain; `unknown` as the honest word otherwise."""
    sure = all(case.outcome == LOST and case.verdict is Verdict.CERTAIN for case in cases)
    return "lost" if sure else "unknown"
