"""Queues that the generator lacks, as their connectors describe them: pg-boss, graphile-worker,
Procrastinate. The words, clocks and meanings are those of the connectors' own descriptions.

RQ, BullMQ and SQS are the generator's; RabbitMQ's samples are those of the second company.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from connectors.queues.transitions import Moment
from connectors.sqlqueue.graphile_worker import SYSTEM as GRAPHILE
from connectors.sqlqueue.pg_boss import SYSTEM as PG_BOSS
from connectors.sqlqueue.procrastinate import SYSTEM as PROCRASTINATE
from connectors.sqlqueue.shape import Stamp
from tests.score.queues import BRANDS, Attempt, Brand, Job, Told
from tests.score.second_company.queues import QUEUES as OTHERS
from timeline.event import Kind, Precision

_PG_BOSS_STATES = {
    "waiting": "created",
    "running": "active",
    "lost": "active",
    "finished": "completed",
    "retried": "retry",
    "failed": "failed",
    "dead": "failed",
}
_GRAPHILE_STATES = {
    "waiting": "waiting",
    "running": "locked",
    "lost": "locked",
    "retried": "waiting for a retry",
    "failed": "failed for good",
    "dead": "failed for good",
}
_PROCRASTINATE_STATES = {
    "waiting": "todo",
    "running": "doing",
    "lost": "doing",
    "finished": "succeeded",
    "retried": "todo",
}
_PROCRASTINATE_ENDS = {
    "finished": "succeeded",
    "retried": "deferred_for_retry",
    "failed": "failed",
    "dead": "failed",
}


def _pg_boss(job: Job) -> Iterator[Told]:
    """One row: when it was created, the last attempt's start, and how it ended."""
    state = _PG_BOSS_STATES[job.state()]
    last = job.attempts[-1] if job.attempts else None
    values = {
        "created_on": job.pushed[0],
        "started_on": last.started if last else None,
        "failed": last.ended if last else None,
        "completed_on": last.ended if last else None,
    }
    facts = job.facts(state, {"policy": "standard"})
    for stamp in PG_BOSS.jobs.stamps:
        at = values[stamp.name]
        if at is not None and (not stamp.states or state in stamp.states):
            ref = f"pgboss.job/{job.id}#{stamp.name}@{at}"
            yield facts, _moment(stamp, at, ref, job, last), ""


def _graphile(job: Job) -> Iterator[Told]:
    """A row as long as the job has not succeeded."""
    if job.state() == "finished":
        return
    state = _GRAPHILE_STATES[job.state()]
    last = job.attempts[-1] if job.attempts else None
    locked = last is not None and last.ended is None
    values = {
        "created_at": job.pushed[0],
        "locked_at": last.started if last and locked else None,
        "failed": last.ended if last else None,
    }
    facts = job.facts(state)
    for stamp in GRAPHILE.jobs.stamps:
        at = values.get(stamp.name)
        if at is not None and (not stamp.states or state in stamp.states):
            ref = f"graphile_worker.jobs/{job.id}#{stamp.name}@{at}"
            yield facts, _moment(stamp, at, ref, job, last), ""


def _procrastinate(job: Job) -> Iterator[Told]:
    """A row of its own for every transition, without the error."""
    facts = job.facts(_PROCRASTINATE_STATES.get(job.state(), "failed"))
    stamps = {
        s.states[0]: s for s in (PROCRASTINATE.history.stamps if PROCRASTINATE.history else ())
    }
    told: list[tuple[str, int, Attempt | None]] = [("deferred", at, None) for at in job.pushed]
    for attempt in job.attempts:
        told.append(("started", attempt.started, attempt))
        if attempt.ended is not None and attempt.outcome in _PROCRASTINATE_ENDS:
            told.append((_PROCRASTINATE_ENDS[attempt.outcome], attempt.ended, attempt))
    for place, (name, at, run) in enumerate(told):
        ref = f"procrastinate_events/{job.id}.{place}#at@{at}"
        yield facts, _moment(stamps[name], at, ref, job, run), ""


def _moment(stamp: Stamp, at: int, ref: str, job: Job, attempt: Attempt | None) -> Moment:
    worker = attempt.worker if attempt else ""
    words = stamp.words.format(
        queue=job.queue,
        worker=worker or "?",
        attempt=max(1, len(job.attempts)),
        later="",
        due="a later time",
    )
    return Moment(
        stamp.kind,
        at,
        words,
        ref,
        clock=stamp.clock,
        meaning=stamp.meaning,
        precision=Precision.MICROSECOND,
        worker=worker if stamp.kind is Kind.JOB_STARTED and "{worker}" in stamp.words else "",
        error=attempt.error if attempt and stamp.with_error else "",
        stage=stamp.stage,
    )


QUEUES: Mapping[str, Brand] = {
    "pg-boss": Brand("pg-boss", "pg-boss 10.4", PG_BOSS.forgets, None, _pg_boss),
    "graphile-worker": Brand(
        "graphile-worker", "graphile-worker 0.17", GRAPHILE.forgets, 0, _graphile
    ),
    "procrastinate": Brand(
        "procrastinate", "procrastinate 3.2", PROCRASTINATE.forgets, None, _procrastinate
    ),
    "rq": BRANDS["rq"],
    "bullmq": BRANDS["bullmq"],
    "sqs": BRANDS["sqs"],
    "rabbitmq": OTHERS["rabbitmq"],
}
SPEAKERS: Mapping[str, tuple[str, ...]] = {
    "pg-boss": ("winston",),
    "graphile-worker": ("bunyan",),
    "procrastinate": ("django",),
    "rq": ("django-rq",),
    "bullmq": ("winston",),
    "sqs": ("zap", "haskell", "jul", "serilog"),
    "rabbitmq": ("akka", "ocaml", "serilog", "jul"),
}
"""Which languages have a client for a queue."""
BROKERS: Mapping[str, tuple[str, int]] = {
    "rq": ("redis-jobs.bottega.lan", 6379),
    "bullmq": ("dragonfly-0.queues", 6379),
    "sqs": ("sqs.eu-south-1.amazonaws.com", 443),
    "rabbitmq": ("rabbit.bottega.lan", 5671),
}
"""The others live in the database."""
IN_POSTGRES = ("pg-boss", "graphile-worker", "procrastinate")
KEEPING = ("pg-boss", "procrastinate", "bullmq")
"""Queues that still show a job that has succeeded."""
SHOWING = (*KEEPING, "graphile-worker", "rq")
COUNTING = ("sqs", "rabbitmq")
"""Queues that show no single message."""
NUMBERED = ("graphile-worker", "procrastinate", "bullmq")
