"""What five queues still remember of a job, as their connectors would tell it.

A `Job` is the whole truth; a `Brand` says which part of it is kept. The events themselves are made
by the connectors' own `transition`, so that their shape is the product's.
"""

from __future__ import annotations

import json
from bisect import bisect_left
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field

from connectors.queues.transitions import CLIENT_CLOCK, WORKER_CLOCK, JobFacts, Moment, iso
from timeline.coverage import Coverage, Sight
from timeline.event import SEVERITY_WARN, Event, Kind, Lane, Meaning, Precision, intrinsic_seq
from timeline.window import MINUTE_NS, SECOND_NS

RQ_KEEPS_NS = 500 * SECOND_NS
"""`result_ttl` of RQ: successes are dropped after it."""
STALL_NS = 30 * SECOND_NS
"""BullMQ's lock duration: a job whose worker died is given out again after it."""


@dataclass
class Attempt:
    """One run of a job; `ended` is None while it runs or when its worker died. ns UTC."""

    started: int
    ended: int | None
    outcome: str
    """`finished`, `failed`, `retried`, `dead`, `running` or `lost`."""
    worker: str = ""
    host: str = ""
    error: str = ""


@dataclass
class Job:
    """One job with everything that ever happened to it."""

    id: str
    job_class: str
    args: str
    keys: tuple[str, ...]
    queue: str
    host: str
    """Where it was pushed from."""
    pushed: list[int]
    attempts: list[Attempt] = field(default_factory=list)
    removed: bool = False
    """Gone from the queue without a trace, whatever its brand keeps."""
    due: int | None = None

    def state(self) -> str:
        return self.attempts[-1].outcome if self.attempts else "waiting"

    def facts(self, status: str, details: dict[str, object] | None = None) -> JobFacts:
        return JobFacts(
            id=self.id,
            title=f"{self.job_class}({self.args})",
            job_class=self.job_class,
            queue=self.queue,
            args=self.args,
            status=status,
            keys=tuple(dict.fromkeys((f"job:{self.id}", *self.keys))),
            attempt=len(self.attempts) or None,
            details=details or {},
        )


Told = tuple[JobFacts, Moment, str]
"""Facts, moment and the host that truly wrote the stamp."""


@dataclass(frozen=True, slots=True)
class Brand:
    """One queue's memory. `keeps` is how long successes stay (ns), None for ever."""

    name: str
    system: str
    forgets: str
    keeps: int | None
    tell: Callable[[Job], Iterator[Told]]

    def told(self, job: Job, now: int) -> Iterator[Told]:
        """Every transition that is on record at `now`."""
        done = job.state() == "finished"
        last = job.attempts[-1].ended if job.attempts else None
        if job.removed or (done and self.keeps is not None and (last or 0) < now - self.keeps):
            return
        yield from self.tell(job)

    def coverage(self, start: int, end: int, now: int) -> tuple[Coverage, ...]:
        """What the window's silence is worth."""
        horizon = start if self.keeps is None else min(max(start, now - self.keeps), end)
        found = []
        if horizon > start:
            found.append(Coverage(self.name, start, horizon, Sight.NOW_ONLY, self.forgets))
        if horizon < end:
            found.append(Coverage(self.name, horizon, end, Sight.FULL, "what ended is still kept"))
        return tuple(found)


ENDS = {
    "finished": (Kind.JOB_FINISHED, "finished"),
    "failed": (Kind.JOB_FAILED, "failed"),
    "retried": (Kind.JOB_RETRIED, "failed and will be tried again"),
    "dead": (Kind.JOB_DEAD, "used up its retries"),
}


def _rq(job: Job) -> Iterator[Told]:
    """The last push and the last start stand in the hash, every end in the result stream."""
    details: dict[str, object] = {"enqueued_at": iso(job.pushed[-1])}
    status = {"running": "started", "lost": "started"}.get(job.state(), job.state())
    facts = job.facts(status, details)
    for place, stamp in enumerate(dict.fromkeys((job.pushed[0], job.pushed[-1]))):
        words = f"enqueued {'again ' if place else ''}on {job.queue}"
        name = "enqueued_at" if place or len(job.pushed) == 1 else "created_at"
        ref = f"rq:job:{job.id}#{name}"
        yield facts, _sent(stamp, words, ref, Precision.MICROSECOND), job.host
    for place, attempt in enumerate(job.attempts):
        if place == len(job.attempts) - 1:
            words = f"started on {attempt.worker or 'a worker'}"
            ref = f"rq:job:{job.id}#started_at"
            yield facts, _run(Kind.JOB_STARTED, attempt.started, words, ref, attempt), attempt.host
        if attempt.ended is not None and attempt.outcome in ENDS:
            kind, verb = ENDS[attempt.outcome]
            ref = f"rq:results:{job.id}@{attempt.ended // 1_000_000}-0"
            moment = _run(kind, attempt.ended, f"{verb} on {job.queue}", ref, attempt)
            yield facts, moment, attempt.host


def _bullmq(job: Job) -> Iterator[Told]:
    """The event stream, stamped by Redis; a lost attempt shows as stalled."""
    facts = job.facts(job.state())
    for stamp in job.pushed:
        ref = f"bull:{job.queue}:events@{stamp}-{job.id}-added"
        words = f"added to {job.queue}"
        yield facts, Moment(Kind.JOB_ENQUEUED, stamp, words, ref, precision=_MS), ""
    for attempt in job.attempts:
        ref = f"bull:{job.queue}:events@{attempt.started}-{job.id}-active"
        words = f"started on {job.queue}"
        yield facts, Moment(Kind.JOB_STARTED, attempt.started, words, ref, precision=_MS), ""
        if attempt.outcome == "lost" and attempt.ended is not None:
            stamp = attempt.ended
            lost: dict[str, object] = {
                "declared_lost_at": iso(stamp),
                "lock_last_renewed_before": iso(stamp - STALL_NS),
                "started_at": iso(attempt.started),
            }
            words = "stalled: its lock had expired and it waits again"
            ref = f"bull:{job.queue}:events@{stamp}-{job.id}-stalled"
            moment = Moment(Kind.JOB_RETRIED, stamp, words, ref, precision=_MS, details=lost)
            yield facts, moment, ""
        elif attempt.ended is not None and attempt.outcome in ENDS:
            kind, verb = ENDS[attempt.outcome]
            ref = f"bull:{job.queue}:events@{attempt.ended}-{job.id}-{verb}"
            words = f"{verb} on {job.queue}"
            moment = Moment(kind, attempt.ended, words, ref, precision=_MS, error=attempt.error)
            yield facts, moment, ""


def _good_job(job: Job) -> Iterator[Told]:
    """A row for the job and one for every attempt, stamped by the application."""
    facts = job.facts(job.state())
    for place, stamp in enumerate(job.pushed):
        ref = f"good_jobs/{job.id}#created_at@{place}"
        yield facts, _sent(stamp, f"enqueued on {job.queue}", ref, Precision.MICROSECOND), job.host
    for place, attempt in enumerate(job.attempts):
        ref = f"good_job_executions/{job.id}.{place}#created_at@{attempt.started}"
        moment = _run(Kind.JOB_STARTED, attempt.started, f"started on {job.queue}", ref, attempt)
        yield facts, moment, attempt.host
        if attempt.ended is not None and attempt.outcome in ENDS:
            kind, verb = ENDS[attempt.outcome]
            ref = f"good_job_executions/{job.id}.{place}#finished_at@{attempt.ended}"
            words = f"{verb} on {job.queue}"
            yield facts, _run(kind, attempt.ended, words, ref, attempt), attempt.host


def _sidekiq(job: Job) -> Iterator[Told]:
    """Only what waits, runs, is to be retried or is dead; successes leave no trace."""
    state = job.state()
    if state in ("finished", "lost"):
        return
    kept = {"waiting": "queue", "running": "work", "dead": "dead"}.get(state, "retry")
    facts = job.facts(kept, {"kept_in": kept, "enqueued_at": iso(job.pushed[-1])})
    ref = f"sidekiq/{job.id}#enqueued_at@{job.pushed[-1]}"
    words = f"enqueued on {job.queue}"
    yield facts, _sent(job.pushed[-1], words, ref, Precision.MILLISECOND), job.host
    if not job.attempts:
        return
    last = job.attempts[-1]
    if state == "running":
        stamp = last.started // SECOND_NS * SECOND_NS
        ref = f"sidekiq/{job.id}#run_at@{stamp}"
        moment = Moment(
            Kind.JOB_STARTED,
            stamp,
            f"started on {last.worker}",
            ref,
            clock=last.host or WORKER_CLOCK,
            precision=Precision.SECOND,
            worker=last.worker,
        )
        yield facts, moment, last.host
    elif last.ended is not None:
        kind = Kind.JOB_DEAD if state == "dead" else Kind.JOB_RETRIED
        verb = "died on" if state == "dead" else "failed, is to be retried on"
        ref = f"sidekiq/{job.id}#failed_at@{last.ended}"
        moment = Moment(
            kind,
            last.ended,
            f"{verb} {job.queue}",
            ref,
            clock=WORKER_CLOCK,
            precision=_MS,
            error=last.error,
        )
        yield facts, moment, last.host


def _nothing(_job: Job) -> Iterator[Told]:
    return iter(())


_MS = Precision.MILLISECOND
BRANDS = {
    brand.name: brand
    for brand in (
        Brand("rq", "rq 3.0", "keeps no successes after 500 s", RQ_KEEPS_NS, _rq),
        Brand("bullmq", "bullmq 5.1", "", None, _bullmq),
        Brand("good-job", "good-job 4.19", "", None, _good_job),
        Brand("sidekiq", "sidekiq 7.3", "keeps no successful jobs", 0, _sidekiq),
        Brand("sqs", "sqs", "never shows messages, only how many there are", 0, _nothing),
    )
}
REMEMBERING = ("bullmq", "good-job")
"""Brands that keep every attempt."""
SHOWING = ("rq", "bullmq", "good-job", "sidekiq")
"""Brands that show single jobs at all."""


def _sent(stamp: int, words: str, ref: str, precision: Precision) -> Moment:
    return Moment(
        Kind.JOB_ENQUEUED,
        stamp,
        words,
        ref,
        clock=CLIENT_CLOCK,
        meaning=Meaning.SENT,
        precision=precision,
    )


def _run(kind: Kind, stamp: int, words: str, ref: str, attempt: Attempt) -> Moment:
    error = attempt.error if kind not in (Kind.JOB_STARTED, Kind.JOB_FINISHED) else ""
    return Moment(
        kind,
        stamp,
        words,
        ref,
        clock=attempt.host or WORKER_CLOCK,
        worker=attempt.worker,
        error=error,
    )


def earlier(stamps: Iterable[int]) -> Callable[[int], int]:
    """How many of `stamps` lie before an instant: sorted once, asked for every sample."""
    ordered = sorted(stamps)
    return lambda instant: bisect_left(ordered, instant)


@dataclass(frozen=True, slots=True)
class Flows:
    """How many of a queue's jobs had come, been taken and been left before an instant (ns)."""

    pushed: Callable[[int], int]
    taken: Callable[[int], int]
    again: Callable[[int], int]
    finished: Callable[[int], int]
    came: Callable[[int], int]
    no_longer_waiting: Callable[[int], int]
    over: Callable[[int], int]

    @classmethod
    def of(cls, jobs: list[Job]) -> Flows:
        runs = [attempt for job in jobs for attempt in job.attempts]
        ended = [(run, run.ended) for run in runs if run.ended is not None]
        return cls(
            pushed=earlier(stamp for job in jobs for stamp in job.pushed),
            taken=earlier(run.started for run in runs),
            again=earlier(run.started for job in jobs for run in job.attempts[1:]),
            finished=earlier(end for run, end in ended if run.outcome == "finished"),
            came=earlier(job.pushed[0] for job in jobs),
            no_longer_waiting=earlier(
                max(job.pushed[0], job.attempts[0].started) for job in jobs if job.attempts
            ),
            over=earlier(max(run.started, end) for run, end in ended),
        )

    def waiting(self, instant: int) -> int:
        return self.came(instant) - self.no_longer_waiting(instant)

    def running(self, instant: int) -> int:
        return self.taken(instant) - self.over(instant)


def sqs_samples(source: str, queue: str, jobs: list[Job], start: int, end: int) -> Iterator[Event]:
    """CloudWatch's counts of every minute, as the SQS connector tells them."""
    flows = Flows.of(jobs)
    for minute in range(start // MINUTE_NS, end // MINUTE_NS):
        low, high = minute * MINUTE_NS, (minute + 1) * MINUTE_NS
        sent = flows.pushed(high) - flows.pushed(low)
        received = flows.taken(high) - flows.taken(low)
        deleted = flows.finished(high) - flows.finished(low)
        waiting, running = flows.waiting(high), flows.running(high)
        values = {
            "queue": queue,
            "depth": waiting,
            "running": running,
            "sent": sent,
            "received": received,
            "deleted": deleted,
            "interval_s": 60,
        }
        stuck = received > 0 and deleted == 0
        ref = f"AWS/SQS/{queue}@{low // SECOND_NS}"
        words = f"{queue}: {waiting} visible, {running} in flight, {sent} sent in 60 s"
        yield Event(
            timestamp=low,
            source=source,
            lane=Lane.QUEUE,
            kind=Kind.METRIC,
            body=words,
            ref=ref,
            seq=intrinsic_seq(ref),
            severity_number=SEVERITY_WARN if stuck else 0,
            actor=queue,
            clock="CloudWatch",
            precision=Precision.MINUTE,
            attributes=json.dumps(values),
        )
