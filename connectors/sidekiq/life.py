"""From one Sidekiq job and the place where it was found to the transitions it tells.

Sidekiq keeps the first and the last failure of a job and nothing of the attempts between; the
error is the last one's. Stamps are opinions of the process that pushed and of workers whose host
the job does not name.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from connectors.queues.payload import cut, keys_of, names_for
from connectors.queues.transitions import (
    CLIENT_CLOCK,
    WORKER_CLOCK,
    JobFacts,
    Moment,
    iso,
    transition,
)
from connectors.sidekiq.jobs import Job, Stamp
from timeline.event import Event, Kind, Meaning, Precision
from timeline.keys import KeyRules
from timeline.window import SECOND_NS

PUSH_GAP_NS = SECOND_NS
"""Sidekiq enqueues a job within milliseconds of creating it; a second later it was scheduled
before, or is being retried."""
SAME_DEATH_NS = SECOND_NS
"""The last failure and the death that follows from it are written by one process in turn; a death
later than this was somebody's decision (the web page, the API)."""


class Place(StrEnum):
    """Where a job was found, in Sidekiq's own words."""

    QUEUE = "queue"
    RUNNING = "work"
    SCHEDULE = "schedule"
    RETRY = "retry"
    DEAD = "dead"


STATUS = {
    Place.QUEUE: "waiting",
    Place.RUNNING: "running",
    Place.SCHEDULE: "scheduled",
    Place.RETRY: "waiting for a retry",
    Place.DEAD: "dead",
}


@dataclass(frozen=True, slots=True)
class Found:
    """One job where it was found. `at` is the score of its set or the start of its run, ns UTC."""

    place: Place
    job: Job
    at: int | None = None
    worker: str = ""
    """Process and thread that run it: `host:pid:nonce tid`."""
    host: str = ""
    last_beat: int | None = None
    """ns UTC of the running process's last heartbeat, by its own clock."""
    orphaned: bool = False
    """Whether it is on record as running in a process that has fallen silent."""


@dataclass(frozen=True, slots=True)
class JobLife:
    """Turns found jobs of one source into events."""

    source: str
    key_rules: KeyRules
    producer_clock: str = ""
    arguments: Mapping[str, Sequence[str]] = field(default_factory=dict)
    """Names of positional arguments by job class."""
    namespace: str = ""

    def of(self, found: Found) -> Iterator[Event]:
        """Every transition that is still on record, in the order of the job's life."""
        facts = self._facts(found)
        for moment in self._moments(found):
            yield transition(self.source, facts, moment)

    def keys(self, job: Job) -> tuple[str, ...]:
        """`job:<jid>`, Active Job's own id, and whatever the arguments name."""
        names = names_for(job.call.job_class, self.arguments)
        ids = [f"job:{job.jid}"]
        if job.call.active_job_id:
            ids.append(f"job:{job.call.active_job_id}")
        found = keys_of(self.key_rules, job.call.text, names, job.call.arguments)
        return tuple(dict.fromkeys((*ids, *found)))

    def _moments(self, found: Found) -> Iterator[Moment]:
        job = found.job
        created, enqueued = job.stamps.get("created_at"), job.stamps.get("enqueued_at")
        pushed_later = _later(created, enqueued)
        if created is not None and (enqueued is None or pushed_later):
            words = f"created for {job.queue}"
            if found.place is Place.SCHEDULE and found.at is not None:
                words = f"scheduled on {job.queue} for {iso(found.at)}"
            yield self._stamped(job, "created_at", Kind.JOB_ENQUEUED, words, stage=0)
        if enqueued is not None:
            again = "again " if pushed_later and job.failures else ""
            words = f"enqueued {again}on {job.queue}"
            yield self._stamped(
                job, "enqueued_at", Kind.JOB_ENQUEUED, words, stage=1, by_poller=pushed_later
            )
        yield from self._failures(found)
        if found.place is Place.RUNNING and found.at is not None:
            yield self._started(found)
        if found.place is Place.DEAD and found.at is not None:
            yield self._death(found)

    def _failures(self, found: Found) -> Iterator[Moment]:
        """The first failure and the last one; the error on record is the last one's."""
        job = found.job
        first, last = job.stamps.get("failed_at"), job.stamps.get("retried_at")
        final = last or first
        died_of_it = (
            found.place is Place.DEAD
            and found.at is not None
            and final is not None
            and abs(found.at - final.timestamp) < SAME_DEATH_NS
        )
        after = "was to be retried"
        if found.place is Place.RETRY and found.at is not None:
            after = f"comes due again at {iso(found.at)}"
        if first is not None and (last is not None or not died_of_it):
            words = f"failed on {job.queue} and {after if last is None else 'was to be retried'}"
            if last is not None:
                words += " (first of several failures; its error was overwritten)"
            error = job.error if last is None else ""
            yield self._stamped(job, "failed_at", Kind.JOB_RETRIED, words, error=error)
        if last is not None and not died_of_it:
            words = f"failed again on {job.queue} (failure {job.failures}) and {after}"
            yield self._stamped(job, "retried_at", Kind.JOB_RETRIED, words, error=job.error)

    def _started(self, found: Found) -> Moment:
        details: dict[str, object] = {}
        if found.last_beat is not None:
            details["last_heartbeat"] = iso(found.last_beat)
        stamp = found.at or 0
        return Moment(
            Kind.JOB_STARTED,
            stamp,
            f"started on {found.worker}",
            self._ref(found.job, f"run_at@{stamp}"),
            clock=found.host or WORKER_CLOCK,
            precision=Precision.SECOND,
            worker=found.worker,
            details=details,
        )

    def _death(self, found: Found) -> Moment:
        job, stamp = found.job, found.at or 0
        words = f"died on {job.queue or 'an unknown queue'}"
        if job.failures:
            words += f" after {job.failures} failed attempt{'' if job.failures == 1 else 's'}"
        elif job.unopened:
            words += " (Sidekiq files what it cannot read among the dead)"
        return Moment(
            Kind.JOB_DEAD,
            stamp,
            words,
            self._ref(job, f"died@{stamp}"),
            clock=WORKER_CLOCK,
            error=job.error,
        )

    def _stamped(
        self,
        job: Job,
        name: str,
        kind: Kind,
        words: str,
        *,
        stage: int | None = None,
        error: str = "",
        by_poller: bool = False,
    ) -> Moment:
        stamp = job.stamps[name]
        by_client = name in ("created_at", "enqueued_at")
        client = self.producer_clock or CLIENT_CLOCK
        return Moment(
            kind,
            stamp.timestamp,
            words,
            self._ref(job, f"{name}@{stamp.timestamp}"),
            clock=client if by_client and not by_poller else WORKER_CLOCK,
            meaning=Meaning.SENT if by_client else Meaning.OCCURRED,
            precision=stamp.unit,
            error=error,
            stage=stage,
        )

    def _facts(self, found: Found) -> JobFacts:
        job = found.job
        details: dict[str, object] = {"kept_in": found.place.value}
        details |= {name: iso(stamp.timestamp) for name, stamp in job.stamps.items()}
        if job.retry_count is not None:
            details["retry_count"] = job.retry_count
        if found.place in (Place.SCHEDULE, Place.RETRY) and found.at is not None:
            details["due_at"] = iso(found.at)
        if job.call.active_job_id:
            details["active_job_id"] = job.call.active_job_id
        if job.unopened:
            details["payload"] = job.unopened
        running = found.place is Place.RUNNING
        limit = job.retry_limit
        return JobFacts(
            id=job.jid,
            title=job.title,
            job_class=job.call.job_class,
            queue=job.queue,
            args=cut(job.call.text),
            status=STATUS[found.place],
            keys=self.keys(job),
            attempt=job.failures + running,
            retries_left=None
            if limit is None
            else max(limit - job.failures + 1 - running, 0)
            if job.failures
            else limit,
            details=details,
        )

    def _ref(self, job: Job, what: str) -> str:
        """By job and stamp, not by place: a job that moves on stays the same evidence."""
        prefix = f"{self.namespace}:" if self.namespace else ""
        return f"{prefix}sidekiq/{job.jid}#{what}"


def _later(created: Stamp | None, enqueued: Stamp | None) -> bool:
    return (
        created is not None
        and enqueued is not None
        and enqueued.timestamp - created.timestamp > PUSH_GAP_NS
    )
