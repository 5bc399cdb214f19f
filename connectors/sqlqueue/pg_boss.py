"""pg-boss (Node): one table of jobs, kept for days after they end; the last attempt's stamps only.

Source: pg-boss 12.38.0 (schema 46), `plans.ts`; 10.4.2 (schema 24) lacks heartbeats. All stamps are
the database's `now()`. A failure deletes the row and writes it again; while a job waits for a
retry without back-off, its next start less the delay is when it failed.
"""

from __future__ import annotations

from typing import ClassVar

from connectors.sqlqueue.connector import SqlQueueConnector
from connectors.sqlqueue.shape import SERVER_CLOCK, Jobs, Stamp, System, Table
from timeline.event import Kind, Meaning


def _ended(state: str, kind: Kind, words: str, *, with_error: bool = False) -> Stamp:
    return Stamp(
        "completed_on",
        "j.completed_on",
        kind,
        words,
        states=(state,),
        clock=SERVER_CLOCK,
        meaning=Meaning.TRANSACTION_START,
        with_error=with_error,
    )


KEPT_S = 7 * 24 * 3600
"""Of ended jobs: `deletion_seconds` of a queue unless it says otherwise."""

SYSTEM = System(
    name="pg-boss",
    product="pg-boss",
    schema="pgboss",
    jobs=Jobs(
        tables=(Table("j", "job"),),
        id="j.id",
        stamps=(
            Stamp(
                "created_on",
                "j.created_on",
                Kind.JOB_ENQUEUED,
                "enqueued on {queue}{later}",
                clock=SERVER_CLOCK,
                meaning=Meaning.TRANSACTION_START,
                inserted=True,
            ),
            Stamp(
                "started_on",
                "j.started_on",
                Kind.JOB_STARTED,
                "started on {queue} (attempt {attempt})",
                clock=SERVER_CLOCK,
                meaning=Meaning.TRANSACTION_START,
            ),
            Stamp(
                "failed",
                "CASE WHEN j.state = 'retry' AND NOT j.retry_backoff"
                " THEN j.start_after - j.retry_delay * interval '1 second' END",
                Kind.JOB_RETRIED,
                "failed on {queue} (derived from its next start {due} and its retry delay)",
                states=("retry",),
                clock=SERVER_CLOCK,
                meaning=Meaning.DERIVED,
                searched=False,
                with_error=True,
            ),
            _ended("completed", Kind.JOB_FINISHED, "completed on {queue}"),
            _ended(
                "failed", Kind.JOB_FAILED, "failed on {queue}, no retry is left", with_error=True
            ),
            _ended("cancelled", Kind.JOB_DEAD, "was cancelled on {queue}"),
        ),
        state="j.state",
        error="CASE WHEN j.state IN ('retry', 'failed') THEN coalesce(nullif(concat_ws(': ',"
        " j.output->>'name', j.output->>'message'), ''), j.output->'value'->>'message',"
        " j.output::text) END",
        heartbeat="j.heartbeat_on",
        heartbeat_clock=SERVER_CLOCK,
        attempt="j.retry_count + (j.started_on IS NOT NULL)::int",
        job_class="j.name",
        queue="j.name",
        args="j.data",
        max_attempts="j.retry_limit + 1",
        due="CASE WHEN j.state IN ('created', 'retry') THEN j.start_after END",
        live="j.state IN ('created', 'retry', 'active')",
        running="j.state = 'active'",
        lost="coalesce(j.heartbeat_on + j.heartbeat_seconds * interval '1 second' < now(), false)"
        " OR j.started_on + j.expire_seconds * interval '1 second' < now()",
        details={
            "policy": "j.policy",
            "singleton_key": "j.singleton_key",
            "dead_letter": "j.dead_letter",
            "source_id": "j.source_id",
            "source_root_id": "j.source_root_id",
            "trace_context": "j.trace_context",
        },
    ),
    kept_s=KEPT_S,
    forgets=f"deletes ended jobs after {KEPT_S // 86_400} days unless a queue says otherwise, and "
    "keeps only the last attempt of each",
    lost_means="its heartbeats stopped, or it runs for longer than expire_seconds",
    version_table="version",
    queue_table="queue",
    cannot_see=(
        "starts, ends and errors of attempts before the last one",
        "when a job failed that waits for a retry with back-off: its delay holds a random part",
        "which process ran a job",
    ),
)


class PgBossConnector(SqlQueueConnector):
    """One pg-boss in one database. See `connectors.contract.Connector`."""

    system: ClassVar[str] = SYSTEM.name
    description: ClassVar[System] = SYSTEM
