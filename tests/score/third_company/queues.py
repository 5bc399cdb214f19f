"""Solid Queue, Procrastinate, Dramatiq and RabbitMQ as far as each of them remembers a job.

Stamps, clocks and words come from the connectors' own descriptions. Successes of Dramatiq leave no
trace, RabbitMQ tells counts only, Solid Queue forgets when an ended job was started.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from connectors.queues.transitions import CLIENT_CLOCK, Moment
from connectors.sqlqueue.procrastinate import SYSTEM as PROCRASTINATE
from connectors.sqlqueue.shape import Stamp
from connectors.sqlqueue.solid_queue import KEPT_S
from connectors.sqlqueue.solid_queue import SYSTEM as SOLID_QUEUE
from tests.score.queues import BRANDS, Attempt, Brand, Job, Told
from timeline.event import Kind, Meaning, Precision
from timeline.window import SECOND_NS

PRUNED = (
    '{"exception_class":"SolidQueue::Processes::ProcessPrunedError",'
    '"message":"Process was found dead and pruned"}'
)
"""What Solid Queue files for the jobs of a process that stopped beating."""
FORGETFUL = "keeps no message that was worked off"
COUNTS_ONLY = "shows how many messages there are, never which"

_SOLID_STATES = {
    "waiting": "ready",
    "running": "claimed",
    "lost": "claimed",
    "finished": "finished",
    "failed": "failed",
    "dead": "failed",
    "retried": "scheduled",
}
_PROCRASTINATE_STATES = {
    "waiting": "todo",
    "running": "doing",
    "lost": "doing",
    "finished": "succeeded",
    "failed": "failed",
    "dead": "failed",
    "retried": "todo",
}
_PROCRASTINATE_ENDS = {
    "finished": "succeeded",
    "failed": "failed",
    "dead": "failed",
    "retried": "deferred_for_retry",
}
_SOLID_STAMPS = {(s.name, s.meaning is Meaning.POLLED): s for s in SOLID_QUEUE.jobs.stamps}
_STEPS: Mapping[str, Stamp] = (
    {stamp.states[0]: stamp for stamp in PROCRASTINATE.history.stamps}
    if PROCRASTINATE.history is not None
    else {}
)


def _solid(job: Job) -> Iterator[Told]:
    """The push, the claim while it lasts, and one end."""
    last = job.attempts[-1] if job.attempts else None
    state = job.state()
    pruned = last is not None and last.outcome == "lost" and last.ended is not None
    status = "failed: its process died" if pruned else _SOLID_STATES[state]
    facts = job.facts(status)
    pushed = _SOLID_STAMPS["created_at", False]
    yield facts, _stamped(pushed, job.pushed[-1], job, f"solid_queue_jobs/{job.id}"), job.host
    if last is None:
        return
    if state in ("running", "lost") and not pruned:
        claimed = _SOLID_STAMPS["claimed_at", False]
        ref = f"solid_queue_claimed_executions/{job.id}"
        yield facts, _stamped(claimed, last.started, job, ref, last), last.host
    elif last.ended is not None and state != "retried":
        name = "finished_at" if state == "finished" else "failed_at"
        ref = f"solid_queue_jobs/{job.id}#{name}"
        stamp = _SOLID_STAMPS[name, pruned]
        yield facts, _stamped(stamp, last.ended, job, ref, last), "" if pruned else last.host


def _procrastinate(job: Job) -> Iterator[Told]:
    """A row for every step, stamped by the database."""
    facts = job.facts(_PROCRASTINATE_STATES[job.state()])
    steps = [("deferred", stamp) for stamp in job.pushed]
    for attempt in job.attempts:
        steps.append(("started", attempt.started))
        if attempt.ended is not None and attempt.outcome in _PROCRASTINATE_ENDS:
            steps.append((_PROCRASTINATE_ENDS[attempt.outcome], attempt.ended))
    for number, (step, at) in enumerate(steps):
        ref = f"procrastinate_events/{job.id}.{number}"
        yield facts, _stamped(_STEPS[step], at, job, ref), ""


def _dramatiq(job: Job) -> Iterator[Told]:
    """What waits, what waits for its next attempt, and what was given up."""
    state = job.state()
    kept = {"waiting": "waiting", "retried": "delayed", "failed": "dead", "dead": "dead"}
    if state not in kept:
        return
    facts = job.facts(kept[state], {"kept_in": kept[state]})
    ref = f"dramatiq:{job.queue}:{job.id}"
    words = f"enqueued on {job.queue}"
    yield facts, _milliseconds(Kind.JOB_ENQUEUED, job.pushed[-1], words, ref + "@sent"), job.host
    last = job.attempts[-1] if job.attempts else None
    if last is None or last.ended is None:
        return
    kind = Kind.JOB_RETRIED if state == "retried" else Kind.JOB_DEAD
    verb = "failed, waits for its next attempt" if state == "retried" else "was given up"
    moment = _milliseconds(kind, last.ended, f"{verb} on {job.queue}", ref + "@failed", last)
    yield facts, moment, last.host


def _rabbitmq(_job: Job) -> Iterator[Told]:
    return iter(())


QUEUES: Mapping[str, Brand] = {
    "solid-queue": Brand(
        SOLID_QUEUE.name, "solid_queue 1.1", SOLID_QUEUE.forgets, KEPT_S * SECOND_NS, _solid
    ),
    "good-job": BRANDS["good-job"],
    "procrastinate": Brand(
        PROCRASTINATE.name, "procrastinate 3.2", PROCRASTINATE.forgets, None, _procrastinate
    ),
    "dramatiq": Brand("dramatiq", "dramatiq 1.17", FORGETFUL, 0, _dramatiq),
    "rabbitmq": Brand("rabbitmq", "rabbitmq 4.0", COUNTS_ONLY, 0, _rabbitmq),
}


def _stamped(stamp: Stamp, at: int, job: Job, ref: str, attempt: Attempt | None = None) -> Moment:
    worker = attempt.worker if attempt is not None else ""
    words = {"queue": job.queue, "worker": worker or "?", "attempt": len(job.attempts), "later": ""}
    error = attempt.error if attempt is not None else ""
    return Moment(
        stamp.kind,
        at,
        stamp.words.format_map(words),
        f"{ref}@{at}",
        clock=stamp.clock,
        meaning=stamp.meaning,
        precision=Precision.MICROSECOND,
        worker=worker,
        error=error if stamp.with_error else "",
    )


def _milliseconds(
    kind: Kind, at: int, words: str, ref: str, attempt: Attempt | None = None
) -> Moment:
    sent = kind is Kind.JOB_ENQUEUED
    return Moment(
        kind,
        at,
        words,
        ref,
        clock=CLIENT_CLOCK,
        meaning=Meaning.SENT if sent else Meaning.OCCURRED,
        precision=Precision.MILLISECOND,
        error=attempt.error if attempt is not None else "",
    )
