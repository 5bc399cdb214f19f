"""job-before-commit: a job looked for a row whose transaction had not committed yet.

Story: one transaction writes the row and pushes the job; the worker is faster than the COMMIT, its
lookup fails, and a retry later succeeds.

Predicate: a job failed with "not found" for the entity in its arguments, and that row is visible
later on the primary. Told apart: `pre-commit` (a), `rollback` (b: the row never appeared and its
transaction ended badly), `update` (c: the job finished on the old version), and
`other-transaction` (d: a commit was logged before the push, but not the one that mattered).

The proof needs no clock: the id is in the job's arguments, so it was assigned before the push; the
primary answered "not found" inside the job; the primary holds the row now.

False positives: a deleted or soft-deleted row and a commit before the lookup (silent), a replica,
another shard, an id used again, a row far older than the job (at most possible).

Reference: order violation; sidekiq/sidekiq#322, rails/rails#51426, discourse/discourse#11293.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from timeline.detectors.commit_races import JobStory, RacedJob, phantom_jobs, raced_jobs, stale_jobs
from timeline.event import Lane
from timeline.facts.sight import heard
from timeline.facts.words import abridged, counted, instant, length, listed, short
from timeline.finding import Finding, NotEvaluated
from timeline.order import Verdict, weakest

if TYPE_CHECKING:
    from timeline.incident import Incident

STORIES = {
    "pre-commit": "ran before its row was visible",
    "other-transaction": "ran before its row was visible, although a commit came before the push",
    "rollback": "looked for a row whose transaction was rolled back",
    "update": "finished while the update it was pushed for was still uncommitted",
}


@dataclass(frozen=True, kw_only=True)
class JobBeforeCommit(Finding):
    """Jobs of one class that raced one table's commits in one way. `cases` hold the ids.

    `healed` counts the cases in which a later attempt finished.
    """

    term: ClassVar[str] = "job-before-commit"
    remedy: ClassVar[str] = (
        "Push the job after the commit (after_commit, on_commit, a transactional outbox) or keep "
        "the queue in the same database; a delay or a retry only hides the race."
    )

    variant: str
    job_class: str
    table: str
    cases: tuple[RacedJob, ...]
    healed: int

    def sentence(self) -> str:
        first = self.cases[0]
        names = listed([short(case.key) for case in self.cases], 3)
        kind = f"{self.job_class} job".strip()
        again = f"; {counted(self.healed, 'later attempt')} finished" if self.healed else ""
        waited = ""
        if first.visible is not None and first.visible > first.looked_up:
            waited = f", {length(first.visible - first.looked_up)} before it was committed"
        return abridged(
            f"{counted(len(self.cases), kind)} {self._story}: {self.table} "
            f"{names} (first at {instant(first.looked_up)}{waited}){again}."
        )

    def clause(self) -> str:
        return f"{counted(len(self.cases), 'job')} {self._story}"

    @property
    def _story(self) -> str:
        story = STORIES[self.variant]
        return story if len(self.cases) == 1 else _plural(story)


class JobBeforeCommitDetector:
    """Finds jobs that looked for a row too early; see the module."""

    term: ClassVar[str] = JobBeforeCommit.term

    def detect(self, incident: Incident) -> Sequence[Finding] | NotEvaluated:
        missing = _missing(incident)
        if missing:
            return NotEvaluated(self.term, " and ".join(missing))
        stories = [*raced_jobs(incident), *phantom_jobs(incident), *stale_jobs(incident)]
        groups: dict[tuple[str, str, str, Verdict], list[JobStory]] = {}
        for story in stories:
            case = story.case
            key = (case.variant, case.job_class, case.table, case.verdict)
            groups.setdefault(key, []).append(story)
        findings = [_finding(group) for group in groups.values()]
        return sorted(findings, key=lambda found: (_rank(found.verdict), found.began))


def _missing(incident: Incident) -> list[str]:
    """Words for the sources without which this race cannot be seen."""
    missing = []
    if incident.jobs.entities.is_empty() and not heard(incident, Lane.QUEUE):
        missing.append("jobs with their arguments (a queue, or logs with job ids)")
    if not heard(incident, Lane.DATABASE):
        missing.append("the rows the jobs work on (a database)")
    return missing


def _finding(stories: list[JobStory]) -> JobBeforeCommit:
    stories = sorted(stories, key=lambda story: (story.case.looked_up, story.case.job))
    story, cases = stories[0], [story.case for story in stories]
    first = story.case
    keys = {key for case in cases for key in (case.job, case.key, case.record) if key}
    ids = listed([short(case.key) for case in cases])
    return JobBeforeCommit(
        verdict=weakest(case.verdict for case in cases),
        weakest_link=first.because,
        began=min(story.steps[0].event.timestamp, first.looked_up),
        ended=max(case.looked_up for case in cases),
        steps=story.steps,
        keys=tuple(sorted(keys)),
        would_decide=_would_decide(first),
        alternatives=story.alternatives,
        next_action=_next(cases, ids),
        variant=first.variant,
        job_class=first.job_class,
        table=first.table,
        cases=tuple(cases),
        healed=sum(case.healed for case in cases),
    )


def _would_decide(case: RacedJob) -> tuple[str, ...]:
    wanted = [f"Confirm that the worker of {case.job_class or short(case.job)} reads the primary."]
    if case.visible is None:
        wanted.append(
            "Read the commit time: track_commit_timestamp, or the transaction's log line."
        )
    return tuple(wanted)


def _next(cases: list[RacedJob], ids: str) -> str:
    stuck = [case for case in cases if not case.healed]
    title = cases[0].job_class or "the job"
    if not stuck:
        return ""
    if cases[0].variant == "rollback":
        return f"Discard {title} for {ids}: the row will not appear."
    if cases[0].variant == "update":
        return f"Check what {title} did for {ids}; it worked on the old version."
    return (
        f"Replay {title} for {listed([short(case.key) for case in stuck])}: the row is there now."
    )


def _rank(verdict: Verdict) -> int:
    return list(Verdict).index(verdict)


def _plural(story: str) -> str:
    return story.replace("its row was", "their rows were").replace(
        "for a row whose", "for rows whose"
    )
