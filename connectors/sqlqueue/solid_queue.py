"""Solid Queue (Rails): a job's state is which execution row it has; its start is gone at its end.

Source: solid_queue 1.5.0, `db/queue_schema.rb` and `app/models/solid_queue`. All stamps are the
application's clock in columns without a zone, written in UTC. A process that dies is noticed by
the pruner, minutes later: that instant is when the failure is filed.
"""

from __future__ import annotations

from typing import ClassVar

from connectors.queues.transitions import CLIENT_CLOCK
from connectors.sqlqueue.connector import SqlQueueConnector
from connectors.sqlqueue.shape import Jobs, Stamp, System, Table
from timeline.event import Kind, Meaning

KEPT_S = 24 * 3600
"""`clear_finished_jobs_after`, where the clearing is scheduled at all."""

SYSTEM = System(
    name="solid-queue",
    product="Solid Queue",
    jobs=Jobs(
        tables=(
            Table("j", "solid_queue_jobs"),
            Table("c", "solid_queue_claimed_executions", "c.job_id = j.id"),
            Table("p", "solid_queue_processes", "p.id = c.process_id"),
            Table("f", "solid_queue_failed_executions", "f.job_id = j.id"),
            Table("s", "solid_queue_scheduled_executions", "s.job_id = j.id"),
            Table("b", "solid_queue_blocked_executions", "b.job_id = j.id"),
        ),
        id="j.id",
        stamps=(
            Stamp(
                "created_at",
                "j.created_at",
                Kind.JOB_ENQUEUED,
                "enqueued on {queue}{later}",
                clock=CLIENT_CLOCK,
                meaning=Meaning.SENT,
                inserted=True,
            ),
            Stamp(
                "claimed_at",
                "c.created_at",
                Kind.JOB_STARTED,
                "was claimed on {queue} by {worker}",
            ),
            Stamp(
                "finished_at",
                "j.finished_at",
                Kind.JOB_FINISHED,
                "finished on {queue}",
            ),
            Stamp(
                "failed_at",
                "f.created_at",
                Kind.JOB_FAILED,
                "failed on {queue}",
                states=("failed",),
                with_error=True,
            ),
            Stamp(
                "failed_at",
                "f.created_at",
                Kind.JOB_FAILED,
                "was found without its process on {queue}: noticed now, the process died before",
                states=("failed: its process died",),
                meaning=Meaning.POLLED,
                with_error=True,
            ),
        ),
        state="CASE WHEN starts_with(f.error,"
        ' \'{"exception_class":"SolidQueue::Processes::Process\')'
        " THEN 'failed: its process died' WHEN f.job_id IS NOT NULL THEN 'failed'"
        " WHEN j.finished_at IS NOT NULL THEN 'finished' WHEN c.job_id IS NOT NULL THEN 'claimed'"
        " WHEN s.job_id IS NOT NULL THEN 'scheduled' WHEN b.job_id IS NOT NULL THEN 'blocked'"
        " ELSE 'ready' END",
        worker="concat_ws(':', p.hostname, p.pid)",
        error="f.error",
        heartbeat="p.last_heartbeat_at",
        job_class="j.class_name",
        queue="j.queue_name",
        args="j.arguments",
        other_id="j.active_job_id",
        due="s.scheduled_at",
        live="j.finished_at IS NULL AND f.job_id IS NULL",
        running="c.job_id IS NOT NULL AND j.finished_at IS NULL",
        alive="p.last_heartbeat_at",
        silent_for="interval '5 minutes'",
        lost="p.id IS NULL",
        details={"concurrency_key": "j.concurrency_key", "blocked_until": "b.expires_at"},
    ),
    kept_s=KEPT_S,
    forgets="keeps finished jobs for a day by default, loses the start of a job at its end, and a "
    "failure with its error when the job is retried",
    lost_means="its process is gone or sent no heartbeat for 5 minutes",
    variables=("QUEUE_DATABASE_URL", "DATABASE_URL"),
    cannot_see=(
        "when a job that ended was started, and by which process",
        "failures of jobs that were retried since",
        "when a process died: its jobs fail only when the pruner notices, minutes later",
    ),
)


class SolidQueueConnector(SqlQueueConnector):
    """One Solid Queue in one database. See `connectors.contract.Connector`."""

    system: ClassVar[str] = SYSTEM.name
    description: ClassVar[System] = SYSTEM
