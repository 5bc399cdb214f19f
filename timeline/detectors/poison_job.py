"""poison-job: one job that kills every worker which takes it.

Story: a worker runs out of memory on one order; the queue gives the job to the next worker, which
dies of it, too, until none is left and everything behind it waits.

Predicate: at least `MIN_DEATHS` attempts of one job (the same id, or the same class and arguments)
were lost with their worker, not failed with an error, and no attempt of it ever finished. Certain
when the deaths are of different named workers (or the queue names each death) and no other job was
lost so often; the same arguments under different ids are an inference: likely.

Also a job that no worker can handle: at least three attempts failed with one and the same error of
its own, none went well, and others of its kind did meanwhile (`timeline.facts.failing_jobs`).

False positives: workers that announced their stop, a job that fails while others of its kind do, a
job that later finished (all silent); a host that kills whatever runs on it, where other jobs were
lost as often (possible).

Reference: poison message (poison pill), crash loop on redelivery; Sidekiq Pro super_fetch marks a
job as poison after three recovered crashes (Sidekiq wiki, Reliability).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

import polars as pl

from timeline.event import Kind, Lane
from timeline.facts.announced_stop import announced_stop
from timeline.facts.failing_jobs import FailingJob, failing_jobs
from timeline.facts.lost_attempt import LostAttempt
from timeline.facts.sight import absence, heard
from timeline.facts.words import capital, counted, instant, listed, short
from timeline.finding import Finding, NotEvaluated, Stage, Step
from timeline.order import Verdict, before, weakest

if TYPE_CHECKING:
    from timeline.incident import Incident

MIN_DEATHS = 2
"""One death may have any cause; the second one of the same job is its own."""
MAX_STEPS = 8
MAX_FINDINGS = 5


@dataclass(frozen=True, slots=True)
class Death:
    """One attempt that ended with its worker. Instants in ns UTC, None when not known."""

    job: str
    worker: str
    started: int | None
    noticed: int
    said: str


@dataclass(frozen=True, kw_only=True)
class PoisonJob(Finding):
    """One job, or jobs of one class with equal arguments, that lost a worker at every attempt.

    `jobs` are their keys; `workers` the named workers; `others` is how many different jobs were
    lost as often in the same incident.
    """

    term: ClassVar[str] = "poison-job"
    stage: ClassVar[Stage] = Stage.TRIGGER
    remedy: ClassVar[str] = (
        "Set the job aside before anything else, cap how often a job may lose its worker, and run "
        "such work in a process of its own with a memory limit."
    )

    job_class: str
    args: str
    jobs: tuple[str, ...]
    workers: tuple[str, ...]
    deaths: tuple[Death, ...]
    others: int

    def sentence(self) -> str:
        first, last = self.deaths[0], self.deaths[-1]
        return (
            f"{capital(self._title)} lost its worker {len(self.deaths)} times and never finished: "
            f"{self._who}, first noticed at {instant(first.noticed)}, last at "
            f"{instant(last.noticed)}."
        )

    def clause(self) -> str:
        return f"{self._title} lost its worker {len(self.deaths)} times"

    @property
    def _title(self) -> str:
        kind = self.job_class.rpartition(".")[2]
        if len(self.jobs) > 1:
            return f"{kind}({self.args}) under {len(self.jobs)} ids"
        return f"{kind} job {short(self.jobs[0])}".strip()

    @property
    def _who(self) -> str:
        if not self.workers:
            return "the workers are not named"
        return f"on {listed(self.workers)}"


@dataclass(frozen=True, kw_only=True)
class UnreadableJob(Finding):
    """Jobs of one kind that failed in one way at every attempt, while `others` were done.

    `jobs` are told by first failure; `attempts` is how many of theirs failed in all.
    """

    term: ClassVar[str] = PoisonJob.term
    stage: ClassVar[Stage] = Stage.TRIGGER
    remedy: ClassVar[str] = (
        "Send a message that fails a few times to a dead-letter queue instead of trying it again, "
        "and check what is pushed where it is pushed."
    )

    job_class: str
    jobs: tuple[str, ...]
    attempts: int
    workers: tuple[str, ...]
    others: int
    error: str

    def sentence(self) -> str:
        where = f" on {listed(self.workers)}" if self.workers else ""
        return (
            f"{self._who} failed at every attempt ({counted(self.attempts, 'failure')}{where}) "
            f"from {instant(self.began)} to {instant(self.ended)}, while "
            f"{counted(self.others, 'other job')} went well: {self.error}"
        )

    def clause(self) -> str:
        return f"{self._who} {'fails' if len(self.jobs) == 1 else 'fail'} at every attempt"

    @property
    def _who(self) -> str:
        kind = f"{self.job_class.rpartition('.')[2]} job".strip()
        if len(self.jobs) == 1:
            return capital(f"{kind} {short(self.jobs[0])}")
        return f"{counted(len(self.jobs), kind)} ({listed([short(job) for job in self.jobs])})"


class PoisonJobDetector:
    """Finds jobs that take their workers with them; see the module."""

    term: ClassVar[str] = PoisonJob.term

    def detect(self, incident: Incident) -> Sequence[Finding] | NotEvaluated:
        if not heard(incident, Lane.QUEUE) and incident.jobs.named.is_empty():
            return NotEvaluated(self.term, "a job queue, or workers' logs with job ids")
        return [*_deadly(incident), *_unreadable(incident)][:MAX_FINDINGS]


def _deadly(incident: Incident) -> list[PoisonJob]:
    """Jobs that took their workers with them, most deaths first."""
    lost = [one for one in incident.lost_attempts if not one.outlived]
    if len(lost) < MIN_DEATHS:
        return []
    unplanned = [one for one in lost if not announced_stop(incident, one)]
    cured = _finished(incident, {one.job for one in unplanned})
    suspects = _repeated(one for one in unplanned if one.job not in cured)
    found = [_finding(incident, deaths, len(suspects) - 1) for deaths in suspects]
    return sorted(found, key=lambda one: (-len(one.deaths), one.began))


def _unreadable(incident: Incident) -> list[UnreadableJob]:
    """Jobs that failed in one way at every attempt; those of one kind and error are one finding."""
    groups: dict[tuple[str, str], list[FailingJob]] = {}
    for one in failing_jobs(incident):
        groups.setdefault((one.job_class, one.same), []).append(one)
    return [_misread(incident, group) for group in groups.values()]


def _misread(incident: Incident, group: Sequence[FailingJob]) -> UnreadableJob:
    failures = sorted(failure for one in group for failure in one.failures)
    jobs = tuple(one.job for one in group)
    workers = tuple(dict.fromkeys(worker for _, worker, _ in failures if worker))
    names = listed([short(job) for job in jobs])
    gone = absence(incident, [group[0].source], failures[0][0], failures[-1][0], jobs[0])
    link = "that it is the job's own fault is read from the others, which went well"
    verdict = weakest((Verdict.LIKELY, gone.verdict))
    if verdict is Verdict.POSSIBLE:
        link = f"a success may not have been seen: {gone.reasons[0]}"
    rows = [row for _, _, row in failures][:MAX_STEPS]
    steps: list[Step] = []
    for event in incident.snapshot.events_at(rows):
        order = before(steps[-1].event, event, incident.clocks) if steps else None
        steps.append(Step("failed", event, "the same error as at every other attempt", order))
    return UnreadableJob(
        verdict=verdict,
        weakest_link=link,
        began=failures[0][0],
        ended=failures[-1][0],
        steps=tuple(steps),
        keys=tuple(sorted(jobs)),
        would_decide=(f"Read what {names} carries, and compare it with a job that went well.",),
        alternatives=("what it works on is broken, and the job itself is not",),
        next_action=f"Set {names} aside in {group[0].source} before it is tried again.",
        job_class=group[0].job_class,
        jobs=jobs,
        attempts=len(failures),
        workers=workers,
        others=min(one.others for one in group),
        error=group[0].error[:200],
    )


def _finished(incident: Incident, jobs: set[str]) -> frozenset[str]:
    """Those of `jobs` that some attempt finished."""
    moves = incident.jobs.transitions.filter(pl.col("job").is_in(list(jobs)))
    done = moves.filter(pl.col("kind") == Kind.JOB_FINISHED.value)
    return frozenset(done.get_column("job").to_list())


def _repeated(lost: Iterable[LostAttempt]) -> list[list[LostAttempt]]:
    """Groups of at least `MIN_DEATHS` deaths: by id first, then by class and arguments."""
    by_id: dict[str, list[LostAttempt]] = {}
    for one in lost:
        by_id.setdefault(one.job, []).append(one)
    found = [deaths for deaths in by_id.values() if len(deaths) >= MIN_DEATHS]
    by_call: dict[tuple[str, str], list[LostAttempt]] = {}
    for deaths in by_id.values():
        for one in deaths:
            if len(deaths) < MIN_DEATHS and one.job_class and one.args:
                by_call.setdefault((one.job_class, one.args), []).append(one)
    return found + [deaths for deaths in by_call.values() if len(deaths) >= MIN_DEATHS]


def _finding(incident: Incident, deaths: Sequence[LostAttempt], others: int) -> PoisonJob:
    ordered = sorted(deaths, key=lambda one: one.noticed)
    first = ordered[0]
    jobs = tuple(dict.fromkeys(one.job for one in ordered))
    workers = tuple(dict.fromkeys(one.worker for one in ordered if one.worker))
    verdict, link = _verdict(ordered, jobs, workers, others)
    names = listed([short(job) for job in jobs])
    source = ordered[-1].source  # a log may tell of the first deaths, the queue keeps the last
    queue = f" in {source}" if source else ""
    return PoisonJob(
        verdict=verdict,
        weakest_link=link,
        began=min(one.lost_from for one in ordered),
        ended=ordered[-1].noticed,
        steps=_steps(incident, ordered),
        keys=tuple(sorted(jobs)),
        would_decide=("Run it alone in a process with a memory limit, away from the others.",),
        alternatives=(
            ("the workers' host kills whatever runs on it",) if others or len(workers) < 2 else ()
        ),
        next_action=f"Set {names} aside{queue} before starting more workers.",
        job_class=first.job_class,
        args=first.args,
        jobs=jobs,
        workers=workers,
        deaths=tuple(Death(o.job, o.worker, o.start, o.noticed, o.said) for o in ordered),
        others=others,
    )


def _verdict(
    deaths: Sequence[LostAttempt], jobs: Sequence[str], workers: Sequence[str], others: int
) -> tuple[Verdict, str]:
    if others >= 1:
        more = counted(others, "other job")
        return Verdict.POSSIBLE, f"{more} lost workers as often: the workers may be at fault"
    if len(jobs) > 1:
        return Verdict.LIKELY, "different ids; that it is one piece of work is read from arguments"
    named = all(one.named or one.sign == "killed" for one in deaths)
    if len(workers) >= MIN_DEATHS or named:
        return Verdict.CERTAIN, "no other job was lost twice, and none of its attempts finished"
    return Verdict.LIKELY, "the workers are not named; one that dies again looks the same"


def _steps(incident: Incident, deaths: Sequence[LostAttempt]) -> tuple[Step, ...]:
    told: dict[int, tuple[str, str]] = {}
    for number, one in enumerate(deaths, 1):
        if one.start_row is not None:
            told[one.start_row] = ("started", f"attempt {number} that is on record")
        told[one.row] = ("worker lost", f"it ended attempt {number}, and no error did")
    rows = list(told)[:MAX_STEPS]
    steps: list[Step] = []
    for row, event in zip(rows, incident.snapshot.events_at(rows), strict=True):
        role, why = told[row]
        order = before(steps[-1].event, event, incident.clocks) if steps else None
        steps.append(Step(role, event, why, order))
    return tuple(steps)
