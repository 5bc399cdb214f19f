"""Que (Ruby): a row lives until its job ends; a running job is an advisory lock.

Source: que 2.4.1, its migrations and `lib/que/job_methods.rb`. There is no creation and no start
stamp: `run_at` of a job that never failed is when it was due, and after a failure the next run,
count^4 + 3 seconds later.
"""

from __future__ import annotations

from typing import ClassVar

from connectors.sqlqueue.connector import SqlQueueConnector
from connectors.sqlqueue.shape import SERVER_CLOCK, Jobs, Stamp, System, Table
from timeline.event import Kind, Meaning

SYSTEM = System(
    name="que",
    product="Que",
    jobs=Jobs(
        tables=(Table("j", "que_jobs"),),
        id="j.id",
        stamps=(
            Stamp(
                "run_at",
                "CASE WHEN j.error_count = 0 AND j.run_at <= now() THEN j.run_at END",
                Kind.JOB_ENQUEUED,
                "was due on {queue} (Que keeps no time of enqueueing)",
                clock=SERVER_CLOCK,
                meaning=Meaning.DERIVED,
            ),
            Stamp(
                "retried",
                "CASE WHEN j.error_count > 0 THEN"
                " j.run_at - (j.error_count ^ 4 + 3) * interval '1 second' END",
                Kind.JOB_RETRIED,
                "failed on {queue} (derived from its next run {due} and the back-off)",
                states=("waiting for a retry",),
                clock=SERVER_CLOCK,
                meaning=Meaning.DERIVED,
                with_error=True,
            ),
            Stamp(
                "finished_at",
                "j.finished_at",
                Kind.JOB_FINISHED,
                "finished on {queue}",
                clock=SERVER_CLOCK,
                meaning=Meaning.TRANSACTION_START,
            ),
            Stamp(
                "expired_at",
                "j.expired_at",
                Kind.JOB_DEAD,
                "expired on {queue}, no retry is left",
                clock=SERVER_CLOCK,
                meaning=Meaning.TRANSACTION_START,
                with_error=True,
            ),
        ),
        state="CASE WHEN j.finished_at IS NOT NULL THEN 'finished'"
        " WHEN j.expired_at IS NOT NULL THEN 'expired'"
        " WHEN j.error_count > 0 THEN 'waiting for a retry' ELSE 'ready' END",
        error="concat_ws(': ', j.last_error_message, j.last_error_backtrace)",
        attempt="j.error_count",
        job_class="j.job_class",
        queue="coalesce(nullif(j.queue, ''), 'default')",
        args="j.args",
        due="CASE WHEN j.finished_at IS NULL AND j.expired_at IS NULL THEN j.run_at END",
        live="j.finished_at IS NULL AND j.expired_at IS NULL",
        running="EXISTS (SELECT 1 FROM pg_locks AS k WHERE k.locktype = 'advisory'"
        " AND k.objsubid = 1 AND k.granted"
        " AND ((k.classid::bigint << 32) + k.objid::bigint) = j.id AND k.database ="
        " (SELECT d.oid FROM pg_database AS d WHERE d.datname = current_database()))",
        details={"kwargs": "nullif(j.kwargs, '{}'::jsonb)", "priority": "j.priority"},
    ),
    kept_s=0,
    forgets="deletes a job's row when it succeeds, keeps no time of enqueueing or starting, and of "
    "its failures only the last",
    lost_means="its lock is gone",
    cannot_see=(
        "a job that succeeded: its row is gone",
        "when a job was enqueued or started: neither is stored",
        "a job whose worker was killed: its lock goes with the connection, and it is due again",
    ),
)


class QueConnector(SqlQueueConnector):
    """One Que in one database. See `connectors.contract.Connector`."""

    system: ClassVar[str] = SYSTEM.name
    description: ClassVar[System] = SYSTEM
