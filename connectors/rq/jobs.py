"""From one RQ job as Redis holds it to the transitions it tells.

Stamps are opinions of three clocks: the process that enqueued (unknown host), the worker, and
Redis itself (stream ids). Text fields only: `data`, `meta` and return values are pickles and are
never fetched into anything that could load them.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from connectors.queues.transitions import (
    CLIENT_CLOCK,
    LATEST_NS,
    WORKER_CLOCK,
    JobFacts,
    Moment,
    iso,
    transition,
)
from connectors.rq.decoding import (
    inflated,
    nanoseconds,
    positional,
    seconds,
    whole_number,
)
from timeline.clean import clean, clean_bytes
from timeline.event import Event, Kind, Meaning, Precision
from timeline.keys import KeyRules

JOB_FIELDS = (
    "status",
    "created_at",
    "enqueued_at",
    "started_at",
    "ended_at",
    "origin",
    "worker_name",
    "retries_left",
    "number_of_retries",
    "result_ttl",
    "failure_ttl",
)
LONG_FIELDS = ("description", "exc_info")
"""Fetched only when their length is within bounds. `exc_info` is zlib text of RQ before 1.16."""

RESULT_KINDS = {
    "1": (Kind.JOB_FINISHED, "finished"),
    "2": (Kind.JOB_FAILED, "failed"),
    "3": (Kind.JOB_FAILED, "stopped"),
    "4": (Kind.JOB_RETRIED, "asked to be retried"),
    "5": (Kind.JOB_DEAD, "used up its retries"),
}
"""rq 3.0.0, results.py: Result.Type."""
STATUS_KINDS = {
    "finished": (Kind.JOB_FINISHED, "finished"),
    "failed": (Kind.JOB_FAILED, "failed"),
    "stopped": (Kind.JOB_FAILED, "stopped"),
    "canceled": (Kind.JOB_DEAD, "canceled"),
}
SAME_END_NS = 1_000_000
"""An attempt's own end (a float in the stream) and the hash's end agree to well under this."""
RETRY_GAP_NS = 1_000_000_000
"""RQ enqueues a job within milliseconds of creating it; a second later it was enqueued again."""

_CALL = re.compile(r"([A-Za-z_][\w.]*)\((.*)\)\Z", re.DOTALL)
_STAGES = {"created_at": 0, "enqueued_at": 1, "started_at": 2, "ended_at": 3}


@dataclass(frozen=True, slots=True)
class Attempt:
    """One entry of a job's result stream. Times are ns UTC; `recorded` is Redis' own clock."""

    entry: str
    kind: str
    recorded: int
    started: int | None
    ended: int | None
    worker: str
    error: str


@dataclass(frozen=True, slots=True)
class Job:
    """One job as read. `fields` are cleaned; empty text stands for an absent field."""

    raw_id: str
    """As Redis has it, to be asked for again."""
    fields: Mapping[str, str] = field(default_factory=dict)
    attempts: tuple[Attempt, ...] = ()

    @property
    def id(self) -> str:
        """Cleaned, to be shown."""
        return clean(self.raw_id)

    def stamp(self, name: str) -> int | None:
        """ns UTC of a time field, or None when it is absent or unreadable."""
        return nanoseconds(self.fields.get(name, ""))

    @property
    def call(self) -> tuple[str, str]:
        """Function and argument text of the description (`a.b.welcome(user_id=4711)`)."""
        description = self.fields.get("description", "")
        match = _CALL.match(description)
        return (match.group(1), match.group(2)) if match else (description, "")

    @property
    def title(self) -> str:
        """The call with the function's last name, as a person would say it."""
        description = self.fields.get("description", "")
        if not _CALL.match(description):
            return description or f"job {self.id}"
        name, arguments = self.call
        return f"{name.rpartition('.')[2]}({arguments})"

    @property
    def queue(self) -> str:
        return self.fields.get("origin", "")


@dataclass(frozen=True, slots=True)
class JobEvents:
    """Turns jobs of one source into events. `hosts` maps live workers to their host names."""

    source: str
    prefix: str
    key_rules: KeyRules
    producer_clock: str = ""
    arguments: Mapping[str, Sequence[str]] = field(default_factory=dict)
    """Names of positional arguments by function name, full or last part."""
    hosts: Mapping[str, str] = field(default_factory=dict)

    def of(self, job: Job) -> Iterator[Event]:
        """Every transition the job tells, in the order of its life."""
        facts = self._facts(job)
        retried = _was_retried(job)
        if retried:
            first = f"enqueued on {job.queue}"
            yield from self._hash_event(job, "created_at", Kind.JOB_ENQUEUED, first, facts)
        words = f"enqueued {'again ' if retried else ''}on {job.queue}"
        yield from self._hash_event(job, "enqueued_at", Kind.JOB_ENQUEUED, words, facts)
        started = f"started on {self._worker(job.fields.get('worker_name', '')) or 'a worker'}"
        yield from self._hash_event(job, "started_at", Kind.JOB_STARTED, started, facts)
        yield from self._ends(job, facts)

    def keys(self, job: Job) -> tuple[str, ...]:
        """`job:<id>` and whatever the call's arguments name."""
        found = (f"job:{job.id}", *self.key_rules.in_text(job.fields.get("description", "")))
        function = job.call[0]
        names = self.arguments.get(function) or self.arguments.get(function.rpartition(".")[2])
        if not names:
            return found
        pairs = zip(names, positional(job.fields["description"]), strict=False)
        named = self.key_rules.in_text(" ".join(f"{name}={value}" for name, value in pairs))
        return tuple(dict.fromkeys((*found, *named)))

    def _ends(self, job: Job, facts: JobFacts) -> Iterator[Event]:
        ended, status = job.stamp("ended_at"), job.fields.get("status", "")
        covered = False
        for place, attempt in enumerate(job.attempts):
            if attempt.ended is None and place == 0 and status in STATUS_KINDS:
                # RQ before 2.0 wrote no times into the stream; the newest entry ended the job.
                attempt = replace(attempt, ended=ended)
            if attempt.ended is not None and ended is not None:
                covered = covered or abs(attempt.ended - ended) <= SAME_END_NS
            yield self._attempt_event(job, attempt, facts)
        if covered:
            return
        if status in STATUS_KINDS:
            kind, verb = STATUS_KINDS[status]
            error = job.fields.get("exc_info", "")
            words = f"{verb} on {job.queue}"
            yield from self._hash_event(job, "ended_at", kind, words, facts, error)
        else:
            # The job is waiting or running again: the end on record is that of a failed attempt
            # which RQ retries, and RQ keeps no traceback of it (rq 3.0.0, worker/base.py).
            words = "failed and will be tried again"
            yield from self._hash_event(job, "ended_at", Kind.JOB_RETRIED, words, facts)

    def _attempt_event(self, job: Job, attempt: Attempt, facts: JobFacts) -> Event:
        kind, verb = RESULT_KINDS.get(attempt.kind, (Kind.JOB_FAILED, "ended"))
        by_worker = attempt.ended is not None
        details: dict[str, object] = {"recorded_at": iso(attempt.recorded)}
        if attempt.started is not None:
            details["started_at"] = iso(attempt.started)
        if attempt.ended is not None:
            details["ended_at"] = iso(attempt.ended)
        moment = Moment(
            kind=kind,
            timestamp=attempt.recorded if attempt.ended is None else attempt.ended,
            words=f"{verb} on {job.queue}",
            ref=f"{self.prefix}:results:{job.id}@{attempt.entry}",
            clock=self._worker_clock(attempt.worker) if by_worker else "",
            meaning=Meaning.OCCURRED if by_worker else Meaning.INGESTED,
            precision=Precision.MICROSECOND if by_worker else Precision.MILLISECOND,
            worker=self._worker(attempt.worker),
            error=attempt.error,
            details=details,
        )
        return transition(self.source, facts, moment)

    def _hash_event(
        self, job: Job, name: str, kind: Kind, words: str, facts: JobFacts, error: str = ""
    ) -> Iterator[Event]:
        stamp = job.stamp(name)
        if stamp is None:
            return
        by_client = name in ("created_at", "enqueued_at")
        worker = job.fields.get("worker_name", "")
        client = self.producer_clock or CLIENT_CLOCK
        moment = Moment(
            kind=kind,
            timestamp=stamp,
            words=words,
            ref=f"{self.prefix}:job:{job.id}#{name}",
            clock=client if by_client else self._worker_clock(worker),
            meaning=Meaning.SENT if by_client else Meaning.OCCURRED,
            worker="" if by_client else self._worker(worker),
            error=error,
            stage=_STAGES[name],
        )
        yield transition(self.source, facts, moment)

    def _facts(self, job: Job) -> JobFacts:
        name, arguments = job.call
        tries = whole_number(job.fields.get("number_of_retries", ""))
        details: dict[str, object] = {}
        if worker := job.fields.get("worker_name", ""):
            details["worker"] = self._worker(worker)
        for stamp_name in _STAGES:
            if (stamp := job.stamp(stamp_name)) is not None:
                details[stamp_name] = iso(stamp)
        return JobFacts(
            id=job.id,
            title=job.title,
            job_class=name,
            queue=job.queue,
            args=arguments,
            status=job.fields.get("status", ""),
            keys=self.keys(job),
            attempt=None if tries is None else tries + 1,
            retries_left=whole_number(job.fields.get("retries_left", "")),
            details=details,
        )

    def _worker(self, name: str) -> str:
        """A worker's own name, cut when it is the 32 hex digits RQ makes up."""
        return name[:8] if re.fullmatch(r"[0-9a-f]{32}", name) else name

    def _worker_clock(self, worker: str) -> str:
        """The worker's host while it is known; a worker of an unknown host has its own name."""
        return self.hosts.get(worker) or worker or WORKER_CLOCK


def _was_retried(job: Job) -> bool:
    """Whether `enqueued_at` is that of a later attempt: then `created_at` is nearest the first."""
    created, enqueued = job.stamp("created_at"), job.stamp("enqueued_at")
    if created is None or enqueued is None or enqueued - created < RETRY_GAP_NS:
        return False
    return bool(job.fields.get("retries_left") or job.fields.get("number_of_retries"))


def attempt_from(entry: str, payload: Mapping[str, bytes]) -> Attempt:
    """One result stream entry. Unreadable parts are left empty, never guessed."""
    milliseconds = whole_number(entry.partition("-")[0]) or 0
    return Attempt(
        entry=entry,
        kind=clean_bytes(payload.get("type", b"")),
        recorded=min(milliseconds * 1_000_000, LATEST_NS),
        started=seconds(payload.get("execution_started_at", b"")),
        ended=seconds(payload.get("execution_ended_at", b"")),
        worker=clean_bytes(payload.get("worker_name", b"")),
        error=inflated(payload.get("exc_string", b""), encoded=True),
    )
