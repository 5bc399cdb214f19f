"""Queues of this company as their connectors tell them: Solid Queue, pg-boss, graphile-worker,
dramatiq, RabbitMQ.

Words, clocks and meanings of the stamps come from the connectors' own descriptions; what a system
deletes is not told.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace

from connectors.dramatiq.connector import FORGETS as DRAMATIQ_FORGETS
from connectors.queues.transitions import CLIENT_CLOCK, WORKER_CLOCK, JobFacts, Moment, iso
from connectors.sqlqueue.graphile_worker import SYSTEM as GRAPHILE
from connectors.sqlqueue.pg_boss import SYSTEM as PG_BOSS
from connectors.sqlqueue.shape import Stamp, System
from connectors.sqlqueue.solid_queue import SYSTEM as SOLID
from tests.score.queues import Brand, Job, Told
from tests.score.second_company.queues import QUEUES as SECOND
from timeline.event import Kind, Meaning, Precision
from timeline.window import SECOND_NS

RETRY_S = 20
"""After a failed attempt the next one is due so much later."""
STATES: Mapping[str, Mapping[str, str]] = {
    "solid-queue": {
        "waiting": "ready",
        "running": "claimed",
        "lost": "claimed",
        "retried": "scheduled",
        "dead": "failed",
    },
    "pg-boss": {
        "waiting": "created",
        "running": "active",
        "lost": "active",
        "finished": "completed",
        "retried": "retry",
        "dead": "failed",
    },
    "graphile-worker": {
        "running": "locked",
        "lost": "locked",
        "retried": "waiting for a retry",
        "failed": "failed for good",
        "dead": "failed for good",
    },
}
"""A job's state in the system's own word, where it is another than ours."""
TABLES = {"solid-queue": "solid_queue_jobs", "pg-boss": "job", "graphile-worker": "jobs"}


def _row_of(job: Job) -> str:
    """Solid Queue counts its rows; the application knows a job by Active Job's id. Of a `bigint`,
    so that no two jobs of a night have one row."""
    return str(31_000_000 + int(job.id[:8], 16))


def _instants(system: System, job: Job) -> dict[str, int | None]:
    """What stands in the row, by the names of the description's stamps."""
    last, state = (job.attempts[-1] if job.attempts else None), job.state()
    started, ended = (last.started, last.ended) if last else (None, None)
    held = started if state in ("running", "lost") else None
    over = state in ("finished", "dead", "failed")
    failed = ended if state in ("retried", "failed", "dead") else None
    return {
        "created_at": job.pushed[-1],
        "created_on": job.pushed[-1],
        "claimed_at": held,
        "locked_at": held,
        "started_on": started,
        "finished_at": ended if state == "finished" else None,
        "completed_on": ended if over else None,
        "failed_at": failed,
        "failed": failed,
    }


def _teller(system: System) -> Callable[[Job], Iterator[Told]]:
    table, names = TABLES[system.name], STATES[system.name]

    def tell(job: Job) -> Iterator[Told]:
        state = names.get(job.state(), job.state())
        facts = job.facts(state, {"kept_in": table})
        if system is SOLID:
            keys = (f"job:{_row_of(job)}", *facts.keys)
            facts = replace(facts, id=_row_of(job), keys=keys, details={"active_job_id": job.id})
        at = _instants(system, job)
        for stamp in system.jobs.stamps:
            instant = at.get(stamp.name)
            if instant is None or (stamp.states and state not in stamp.states):
                continue
            host = job.attempts[-1].host if job.attempts and stamp.clock == WORKER_CLOCK else ""
            host = job.host if stamp.clock == CLIENT_CLOCK else host
            yield facts, _moment(stamp, instant, f"{table}/{facts.id}", job), host

    return tell


def _moment(stamp: Stamp, instant: int, ref: str, job: Job) -> Moment:
    last = job.attempts[-1] if job.attempts else None
    enqueued = stamp.kind is Kind.JOB_ENQUEUED
    due = iso((last.ended or 0) + RETRY_S * SECOND_NS) if last else ""
    said = {
        "queue": job.queue,
        "worker": last.worker if last else "?",
        "attempt": len(job.attempts),
        "later": "",
        "due": due,
    }
    return Moment(
        stamp.kind,
        instant,
        stamp.words.format_map(said),
        f"{ref}#{stamp.name}",
        clock=stamp.clock,
        meaning=stamp.meaning,
        precision=Precision.MICROSECOND,
        worker=last.worker if last and not enqueued else "",
        error=last.error if last and stamp.with_error else "",
        stage=stamp.stage,
    )


def _dramatiq(job: Job) -> Iterator[Told]:
    """A message says when it was sent and, once it failed, when that was last."""
    state = job.state()
    if state == "finished":
        return
    place = {"waiting": "waiting", "retried": "delayed", "dead": "dead"}.get(state, "held")
    facts: JobFacts = job.facts(place, {"redis_message_id": job.id})
    ref, milli = f"dramatiq:{job.queue}.msgs#{job.id}", Precision.MILLISECOND
    words = f"enqueued on {job.queue}"
    sent = Moment(
        Kind.JOB_ENQUEUED, job.pushed[0], words, f"{ref}@sent", CLIENT_CLOCK, Meaning.SENT, milli
    )
    yield facts, sent, job.host
    last = job.attempts[-1] if job.attempts else None
    if last is None or last.ended is None:
        return
    failed = len(job.attempts)
    if state == "retried":
        due = iso(last.ended + RETRY_S * SECOND_NS)
        words = f"failed on {job.queue} (failure {failed}) and was put back to be tried again"
        moment = Moment(
            Kind.JOB_RETRIED,
            last.ended,
            f"{words}, due {due}",
            f"{ref}@failed",
            WORKER_CLOCK,
            precision=milli,
            error=last.error,
        )
        yield facts, moment, last.host
    elif state in ("dead", "failed"):
        words = f"was given up and lies with the dead of {job.queue} (its last error is not kept)"
        moment = Moment(
            Kind.JOB_DEAD, last.ended, words, f"{ref}@dead", WORKER_CLOCK, precision=milli
        )
        yield facts, moment, last.host


def _in_tables(system: System, keeps_ns: int) -> Brand:
    return Brand(system.name, system.product, system.forgets, keeps_ns, _teller(system))


QUEUES: Mapping[str, Brand] = {
    "solid-queue": _in_tables(SOLID, (SOLID.kept_s or 0) * SECOND_NS),
    "pg-boss": _in_tables(PG_BOSS, (PG_BOSS.kept_s or 0) * SECOND_NS),
    "graphile-worker": _in_tables(GRAPHILE, 0),
    "dramatiq": Brand("dramatiq", "dramatiq 2.2", DRAMATIQ_FORGETS, 0, _dramatiq),
    "rabbitmq": SECOND["rabbitmq"],
}
