"""What Resque's JSON says: waiting jobs, running ones, failures, and resque-retry's last errors.

A job has no id and no time of its own; only Active Job puts both among its arguments. Whatever is
no JSON object is described and left closed.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass

from connectors.queues.active_job import RubyCall, call_of
from connectors.queues.payload import json_value, mapping, opaque, sequence_of, word
from connectors.resque.stamps import stamp_ns
from timeline.clean import LINE_BREAK, clean

RECORD_BYTES = 256 * 1024
"""Largest record that is opened: a failure holds a backtrace of a few kilobytes."""
BACKTRACE_LINES = 40
ERROR_CHARACTERS = 8_192
CRASHES = ("DirtyExit", "Worker Timeout (killed manually)")
"""Exceptions that Resque (worker.rb) and node-resque (forceCleanWorker) file for a job whose
worker died or fell silent."""
PRUNED = "PruneDeadWorkerDirtyExit"
"""The worker had been silent for prune_interval (300 s) when another one started and noticed."""


@dataclass(frozen=True, slots=True)
class Job:
    """One job's class and arguments. `digest` tells it from others, not from its equals."""

    call: RubyCall
    digest: str
    queue: str = ""
    unopened: str = ""
    """Why the text was left closed; empty when it was read."""

    @property
    def title(self) -> str:
        return f"a job ({self.unopened})" if self.unopened else self.call.title


@dataclass(frozen=True, slots=True)
class Failure:
    """One record of a failed list, or resque-retry's note of the last failed attempt."""

    job: Job
    digest: str
    failed: int | None
    """ns UTC; None when its zone is not known."""
    failed_text: str
    requeued: int | None
    """ns UTC of the moment somebody put it back on its queue by hand."""
    worker: str
    exception: str
    error: str

    @property
    def crashed(self) -> bool:
        """Whether the job was lost with its worker: filed when that was noticed, no sooner."""
        return any(crash in self.exception for crash in CRASHES)


@dataclass(frozen=True, slots=True)
class Worker:
    """One registered worker. Times are ns UTC."""

    identity: str
    """Cleaned, `host:pid:queue,queue`."""
    started: int | None
    beat: int | None
    beat_by_server: bool
    """Resque takes its heartbeats from Redis' clock; node-resque from its own."""
    running: Job | None
    run_at: int | None

    @property
    def name(self) -> str:
        return ":".join(self.identity.split(":")[:2])

    @property
    def host(self) -> str:
        return host_of(self.identity)

    def silent(self, now: int, limit: int) -> bool:
        """Whether its last heartbeat is more than `limit` ns old."""
        return self.beat is not None and now - self.beat > limit


def job_from(content: bytes, queue: str = "") -> Job:
    """The job of one element of a queue; never raises for what it holds."""
    if len(content) > RECORD_BYTES:
        return Job(RubyCall("", ()), digest(content), queue, f"{len(content)} bytes, too large")
    told = json_value(content)
    if not isinstance(told, dict):
        return Job(RubyCall("", ()), digest(content), queue, opaque(content))
    return Job(call_of(told), digest(content), queue or word(told.get("queue")))


def failure_from(content: bytes, zone: str) -> Failure:
    """One record of a failed list; of an unreadable one only its size and format."""
    told = object_of(content)
    queue = word(told.get("queue"))
    exception, message = word(told.get("exception")), word(told.get("error"))
    if exception == message:
        exception, message = "", message
    raised = ": ".join(part for part in (exception, message.replace(LINE_BREAK, " ")) if part)
    trace = [
        clean(line.strip())
        for line in sequence_of(told.get("backtrace"))[:BACKTRACE_LINES]
        if isinstance(line, str)
    ]
    failed_text = word(told.get("failed_at"))
    payload = mapping(told.get("payload"))
    unopened = "" if told else job_from(content).unopened or "an empty record"
    return Failure(
        job=Job(call_of(payload), digest(content), queue, unopened),
        digest=digest(content),
        failed=stamp_ns(failed_text, zone),
        failed_text=failed_text,
        requeued=stamp_ns(word(told.get("retried_at")), zone),
        worker=word(told.get("worker")),
        exception=exception or message,
        error=LINE_BREAK.join([*trace, raised[:ERROR_CHARACTERS]]) if raised else "",
    )


def worker_from(identity: str, started: bytes, beat: bytes, ping: bytes, work: bytes) -> Worker:
    """One worker from its keys; empty bytes stand for an absent one."""
    run = object_of(work)
    payload = mapping(run.get("payload"))
    beat_ns = stamp_ns(_text(beat))
    pinged = stamp_ns(word(object_of(ping).get("time")))
    running = Job(call_of(payload), digest(work), word(run.get("queue"))) if payload else None
    return Worker(
        identity=clean(identity),
        started=stamp_ns(_text(started)),
        beat=pinged if beat_ns is None else beat_ns,
        beat_by_server=beat_ns is not None,
        running=running,
        run_at=stamp_ns(word(run.get("run_at"))),
    )


def object_of(content: bytes) -> Mapping[str, object]:
    """A JSON object within bounds; empty for anything else."""
    return mapping(json_value(content)) if len(content) <= RECORD_BYTES else {}


def host_of(worker: str) -> str:
    """The host of `host:pid:queues`, which node-resque may also write without the queues."""
    return worker.partition(":")[0]


def digest(content: bytes) -> str:
    return hashlib.blake2b(content, digest_size=6).hexdigest()


def _text(content: bytes) -> str:
    return clean(content.decode("utf-8", "replace"))
