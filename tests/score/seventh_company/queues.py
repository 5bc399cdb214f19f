"""pg-boss and River, as far as each remembers a job.

Stamps, clocks and words come from the connectors' own descriptions. pg-boss stamps everything by
its server, keeps the last attempt only and never says who ran it; River writes down who attempted
a job and keeps every error, stamped by the worker.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from connectors.queues.transitions import Moment
from connectors.sqlqueue.pg_boss import KEPT_S as BOSS_KEPT_S
from connectors.sqlqueue.pg_boss import SYSTEM as PG_BOSS
from connectors.sqlqueue.river import KEPT_S as RIVER_KEPT_S
from connectors.sqlqueue.river import SYSTEM as RIVER
from connectors.sqlqueue.shape import Stamp
from tests.score.queues import Attempt, Brand, Job, Told
from timeline.event import Precision
from timeline.window import SECOND_NS

_BOSS_STATES = {
    "waiting": "created",
    "running": "active",
    "lost": "active",
    "finished": "completed",
    "failed": "failed",
    "dead": "failed",
    "retried": "retry",
}
_RIVER_STATES = {
    "waiting": "available",
    "running": "running",
    "lost": "running",
    "finished": "completed",
    "failed": "discarded",
    "dead": "discarded",
    "retried": "retryable",
}
_ENDED = ("finished", "failed", "dead")


def _by_name_and_state(stamps: tuple[Stamp, ...]) -> Mapping[tuple[str, str], Stamp]:
    return {(s.name, state): s for s in stamps for state in (s.states or ("",))}


_BOSS = _by_name_and_state(PG_BOSS.jobs.stamps)
_RIVER = _by_name_and_state(RIVER.jobs.stamps)
_RIVER_ERRORS = _by_name_and_state(RIVER.history.stamps if RIVER.history is not None else ())


def _boss(job: Job) -> Iterator[Told]:
    """When it was created, when the last attempt started and how that ended: the server's stamps.

    A job that waits for a retry with back-off does not say when it failed.
    """
    state, facts = job.state(), job.facts(_BOSS_STATES[job.state()])
    ref = f"pgboss.job/{job.id}"
    yield facts, _moment(_BOSS["created_on", ""], job.pushed[-1], job, ref), ""
    if not job.attempts:
        return
    last = job.attempts[-1]
    yield facts, _moment(_BOSS["started_on", ""], last.started, job, ref, last), ""
    if last.ended is not None and state in _ENDED:
        stamp = _BOSS["completed_on", "completed" if state == "finished" else "failed"]
        yield facts, _moment(stamp, last.ended, job, ref, last), ""


def _river(job: Job) -> Iterator[Told]:
    """Creation and last start by the server, every error and the end by the worker's clock."""
    state, facts = job.state(), job.facts(_RIVER_STATES[job.state()])
    ref = f"river_job/{job.id}"
    yield facts, _moment(_RIVER["created_at", ""], job.pushed[-1], job, ref), ""
    for place, attempt in enumerate(job.attempts):
        if attempt.ended is not None and attempt.outcome in ("retried", "failed", "dead"):
            stamp, where = _RIVER_ERRORS["at", "failed"], f"{ref}/errors/{place + 1}"
            told = _moment(stamp, attempt.ended, job, where, attempt, number=place + 1)
            yield facts, told, attempt.host
    if not job.attempts:
        return
    last = job.attempts[-1]
    yield facts, _moment(_RIVER["attempted_at", ""], last.started, job, ref, last), ""
    if last.ended is not None and state in _ENDED:
        stamp = _RIVER["finalized_at", "completed" if state == "finished" else "discarded"]
        yield facts, _moment(stamp, last.ended, job, ref, last), last.host


QUEUES: Mapping[str, Brand] = {
    "pg-boss": Brand(PG_BOSS.name, "pg-boss 10.4", PG_BOSS.forgets, BOSS_KEPT_S * SECOND_NS, _boss),
    "river": Brand(RIVER.name, "river 0.24", RIVER.forgets, RIVER_KEPT_S * SECOND_NS, _river),
}


def _moment(
    stamp: Stamp,
    at: int,
    job: Job,
    ref: str,
    attempt: Attempt | None = None,
    *,
    number: int = 0,
) -> Moment:
    worker = attempt.worker if attempt is not None and ref.startswith("river_job") else ""
    tried = number or len(job.attempts)
    words = {"queue": job.queue, "worker": worker or "?", "attempt": tried, "later": ""}
    error = attempt.error if attempt is not None and stamp.with_error else ""
    return Moment(
        stamp.kind,
        at,
        stamp.words.format_map(words),
        f"{ref}#{stamp.name}@{at}",
        clock=stamp.clock,
        meaning=stamp.meaning,
        precision=Precision.MICROSECOND,
        worker=worker,
        error=error,
    )
