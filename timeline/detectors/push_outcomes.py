"""What became of a push that ended in an error: arrived, doubled, lost, or nobody can say.

Owned by `ambiguous_enqueue`. A positive needs an exact id and a fitting time; a negative needs
`absence` of every source that would have seen the job.
"""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

from timeline.errors.kinds import Outcome
from timeline.event import Lane
from timeline.facts.pushes import WRITE_SLACK_NS, FailedPush
from timeline.facts.sight import absence, covered_until, heard, read_until
from timeline.facts.witnesses import JobSeen, Witnesses
from timeline.facts.words import counted, instant, short
from timeline.order import Verdict, weakest

if TYPE_CHECKING:
    from timeline.incident import Incident

RETRY_NS = 120_000_000_000
"""A job for the entity pushed within two minutes of the error belongs to the same attempt to get
it done (a client's or an application's retry); a later one is a repair."""

RUN_WITHIN_NS = 60_000_000_000
"""A push that arrived shows itself within a minute: in the queue, in a worker's log, in a row."""

NO_ROWS = "no database was read, so even its row is not known to be there"

LOST, EXECUTED, DOUBLED, ROLLED_BACK, UNKNOWN, NOT_SENT = (
    "lost",
    "executed",
    "doubled",
    "rolled back",
    "unknown",
    "not sent",
)
OUTCOMES = (LOST, UNKNOWN, DOUBLED, ROLLED_BACK, NOT_SENT, EXECUTED)
"""Worst first. `executed` means that the push arrived; `not sent` that it certainly did not."""


@dataclass(frozen=True, slots=True)
class PushCase:
    """One entity's failed push and what became of it. Instants in ns UTC.

    `jobs` are the keys of jobs that the push produced, `witness_rows` event rows that show it.
    """

    key: str
    request: str
    actor: str
    outcome: str
    verdict: Verdict
    because: str
    error: str
    failed_at: int
    jobs: tuple[str, ...]
    error_rows: tuple[int, ...]
    witness_rows: tuple[int, ...]


def case_of(incident: Incident, push: FailedPush, seen: Witnesses) -> PushCase | None:
    """The case of one push, or None when the error was not about pushing at all."""
    titles = _titles(incident, push)
    jobs = _jobs_of(push, seen, titles)
    if not push.worded and jobs:
        return None  # something else on the broker failed: the push itself is there
    positive = _arrived(push, seen, jobs, titles)
    if positive is None and push.outcome == Outcome.NOT_EXECUTED.value:
        positive = (NOT_SENT, Verdict.CERTAIN, "the connection was never made", ())
    outcome, verdict, because, rows = positive or _gone(incident, push, seen)
    if jobs and seen.record is None:
        outcome, verdict, because = _without_row(incident, push)
    if not push.worded:
        verdict = weakest((verdict, Verdict.POSSIBLE))
        because = "the error line does not say that it was a push"
    return PushCase(
        key=push.key,
        request=push.request,
        actor=push.actor,
        outcome=outcome,
        verdict=verdict,
        because=because,
        error=push.error_class,
        failed_at=push.failed_at,
        jobs=tuple(job.job for job in jobs),
        error_rows=push.rows,
        witness_rows=rows,
    )


_Judged = tuple[str, Verdict, str, tuple[int, ...]]


def _titles(incident: Incident, push: FailedPush) -> frozenset[str]:
    """Squeezed names of known kinds of job that the error speaks of; empty when it names none."""
    text = _squeezed(push.body)
    known = incident.jobs.transitions.get_column("job_class").drop_nulls().unique()
    titles = {_squeezed(_title(name)) for name in known}
    return frozenset(title for title in titles if title and title in text)


def _jobs_of(push: FailedPush, seen: Witnesses, titles: frozenset[str]) -> list[JobSeen]:
    """Jobs of the entity that this push or its retries can have produced.

    When the error names the kind of job, jobs of another kind are none of them.
    """
    since, until = push.since - WRITE_SLACK_NS, push.failed_at + RETRY_NS
    return [
        job
        for job in seen.jobs
        if since <= (job.first_seen if job.enqueued is None else job.enqueued) <= until
        and (not titles or not job.job_class or _squeezed(_title(job.job_class)) in titles)
    ]


def _squeezed(text: str) -> str:
    """`text` so that `welcome_mail` and `WelcomeMail` read alike."""
    return text.replace("_", "").lower()


def _title(job_class: str) -> str:
    """The last part of a class or function name, module and namespace cut."""
    return re.split(r"\.|::|\(", job_class.partition("(")[0])[-1]


def _arrived(
    push: FailedPush, seen: Witnesses, jobs: list[JobSeen], titles: frozenset[str]
) -> _Judged | None:
    if jobs:
        return _by_jobs(push, jobs, titles)
    until = push.failed_at + RETRY_NS
    effects = [
        effect
        for effect in seen.effects
        if effect.created is not None
        and push.since <= effect.created <= until
        and not (seen.record and effect.created == seen.record.created)
    ]
    lines = [line for line in seen.worker_lines if push.since <= line[0] <= until]
    named = [line for line in lines if any(title in _squeezed(line[2]) for title in titles)]
    told = named or lines
    rows = tuple([effect.any_row for effect in effects][:2] + [line[1] for line in told][:2])
    if effects and named:
        words = f"a worker wrote of this kind of job, and {effects[0].table} has a row for it"
        return EXECUTED, Verdict.CERTAIN, words, rows
    if lines:
        return EXECUTED, Verdict.LIKELY, f"a worker wrote of it at {instant(told[0][0])}", rows
    if effects:
        words = f"{effects[0].table} has a row for it, written after the push"
        return EXECUTED, Verdict.LIKELY, words, rows
    return None


def _by_jobs(push: FailedPush, jobs: list[JobSeen], titles: frozenset[str]) -> _Judged:
    rows = tuple(job.row for job in jobs)
    alike = Counter((job.job_class, job.args) for job in jobs)
    (_, args), copies = alike.most_common(1)[0]
    if copies > 1:
        verdict = Verdict.LIKELY if args is None else Verdict.CERTAIN
        return DOUBLED, verdict, f"{copies} jobs with the same arguments are there", rows
    first = jobs[0]
    told = f"job {short(first.job)} is there ({first.status or 'seen'})"
    if first.enqueued is None or first.enqueued > push.failed_at + WRITE_SLACK_NS:
        return EXECUTED, Verdict.LIKELY, f"{told}, perhaps from a later push", rows
    if not titles:
        return EXECUTED, Verdict.LIKELY, f"{told}; the error does not say which job it pushed", rows
    return EXECUTED, Verdict.CERTAIN, told, rows


def _gone(incident: Incident, push: FailedPush, seen: Witnesses) -> _Judged:
    """Nothing shows that the push arrived: how sure is it that it did not?"""
    queues, workers = heard(incident, Lane.QUEUE), _worker_sources(incident)
    until = read_until(incident)
    if not queues and not workers:
        return UNKNOWN, Verdict.POSSIBLE, "neither a queue nor a worker's log was read", ()
    if seen.record is None:
        rows = "its row is not visible either" if heard(incident, Lane.DATABASE) else NO_ROWS
        return UNKNOWN, Verdict.POSSIBLE, rows, ()
    reached = covered_until(incident, (*queues, *workers), push.since, push.key)
    if reached >= push.failed_at + RUN_WITHIN_NS:
        until = min(until, reached)
    held = [
        absence(incident, sources, push.since, until, push.key) for sources in (queues, workers)
    ]
    reasons = [reason for gone in held for reason in gone.reasons]
    if not queues:
        reasons.insert(0, "no queue was read")
    if not workers:
        reasons.append("no worker's log was read")
    verdict = weakest(gone.verdict for gone in held)
    if verdict is Verdict.CERTAIN:
        told = f"{counted(len(queues) + len(workers), 'source')} would show it and none does"
        return LOST, verdict, f"{told}, up to {instant(until)}", ()
    return LOST, verdict, f"not visible, which is not missing: {reasons[0]}", ()


def _without_row(incident: Incident, push: FailedPush) -> tuple[str, Verdict, str]:
    """A job without its row: the request was rolled back after the push had arrived."""
    gone = absence(incident, incident.sources_in(Lane.DATABASE), push.since, read_until(incident))
    told = next(iter(gone.reasons), "the row is not in any table that was read")
    return ROLLED_BACK, weakest((gone.verdict, Verdict.LIKELY)), told


def _worker_sources(incident: Incident) -> tuple[str, ...]:
    """Log sources in which workers speak."""
    workers = incident.workers
    if not workers:
        return ()
    pairs = incident.snapshot.events.select("source", "actor", "lane").unique()
    return tuple(
        sorted(
            {
                str(source)
                for source, actor, lane in pairs.iter_rows()
                if lane == Lane.LOG.value and actor in workers
            }
        )
    )
