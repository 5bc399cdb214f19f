"""River (Go): one table of jobs with every error; the stamps of the last attempt only.

Source: river 0.43, `riverdriver/riverpgxv5/migration/main`. Creation and start
are the database's clock, ends and errors that of the Go client: one row mixes two clocks.
"""

from __future__ import annotations

from typing import ClassVar

from connectors.sqlqueue.connector import SqlQueueConnector
from connectors.sqlqueue.shape import SERVER_CLOCK, History, Jobs, Stamp, System, Table
from timeline.event import Kind, Meaning


def _finalized(state: str, kind: Kind, words: str) -> Stamp:
    return Stamp(
        "finalized_at",
        "j.finalized_at",
        kind,
        words,
        states=(state,),
        with_error=state == "discarded",
    )


KEPT_S = 24 * 3600
"""Of completed and cancelled jobs; discarded ones stay for seven days."""

SYSTEM = System(
    name="river",
    product="River",
    jobs=Jobs(
        tables=(Table("j", "river_job"),),
        id="j.id",
        stamps=(
            Stamp(
                "created_at",
                "j.created_at",
                Kind.JOB_ENQUEUED,
                "inserted into {queue}{later}",
                clock=SERVER_CLOCK,
                meaning=Meaning.TRANSACTION_START,
                inserted=True,
            ),
            Stamp(
                "attempted_at",
                "j.attempted_at",
                Kind.JOB_STARTED,
                "started on {queue} by {worker} (attempt {attempt})",
                clock=SERVER_CLOCK,
                meaning=Meaning.TRANSACTION_START,
            ),
            _finalized("completed", Kind.JOB_FINISHED, "completed on {queue}"),
            _finalized("discarded", Kind.JOB_DEAD, "was discarded on {queue}, no retry is left"),
            _finalized("cancelled", Kind.JOB_DEAD, "was cancelled on {queue}"),
        ),
        state="j.state",
        state_indexed=True,
        worker="j.attempted_by[cardinality(j.attempted_by)]",
        error="j.errors[cardinality(j.errors)]->>'error'",
        attempt="j.attempt",
        job_class="j.kind",
        queue="j.queue",
        args="j.args",
        max_attempts="j.max_attempts",
        due="CASE WHEN j.state IN ('scheduled', 'retryable') THEN j.scheduled_at END",
        live="j.state IN ('available', 'scheduled', 'running', 'retryable')",
        running="j.state = 'running'",
        alive="j.attempted_at",
        silent_for="interval '1 hour'",
        details={"tags": "nullif(j.tags, '{}')", "metadata": "nullif(j.metadata, '{}'::jsonb)"},
    ),
    history=History(
        tables=(Table("j", "river_job"),),
        lateral="CROSS JOIN LATERAL unnest(j.errors) WITH ORDINALITY AS e(v, n)",
        id="concat_ws('/errors/', j.id, e.n)",
        job="j.id",
        stamps=(
            Stamp(
                "at",
                "(e.v->>'at')::timestamptz",
                Kind.JOB_RETRIED,
                "failed on {queue} (attempt {attempt})",
                states=("failed",),
                searched=False,
                with_error=True,
            ),
            Stamp(
                "at",
                "(e.v->>'at')::timestamptz",
                Kind.JOB_RETRIED,
                "was taken for stuck on {queue} (attempt {attempt}): noticed now, and it may "
                "still have run",
                states=("rescued",),
                meaning=Meaning.POLLED,
                searched=False,
                with_error=True,
            ),
        ),
        state="CASE WHEN starts_with(e.v->>'error', 'Stuck job rescued') THEN 'rescued'"
        " ELSE 'failed' END",
        error="e.v->>'error'",
        attempt="(e.v->>'attempt')::bigint",
    ),
    kept_s=KEPT_S,
    forgets="deletes completed and cancelled jobs after 24 hours, discarded ones after 7 days",
    lost_means="it has been running for more than 1 hour, after which the rescuer takes it for "
    "stuck unless its own timeout is longer",
    version_table="river_migration",
    cannot_see=(
        "starts of attempts before the last one; their failures are kept",
        "whether the client of a running job is alive: clients write no heartbeat",
    ),
)


class RiverConnector(SqlQueueConnector):
    """One River in one database. See `connectors.contract.Connector`."""

    system: ClassVar[str] = SYSTEM.name
    description: ClassVar[System] = SYSTEM
