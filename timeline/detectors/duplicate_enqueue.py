"""duplicate-enqueue: the same work was put on the queue more than once, under different ids.

Story: a customer clicks twice, a callback fires twice, two producers think it is theirs; the second
mail, the second charge is not a fault of the worker that makes it.

Predicate: at least two jobs of one class with equal arguments pushed within ten seconds of each
other, or the second while the first had not begun, or minutes later by a request of its own where
the requests that came again took longer than those that did not (`timeline.facts.late_answers`:
the caller had given up waiting), or a whole stretch of pushes that came again in
its old order (a relay or a loader that was started anew). By one request: certain. By two requests,
two producers, or nobody knows whom: that it was not meant is inferred from the other jobs of the
class, so likely at most, and possible where there are too few others to tell.

False positives: jobs without arguments and bodies nobody opened (never compared), classes that
repeat themselves all the time, a retry under its own id (all silent). A push that was
repeated because the first one ended in an error is `ambiguous-enqueue`'s and not told again.

Reference: double submission; prefect-archive/legacy-ui#637, mattermost/mattermost-plugin-playbooks
#1773, Devlaner/devlane#374.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from timeline.event import Kind, Lane
from timeline.facts.duplicates import (
    MAX_GROUPS,
    MIN_BASELINE,
    ClassHabit,
    Pushed,
    SameWork,
    pushed_by,
    same_work,
)
from timeline.facts.effects import Effect, attempts_of, effects_of
from timeline.facts.pushes import WRITE_SLACK_NS
from timeline.facts.sight import heard
from timeline.facts.words import abridged, counted, instant, length, listed, short
from timeline.finding import Finding, NotEvaluated, Step
from timeline.order import Verdict, before

if TYPE_CHECKING:
    from timeline.incident import Incident

REPUSHED_NS = 120_000_000_000
"""How long after a failed push another one still belongs to it; as `ambiguous-enqueue` has it."""
ONE_REQUEST, TWO_REQUESTS, TWO_PRODUCERS, UNKNOWN = (
    "one request",
    "two requests",
    "two producers",
    "unknown",
)
CAUSES = {
    ONE_REQUEST: "by one request",
    TWO_REQUESTS: "by different requests",
    TWO_PRODUCERS: "by different producers",
    UNKNOWN: "(by whom is not visible)",
}
MOSTLY = 0.5
"""Part of the pieces of work that only lines tell of in which something must have been done twice
for the repetition to be no accident of what the lines leave out."""
SEVERAL = 3
"""Repetitions, each after a late answer, of which lateness is the reason and no accident."""
MAX_STEPS = 6


@dataclass(frozen=True, slots=True)
class Duplicate:
    """One piece of work and its jobs, in order of `pushed` (ns UTC).

    `requests` and `producers` are those that pushed it, `ran` the jobs that were started, `waiting`
    those that were not yet; `doubled` is what more than one of them did. `late` is how long (ns) a
    request took, at the least, before the work was asked for again; 0 where that is no reason.
    """

    args: str
    jobs: tuple[str, ...]
    pushed: tuple[int, ...]
    cause: str
    requests: tuple[str, ...]
    producers: tuple[str, ...]
    entities: tuple[str, ...]
    ran: tuple[str, ...]
    waiting: tuple[str, ...]
    doubled: tuple[str, ...]
    late: int = 0


@dataclass(frozen=True, kw_only=True)
class DuplicateEnqueue(Finding):
    """Work of one class that was queued more than once for one cause. `others` counts the jobs of
    the class outside the story, `others_repeated` the repetitions among them. With `cut` there was
    more such work than is examined, and the earliest is told."""

    term: ClassVar[str] = "duplicate-enqueue"
    remedy: ClassVar[str] = (
        "Push under an id made of the work itself (unique job, idempotency token in the form), and "
        "let the worker check that it is not done yet."
    )

    job_class: str
    cause: str
    cases: tuple[Duplicate, ...]
    others: int
    others_repeated: int
    cut: bool = False

    def sentence(self) -> str:
        first = self.cases[0]
        what = self._what.replace("at least", "At least", 1)
        told = (
            f"{what} {CAUSES[self.cause]}, from {instant(self.began)} on: "
            f"{listed([self._pair(case) for case in self.cases], 1)}"
        )
        if self.cause in (ONE_REQUEST, TWO_REQUESTS) and len(self.cases) == 1:
            told += f" (request {listed([short(key) for key in first.requests])})"
        doubled = [case for case in self.cases if case.doubled]
        if doubled:
            effects = dict.fromkeys(word for case in doubled for word in case.doubled)
            told += f"; done twice: {listed(list(effects), 2)}"
        waiting = [job for case in self.cases for job in case.waiting]
        if waiting:
            told += f"; not started yet: {listed([short(job) for job in waiting], 2)}"
        return f"{abridged(told)}."

    def clause(self) -> str:
        return f"{self._what} {CAUSES[self.cause]}"

    @property
    def _what(self) -> str:
        kind = self.job_class.rpartition(".")[2]
        times = "twice" if all(len(case.jobs) == 2 for case in self.cases) else "more than once"
        was = "was" if len(self.cases) == 1 else "were"
        least = "at least " if self.cut else ""
        return f"{least}{counted(len(self.cases), f'{kind} job')} {was} enqueued {times}"

    def _pair(self, case: Duplicate) -> str:
        apart = length(case.pushed[-1] - case.pushed[0])
        return f"{case.args} as {listed([short(job) for job in case.jobs])}, {apart} apart"


class DuplicateEnqueueDetector:
    """Finds work that was queued twice; see the module."""

    term: ClassVar[str] = DuplicateEnqueue.term

    def detect(self, incident: Incident) -> Sequence[Finding] | NotEvaluated:
        groups, habits = same_work(incident)
        if not groups and not heard(incident, Lane.QUEUE) and incident.jobs.transitions.is_empty():
            return NotEvaluated(self.term, "a job queue that shows arguments")
        if not groups:
            return []
        cut = len(groups) >= MAX_GROUPS
        groups = _unexplained(incident, groups)
        jobs = [job for group in groups for job in group.jobs]
        producers = pushed_by(incident, jobs)
        effects = effects_of(incident, attempts_of(incident, jobs))
        cases = [(group, _case(incident, group, producers, effects)) for group in groups]
        stories: dict[tuple[str, str, bool], list[Duplicate]] = {}
        for group, case in cases:
            stories.setdefault((group.job_class, case.cause, group.logged), []).append(case)
        found = [
            _finding(incident, job_class, mine, habits[job_class], producers, cut=cut, logged=told)
            for (job_class, _, told), mine in stories.items()
        ]
        return sorted(found, key=_strength)


def _strength(found: DuplicateEnqueue) -> tuple[int, int, int]:
    rank = list(Verdict).index(found.verdict)
    return (rank, -len(found.cases), found.began)


def _unexplained(incident: Incident, groups: Sequence[SameWork]) -> list[SameWork]:
    """The groups that no failed push explains: its client or its user tried again.

    A job that was there before the push that failed can have begun is none of its copies.
    """
    pushes = incident.failed_pushes
    if not pushes:
        return list(groups)
    return [
        group
        for group in groups
        if group.logged  # no push is told to have doubled by what only lines remember
        or not any(
            push.key in incident.jobs.entities_of(group.jobs[0])
            and push.since - WRITE_SLACK_NS <= group.pushed[0] <= push.failed_at + REPUSHED_NS
            for push in pushes
        )
    ]


def _case(
    incident: Incident,
    group: SameWork,
    producers: Mapping[str, Pushed],
    effects: Mapping[str, list[Effect]],
) -> Duplicate:
    jobs = incident.jobs
    told = [producers.get(job, Pushed()) for job in group.jobs]
    started = {job for job in group.jobs if jobs.rows_of(job, *_BEGUN)}
    if group.logged:  # nobody but a queue knows that a job has not begun
        started |= {job for job in group.jobs if not jobs.rows_of(job)}
    return Duplicate(
        args=group.args,
        jobs=group.jobs,
        pushed=group.pushed,
        cause=_cause(told),
        requests=tuple(sorted({key for one in told for key in one.requests})),
        producers=tuple(sorted({name for one in told for name in one.actors})),
        entities=tuple(jobs.entities_of(group.jobs[0])),
        ran=tuple(job for job in group.jobs if job in started),
        waiting=tuple(job for job in group.jobs if job not in started),
        doubled=_doubled([effects.get(job, []) for job in group.jobs]),
        late=group.late,
    )


_BEGUN = (Kind.JOB_STARTED, Kind.JOB_FINISHED, Kind.JOB_FAILED, Kind.JOB_DEAD, Kind.JOB_RETRIED)


def _cause(told: Sequence[Pushed]) -> str:
    """What the producers' lines say; nothing is said where a job was pushed by nobody in sight."""
    if all(one.requests for one in told):
        if frozenset.intersection(*(one.requests for one in told)):
            return ONE_REQUEST
        return TWO_REQUESTS
    if all(one.actors for one in told) and not frozenset.intersection(
        *(one.actors for one in told)
    ):
        return TWO_PRODUCERS
    return UNKNOWN


def _doubled(effects: Sequence[Sequence[Effect]]) -> tuple[str, ...]:
    """What more than one of the jobs did, in words."""
    first: dict[tuple[str, str, tuple[str, ...]], int] = {}
    doubled: dict[str, None] = {}
    for number, mine in enumerate(effects):
        for effect in mine:
            told = effect.kind != "updated" and bool(effect.about)
            if told and first.setdefault(effect.identity, number) != number:
                what = effect.what.partition("/")[0] if effect.kind == "inserted" else effect.what
                row = f"row in {what}" if effect.kind == "inserted" else what
                doubled[row] = None
    return tuple(doubled)


def _finding(
    incident: Incident,
    job_class: str,
    cases: list[Duplicate],
    habit: ClassHabit,
    producers: Mapping[str, Pushed],
    *,
    cut: bool,
    logged: bool,
) -> DuplicateEnqueue:
    verdict, link = _by_lines(cases, habit) if logged else _grade(cases[0].cause, habit)
    if verdict is Verdict.POSSIBLE and sum(case.late > 0 for case in cases) >= SEVERAL:
        shortest = length(min(case.late for case in cases if case.late))
        verdict, link = Verdict.LIKELY, f"only requests that took {shortest} or more came again"
    entities = [key for case in cases for key in case.entities]
    jobs = [job for case in cases for job in case.jobs]
    waiting = [job for case in cases for job in case.waiting]
    return DuplicateEnqueue(
        verdict=verdict,
        weakest_link=link,
        began=min(case.pushed[0] for case in cases),
        ended=max(case.pushed[-1] for case in cases),
        steps=_steps(incident, cases, producers),
        keys=tuple(sorted({*entities, *jobs})),
        would_decide=("Ask whether this work is meant to be queued more than once.",),
        alternatives=("the work is meant to be done as often as it was queued",),
        next_action=_next(waiting, cases),
        job_class=job_class,
        cause=cases[0].cause,
        cases=tuple(cases),
        others=habit.jobs,
        others_repeated=habit.repeated,
        cut=cut,
    )


def _grade(cause: str, habit: ClassHabit) -> tuple[Verdict, str]:
    """How sure it is that the repetition is a fault; that class and arguments are equal is sure."""
    seen = f"{habit.repeated} of the {counted(habit.jobs, 'other job')} of this class repeat one"
    if cause == ONE_REQUEST:
        return Verdict.CERTAIN, "one request pushed the same class and arguments under both ids"
    if habit.jobs < MIN_BASELINE:
        few = counted(habit.jobs, "other job")
        return Verdict.POSSIBLE, f"{few} of this class cannot tell whether it is meant to repeat"
    return Verdict.LIKELY, f"that it was not meant is inferred: {seen}"


def _by_lines(cases: Sequence[Duplicate], habit: ClassHabit) -> tuple[Verdict, str]:
    """The grade of repetitions that only lines tell of: by what was done twice, as arguments that
    no line shows may differ."""
    doubled = [case for case in cases if case.doubled]
    if habit.jobs < MIN_BASELINE or len(doubled) < MOSTLY * len(cases):
        words = "read from the lines about both, which may not show all arguments"
        return Verdict.POSSIBLE, words
    return Verdict.LIKELY, "only lines tell of both; what they did, they did twice"


def _next(waiting: Sequence[str], cases: Sequence[Duplicate]) -> str:
    later = [job for job in waiting if not any(job == case.jobs[0] for case in cases)]
    if later:
        return f"Remove {listed([short(job) for job in later])} before a worker takes it."
    names = listed([short(case.entities[0] if case.entities else case.jobs[0]) for case in cases])
    return f"Check {names} for double effects."


def _steps(
    incident: Incident, cases: Sequence[Duplicate], producers: Mapping[str, Pushed]
) -> tuple[Step, ...]:
    told: list[tuple[int, str, str]] = []
    for case in cases:
        for number, job in enumerate(case.jobs, 1):
            why = f"{case.args} was pushed as {short(job)}, number {number}"
            said = producers.get(job, Pushed()).rows[:1]
            told += [(row, "producer", f"it names {short(job)}") for row in said]
            told += [(r, "pushed", why) for r in incident.jobs.rows_of(job, Kind.JOB_ENQUEUED)[:1]]
    told = told[:MAX_STEPS]
    steps: list[Step] = []
    events = incident.snapshot.events_at([row for row, _, _ in told])
    ordered = sorted(zip(events, told, strict=True), key=lambda pair: pair[0].timestamp)
    for event, (_, role, why) in ordered:
        order = before(steps[-1].event, event, incident.clocks) if steps else None
        steps.append(Step(role, event, why, order))
    return tuple(steps)
