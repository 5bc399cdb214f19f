"""Oban (Elixir): one table of jobs with every error; the stamps of the last attempt only.

Source: oban 2.23.0, `lib/oban/migrations/postgres` and `lib/oban/engines/basic.ex`. Columns have no
zone and hold UTC. `inserted_at` and a plain `scheduled_at` are the database's clock, the others
the node's: one row mixes two clocks.
"""

from __future__ import annotations

from typing import ClassVar

from connectors.sqlqueue.connector import SqlQueueConnector
from connectors.sqlqueue.shape import SERVER_CLOCK, History, Jobs, Stamp, System, Table
from timeline.event import Kind, Meaning

KEPT_S = 60
"""`max_age` of the pruner, once one is configured."""

SYSTEM = System(
    name="oban",
    product="Oban",
    schema_option="schema (Oban's prefix)",
    jobs=Jobs(
        tables=(Table("j", "oban_jobs"),),
        id="j.id",
        stamps=(
            Stamp(
                "inserted_at",
                "j.inserted_at",
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
            ),
            Stamp(
                "completed_at",
                "j.completed_at",
                Kind.JOB_FINISHED,
                "completed on {queue}",
                states=("completed",),
            ),
            Stamp(
                "discarded_at",
                "j.discarded_at",
                Kind.JOB_DEAD,
                "was discarded on {queue}, no retry is left",
                states=("discarded",),
                with_error=True,
            ),
            Stamp(
                "cancelled_at",
                "j.cancelled_at",
                Kind.JOB_DEAD,
                "was cancelled on {queue}",
                states=("cancelled",),
            ),
        ),
        state="j.state",
        state_indexed=True,
        worker="j.attempted_by[1]",
        error="j.errors[cardinality(j.errors)]->>'error'",
        attempt="j.attempt",
        job_class="j.worker",
        queue="j.queue",
        args="j.args",
        max_attempts="j.max_attempts",
        due="CASE WHEN j.state IN ('scheduled', 'retryable') THEN j.scheduled_at END",
        live="j.state IN ('available', 'scheduled', 'executing', 'retryable')",
        running="j.state = 'executing'",
        alive="j.attempted_at",
        silent_for="interval '60 minutes'",
        details={"tags": "nullif(j.tags, '{}')", "meta": "nullif(j.meta, '{}'::jsonb)"},
    ),
    history=History(
        tables=(Table("j", "oban_jobs"),),
        lateral="CROSS JOIN LATERAL unnest(j.errors) WITH ORDINALITY AS e(v, n)",
        id="concat_ws('/errors/', j.id, e.n)",
        job="j.id",
        stamps=(
            Stamp(
                "at",
                "(e.v->>'at')::timestamptz",
                Kind.JOB_RETRIED,
                "failed on {queue} (attempt {attempt})",
                searched=False,
                with_error=True,
            ),
        ),
        error="e.v->>'error'",
        attempt="(e.v->>'attempt')::bigint",
    ),
    kept_s=KEPT_S,
    forgets=f"deletes ended jobs after {KEPT_S} s once a pruner is on, unless its max_age says "
    "otherwise",
    lost_means="it has been executing for more than 60 minutes, after which Lifeline would take it "
    "for an orphan",
    cannot_see=(
        "starts of attempts before the last one; their failures are kept",
        "whether the node of an executing job is alive: nodes write no heartbeat",
        "when a scheduled job became available",
    ),
)


class ObanConnector(SqlQueueConnector):
    """One Oban in one database. See `connectors.contract.Connector`."""

    system: ClassVar[str] = SYSTEM.name
    description: ClassVar[System] = SYSTEM
