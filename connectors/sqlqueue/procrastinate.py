"""Procrastinate (Python): a row for every transition, kept for ever unless told otherwise.

Source: procrastinate 3.10.0, `sql/schema.sql` and `worker.py`. An event's `at` is `now()`, the
start of the transaction that made the change; `scheduled` events hold the time a job is to run
and are no past, so they are not read as such.
"""

from __future__ import annotations

from typing import ClassVar

from connectors.sqlqueue.connector import SqlQueueConnector
from connectors.sqlqueue.shape import SERVER_CLOCK, History, Jobs, Stamp, System, Table
from timeline.event import Kind, Meaning


def _event(type_name: str, kind: Kind, words: str) -> Stamp:
    return Stamp(
        "at",
        "e.at",
        kind,
        words,
        states=(type_name,),
        clock=SERVER_CLOCK,
        meaning=Meaning.TRANSACTION_START,
        inserted=True,
    )


SYSTEM = System(
    name="procrastinate",
    product="Procrastinate",
    jobs=Jobs(
        tables=(
            Table("j", "procrastinate_jobs"),
            Table("w", "procrastinate_workers", "w.id = j.worker_id"),
        ),
        id="j.id",
        stamps=(),
        state="j.status",
        worker="j.worker_id",
        heartbeat="w.last_heartbeat",
        heartbeat_clock=SERVER_CLOCK,
        attempt="j.attempts + (j.status = 'doing')::int",
        job_class="j.task_name",
        queue="j.queue_name",
        args="j.args",
        due="CASE WHEN j.status = 'todo' THEN j.scheduled_at END",
        live="j.status IN ('todo', 'doing')",
        running="j.status = 'doing'",
        alive="w.last_heartbeat",
        silent_for="interval '30 seconds'",
        lost="w.id IS NULL",
        details={
            "lock": "j.lock",
            "queueing_lock": "j.queueing_lock",
            "abort_requested": "nullif(j.abort_requested, false)",
        },
    ),
    history=History(
        tables=(Table("e", "procrastinate_events"),),
        id="e.id",
        job="e.job_id",
        state="e.type",
        where="e.type IS DISTINCT FROM 'scheduled'",
        stamps=(
            _event("deferred", Kind.JOB_ENQUEUED, "deferred to {queue}{later}"),
            _event("started", Kind.JOB_STARTED, "started on {queue}"),
            _event("deferred_for_retry", Kind.JOB_RETRIED, "failed on {queue}, to be retried"),
            _event("succeeded", Kind.JOB_FINISHED, "succeeded on {queue}"),
            _event("failed", Kind.JOB_FAILED, "failed on {queue}, no retry is left"),
            _event("cancelled", Kind.JOB_DEAD, "was cancelled on {queue}"),
            _event("abort_requested", Kind.CHANGE, "was asked to abort on {queue}"),
            _event("aborted", Kind.JOB_DEAD, "was aborted on {queue}"),
            _event("retried", Kind.JOB_ENQUEUED, "was put back on {queue} by hand"),
        ),
    ),
    kept_s=None,
    forgets="keeps every transition, unless its workers delete jobs (delete_jobs)",
    lost_means="its worker is gone or sent no heartbeat for 30 s",
    cannot_see=(
        "the error of a failed job: it is only in the worker's log",
        "which worker ran a job, once it has ended",
    ),
)


class ProcrastinateConnector(SqlQueueConnector):
    """One Procrastinate in one database. See `connectors.contract.Connector`."""

    system: ClassVar[str] = SYSTEM.name
    description: ClassVar[System] = SYSTEM
