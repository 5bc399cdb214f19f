"""GoodJob (Rails): jobs, and a row for every attempt, kept for two weeks.

Source: good_job 4.19.2, its migration templates and `app/models/good_job/job.rb`. All stamps are
the application's clock in columns without a zone, written in UTC. State is not stored: it follows
from which stamps are set.
"""

from __future__ import annotations

from typing import ClassVar

from connectors.queues.transitions import CLIENT_CLOCK
from connectors.sqlqueue.connector import SqlQueueConnector
from connectors.sqlqueue.shape import History, Jobs, Stamp, System, Table
from timeline.event import Kind, Meaning

KEPT_S = 14 * 24 * 3600
"""`cleanup_preserved_jobs_before_seconds_ago`, with `preserve_job_records` on (both defaults)."""
SILENT_MINUTES = 5
"""`Process::EXPIRED_INTERVAL`: a process that has not refreshed its row for so long is gone."""

SYSTEM = System(
    name="good-job",
    product="GoodJob",
    jobs=Jobs(
        tables=(
            Table("j", "good_jobs"),
            Table("p", "good_job_processes", "p.id = j.locked_by_id"),
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
                "performed_at",
                "j.performed_at",
                Kind.JOB_STARTED,
                "started on {queue}",
                states=("running",),
            ),
            Stamp(
                "finished_at",
                "j.finished_at",
                Kind.JOB_FINISHED,
                "succeeded on {queue}",
                states=("succeeded",),
            ),
            Stamp(
                "finished_at",
                "j.finished_at",
                Kind.JOB_DEAD,
                "was discarded on {queue}",
                states=("discarded",),
                with_error=True,
            ),
        ),
        state="CASE WHEN j.finished_at IS NOT NULL AND j.error IS NULL THEN 'succeeded'"
        " WHEN j.finished_at IS NOT NULL THEN 'discarded'"
        " WHEN j.performed_at IS NOT NULL THEN 'running'"
        " WHEN j.error IS NOT NULL THEN 'retried' ELSE 'queued' END",
        worker="coalesce(nullif(concat_ws(':', p.state->>'hostname', p.state->>'pid'), ''),"
        " j.locked_by_id::text)",
        error="j.error",
        heartbeat="p.updated_at",
        attempt="j.executions_count",
        job_class="j.job_class",
        queue="j.queue_name",
        args="j.serialized_params",
        other_id="j.active_job_id",
        due="CASE WHEN j.finished_at IS NULL AND j.performed_at IS NULL THEN j.scheduled_at END",
        live="j.finished_at IS NULL",
        running="j.finished_at IS NULL AND j.performed_at IS NOT NULL",
        alive="p.updated_at",
        silent_for="interval '5 minutes'",
        lost="j.locked_by_id IS NOT NULL AND p.id IS NULL",
        details={
            "cron_key": "j.cron_key",
            "concurrency_key": "j.concurrency_key",
            "batch_id": "j.batch_id",
        },
    ),
    history=History(
        tables=(
            Table("e", "good_job_executions"),
            Table("p", "good_job_processes", "p.id = e.process_id"),
        ),
        id="e.id",
        job="e.active_job_id",
        stamps=(
            Stamp("created_at", "e.created_at", Kind.JOB_STARTED, "started on {queue}"),
            Stamp(
                "finished_at",
                "e.finished_at",
                Kind.JOB_RETRIED,
                "failed on {queue}, to be retried",
                states=("retried",),
                with_error=True,
            ),
            Stamp(
                "finished_at",
                "e.finished_at",
                Kind.JOB_RETRIED,
                "was found interrupted on {queue}: noticed now, its process died before",
                states=("interrupted",),
                meaning=Meaning.POLLED,
                with_error=True,
            ),
            Stamp(
                "finished_at",
                "e.finished_at",
                Kind.JOB_FAILED,
                "failed on {queue}",
                states=("failed",),
                with_error=True,
            ),
        ),
        state="CASE WHEN e.error IS NULL THEN 'succeeded' WHEN e.error_event = 0 THEN 'interrupted'"
        " WHEN e.error_event = 3 THEN 'retried' ELSE 'failed' END",
        worker="coalesce(nullif(concat_ws(':', p.state->>'hostname', p.state->>'pid'), ''),"
        " e.process_id::text)",
        error="e.error",
    ),
    kept_s=KEPT_S,
    forgets=f"deletes ended jobs after {KEPT_S // 86_400} days by default, and at once where "
    "preserve_job_records is off",
    lost_means=f"its process is gone or has not refreshed its row for {SILENT_MINUTES} minutes",
    variables=("DATABASE_URL", "QUEUE_DATABASE_URL"),
    cannot_see=(
        "when a process died: an interrupted job is only noticed when it runs again",
        "whether the advisory lock of a running job is still held",
    ),
)


class GoodJobConnector(SqlQueueConnector):
    """One GoodJob in one database. See `connectors.contract.Connector`."""

    system: ClassVar[str] = SYSTEM.name
    description: ClassVar[System] = SYSTEM
