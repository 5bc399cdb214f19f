"""From Resque's records to events: failures, running jobs, waiting ones, workers.

A waiting job has no time of its own: it is told as seen now, "enqueued no later than this", unless
Active Job says when. Jobs have no id either, so only Active Job's, and keys in arguments, join.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from connectors.queues.payload import cut, keys_of, names_for
from connectors.queues.transitions import (
    CLIENT_CLOCK,
    WORKER_CLOCK,
    JobFacts,
    Moment,
    iso,
    transition,
)
from connectors.resque.records import PRUNED, Failure, Job, Worker, host_of
from timeline.event import Event, Kind, Lane, Meaning, Precision, intrinsic_seq
from timeline.keys import KeyRules

PRUNE_S = 300
"""A worker silent for longer is pruned when the next one starts (resque 3.0.0, resque.rb)."""


@dataclass(frozen=True, slots=True)
class Retry:
    """A job that resque-retry put on the schedule again."""

    job: Job
    due: int
    """ns UTC."""
    attempt: int | None
    failure: Failure | None


@dataclass(frozen=True, slots=True)
class ResqueLife:
    """Turns records of one source into events."""

    source: str
    namespace: str
    key_rules: KeyRules
    producer_clock: str = ""
    arguments: Mapping[str, Sequence[str]] = field(default_factory=dict)
    """Names of positional arguments by job class."""

    def keys(self, job: Job) -> tuple[str, ...]:
        """Active Job's id, when there is one, and whatever the arguments name."""
        names = names_for(job.call.job_class, self.arguments)
        found = keys_of(self.key_rules, job.call.text, names, job.call.arguments)
        own = (f"job:{job.call.active_job_id}",) if job.call.active_job_id else ()
        return tuple(dict.fromkeys((*own, *found)))

    def failure(self, failure: Failure, key: str, nth: int) -> Iterator[Event]:
        """A failed job; `nth` tells apart records that are equal to the letter."""
        job = failure.job
        facts = self._facts(job, "failed", {"failed_at": failure.failed_text, "kept_in": key})
        ref = f"{key}#{failure.digest}" + (f"/{nth}" if nth else "")
        yield from self._enqueued(job, facts, ref)
        if failure.failed is not None:
            yield transition(self.source, facts, _failed(failure, ref))
        if failure.requeued is not None:
            words = f"put back on {job.queue} by hand after its failure"
            requeued = Moment(
                Kind.JOB_ENQUEUED,
                failure.requeued,
                words,
                f"{ref}@requeued",
                clock=CLIENT_CLOCK,
                precision=Precision.SECOND,
            )
            yield transition(self.source, facts, requeued)

    def retry(self, retry: Retry) -> Iterator[Event]:
        """The last failed attempt behind a job on the schedule, as resque-retry noted it."""
        failure = retry.failure
        if failure is None or failure.failed is None:
            return
        more: dict[str, object] = {"due_at": iso(retry.due)}
        facts = self._facts(retry.job, "waiting for a retry", more, retry.attempt)
        moment = Moment(
            Kind.JOB_RETRIED,
            failure.failed,
            f"failed on {retry.job.queue} and comes due again at {iso(retry.due)}",
            f"{self.namespace}:resque-retry#{failure.digest}",
            clock=WORKER_CLOCK,
            precision=Precision.SECOND,
            error=failure.error,
        )
        yield transition(self.source, facts, moment)

    def running(self, worker: Worker) -> Iterator[Event]:
        """The job that a worker runs now."""
        if worker.running is None:
            return
        more = {} if worker.beat is None else {"last_heartbeat": iso(worker.beat)}
        facts = self._facts(worker.running, "running", dict(more))
        ref = f"{self.namespace}:worker:{worker.identity}@{worker.run_at}"
        yield from self._enqueued(worker.running, facts, ref)
        if worker.run_at is not None:
            moment = Moment(
                Kind.JOB_STARTED,
                worker.run_at,
                f"started on {worker.name}",
                ref,
                clock=worker.host,
                precision=Precision.SECOND,
                worker=worker.name,
            )
            yield transition(self.source, facts, moment)

    def waiting(self, job: Job, place: str, ref: str, now: int) -> Iterator[Event]:
        """A job on a queue or on the schedule: when it was enqueued if told, else as seen now."""
        facts = self._facts(job, "waiting", {})
        if job.call.enqueued_at is not None:
            yield from self._enqueued(job, facts, ref)
            return
        facts = self._facts(job, "waiting", {"now": True})
        words = f"{place} (Resque keeps no time of it; seen now)"
        seen = Moment(Kind.JOB_ENQUEUED, now, words, f"{ref}@{now}", meaning=Meaning.POLLED)
        yield transition(self.source, facts, seen)

    def lifetime(self, worker: Worker, now: int, silent: bool) -> Iterator[Event]:
        """When a worker started and, when it has stopped beating, its last heartbeat."""
        stamps = [("started", worker.started, f"worker {worker.name} started", worker.host)]
        if silent:
            words = f"worker {worker.name}: last heartbeat; it has not been heard of since"
            clock = "" if worker.beat_by_server else worker.host
            stamps.append(("heartbeat", worker.beat, words, clock))
        for what, stamp, words, clock in stamps:
            if stamp is not None:
                yield self._change(worker, what, stamp, words, clock, now)

    def _enqueued(self, job: Job, facts: JobFacts, ref: str) -> Iterator[Event]:
        """When Active Job says that the job was enqueued."""
        if job.call.enqueued_at is None:
            return
        moment = Moment(
            Kind.JOB_ENQUEUED,
            job.call.enqueued_at,
            f"enqueued on {job.queue}",
            f"{ref}@enqueued",
            clock=self.producer_clock or CLIENT_CLOCK,
            meaning=Meaning.SENT,
            precision=job.call.precision,
        )
        yield transition(self.source, facts, moment)

    def _facts(
        self, job: Job, status: str, more: dict[str, object], attempt: int | None = None
    ) -> JobFacts:
        details = {**more, **({"payload": job.unopened} if job.unopened else {})}
        if attempt is None and job.call.executions is not None:
            details["executions"] = job.call.executions
        return JobFacts(
            id=job.call.active_job_id,
            title=job.title,
            job_class=job.call.job_class,
            queue=job.queue,
            args=cut(job.call.text),
            status=status,
            keys=self.keys(job),
            attempt=attempt,
            details=details,
        )

    def _change(
        self, worker: Worker, what: str, stamp: int, words: str, clock: str, now: int
    ) -> Event:
        ref = f"{self.namespace}:worker:{worker.identity}#{what}"
        details = {"worker": worker.identity}
        if what == "heartbeat":
            details["seen_at"] = iso(now)
        return Event(
            timestamp=stamp,
            source=self.source,
            lane=Lane.QUEUE,
            kind=Kind.CHANGE,
            body=words,
            ref=ref,
            seq=intrinsic_seq(ref),
            actor=worker.name,
            clock=clock,
            precision=Precision.SECOND,
            attributes=json.dumps(details, ensure_ascii=False),
        )


def _failed(failure: Failure, ref: str) -> Moment:
    """A failure as the worker stamped it; of a crash only when somebody filed it."""
    words = f"failed on {failure.job.queue}"
    if failure.crashed:
        words = f"was lost with its worker on {failure.job.queue}; filed when that was noticed"
        if PRUNED in failure.exception:
            words += f", the worker having been silent for {PRUNE_S} s (default) or more"
    return Moment(
        Kind.JOB_FAILED,
        failure.failed or 0,
        words,
        ref,
        clock=WORKER_CLOCK if failure.crashed else host_of(failure.worker) or WORKER_CLOCK,
        meaning=Meaning.INGESTED if failure.crashed else Meaning.OCCURRED,
        precision=Precision.SECOND,
        worker=":".join(failure.worker.split(":")[:2]),
        error=failure.error,
    )
