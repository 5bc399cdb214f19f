"""graphile-worker (Node): a row lives until its job succeeds; then nothing is left of it.

Source: graphile-worker 0.17.3, `sql/*.sql` and `src/sql/failJob.ts`. Stamps are the database's
`now()`. A failed job is due again exp(least(attempts, 10)) seconds after it failed, so the failure
can be derived. The view `jobs` shows everything but the arguments; the tables behind it are under
row security, which only their owner or a role with BYPASSRLS passes.
"""

from __future__ import annotations

from typing import ClassVar

from connectors.sqlqueue.connector import SqlQueueConnector
from connectors.sqlqueue.shape import SERVER_CLOCK, Jobs, Stamp, System, Table
from timeline.event import Kind, Meaning

SYSTEM = System(
    name="graphile-worker",
    product="graphile-worker",
    schema="graphile_worker",
    jobs=Jobs(
        tables=(Table("j", "jobs"), Table("p", "_private_jobs", "p.id = j.id")),
        id="j.id",
        stamps=(
            Stamp(
                "created_at",
                "j.created_at",
                Kind.JOB_ENQUEUED,
                "added to {queue}{later}",
                clock=SERVER_CLOCK,
                meaning=Meaning.TRANSACTION_START,
                inserted=True,
            ),
            Stamp(
                "updated_at",
                "CASE WHEN j.revision > 0 THEN j.updated_at END",
                Kind.CHANGE,
                "was added again under its key on {queue}",
                clock=SERVER_CLOCK,
                meaning=Meaning.TRANSACTION_START,
                stage=1,
            ),
            Stamp(
                "locked_at",
                "j.locked_at",
                Kind.JOB_STARTED,
                "started on {queue} by {worker}",
                clock=SERVER_CLOCK,
                meaning=Meaning.TRANSACTION_START,
            ),
            Stamp(
                "failed",
                "CASE WHEN j.last_error IS NOT NULL AND j.locked_at IS NULL THEN"
                " j.run_at - exp(least(j.attempts, 10)) * interval '1 second' END",
                Kind.JOB_RETRIED,
                "failed on {queue} (derived from its next run {due} and the back-off)",
                states=("waiting for a retry",),
                clock=SERVER_CLOCK,
                meaning=Meaning.DERIVED,
                with_error=True,
            ),
            Stamp(
                "failed",
                "CASE WHEN j.last_error IS NOT NULL AND j.locked_at IS NULL THEN"
                " j.run_at - exp(least(j.attempts, 10)) * interval '1 second' END",
                Kind.JOB_FAILED,
                "failed on {queue}, no retry is left (derived from run_at and the back-off)",
                states=("failed for good",),
                clock=SERVER_CLOCK,
                meaning=Meaning.DERIVED,
                with_error=True,
            ),
        ),
        state="CASE WHEN j.locked_at IS NOT NULL THEN 'locked'"
        " WHEN j.attempts >= j.max_attempts THEN 'failed for good'"
        " WHEN j.last_error IS NOT NULL THEN 'waiting for a retry' ELSE 'waiting' END",
        worker="j.locked_by",
        error="j.last_error",
        attempt="j.attempts",
        job_class="j.task_identifier",
        queue="coalesce(j.queue_name, 'default')",
        args="p.payload",
        max_attempts="j.max_attempts",
        due="CASE WHEN j.locked_at IS NULL AND j.attempts < j.max_attempts THEN j.run_at END",
        live="j.attempts < j.max_attempts OR j.locked_at IS NOT NULL",
        running="j.locked_at IS NOT NULL",
        alive="j.locked_at",
        silent_for="interval '4 hours'",
        details={"key": "j.key", "flags": "j.flags"},
    ),
    deletes_from="_private_jobs",
    kept_s=0,
    forgets="deletes a job's row as soon as it succeeds, and keeps of its failures only the last",
    lost_means="it has been locked for 4 hours, after which another worker may take it",
    version_table="migrations",
    version_column="id",
    cannot_see=(
        "a job that succeeded: its row is gone",
        "whether a locked job's worker is alive: workers send no heartbeat, and a lock is only "
        "given up after 4 hours",
        "starts of attempts that failed",
    ),
)


class GraphileWorkerConnector(SqlQueueConnector):
    """One graphile-worker in one database. See `connectors.contract.Connector`."""

    system: ClassVar[str] = SYSTEM.name
    description: ClassVar[System] = SYSTEM
