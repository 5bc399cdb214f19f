"""delayed_job (Ruby, Active Record): a row lives until its job ends; arguments are YAML.

Source: delayed_job 4.1.9, `worker.rb` and `performable_method.rb`; delayed_job_active_record 4.1.6.
Columns have no zone and are written in UTC unless Rails says otherwise, by the worker's clock. YAML
is never loaded: the server takes names out of whole lines of a strict form; the rest stays shut.
"""

from __future__ import annotations

from typing import ClassVar, LiteralString

from connectors.queues.transitions import CLIENT_CLOCK
from connectors.sqlqueue.connector import SqlQueueConnector
from connectors.sqlqueue.shape import Jobs, Stamp, System, Table
from timeline.event import Kind, Meaning

JOB_CLASS: LiteralString = (
    "coalesce("
    # Active Job's envelope
    "substring(left(j.handler, 4000) from '\\n  job_class: ([A-Z][A-Za-z0-9_:]{0,100})\\n'),"
    # User.delay.welcome, UserMailer.delay.welcome: Class#method
    " nullif(concat_ws('#', substring(left(j.handler, 4000) from"
    " '^--- !ruby/object:Delayed::Performable[A-Za-z]+\\n"
    "object: !ruby/[A-Za-z]+[: ]''?([A-Z][A-Za-z0-9_:]{0,100})''?[ \\n]'),"
    " substring(left(j.handler, 4000) from"
    " '\\nmethod_name: :([A-Za-z_][A-Za-z0-9_]{0,100}[?!]?)\\n')), ''),"
    # an object of a class of its own
    " substring(left(j.handler, 4000) from"
    " '^--- !ruby/(?:object|struct):([A-Z][A-Za-z0-9_:]{0,100})[ \\n]'))"
)
"""Names only, each from a whole line of the form that Psych writes, beginning with a capital."""
ERROR: LiteralString = (
    "concat_ws(E'\\n', nullif(left(substring(j.last_error from E'\\n(.*)'), 3000), ''),"
    " left(rtrim(split_part(j.last_error, E'\\n', 1), E'\\r'), 900))"
)
"""The message stands first and the backtrace after it; what was raised is told last here."""

SYSTEM = System(
    name="delayed-job",
    product="delayed_job",
    jobs=Jobs(
        tables=(Table("j", "delayed_jobs"),),
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
                "locked_at",
                "j.locked_at",
                Kind.JOB_STARTED,
                "started on {queue} by {worker}",
                states=("locked", "failed"),  # a job that failed for good keeps its last lock
            ),
            Stamp(
                "retried",
                "CASE WHEN j.attempts > 0 AND j.failed_at IS NULL THEN"
                " j.run_at - (j.attempts ^ 4 + 5) * interval '1 second' END",
                Kind.JOB_RETRIED,
                "failed on {queue} (derived from its next run {due} and the back-off)",
                states=("waiting for a retry",),
                meaning=Meaning.DERIVED,
                with_error=True,
            ),
            Stamp(
                "failed_at",
                "j.failed_at",
                Kind.JOB_DEAD,
                "failed for good on {queue}",
                with_error=True,
            ),
        ),
        state="CASE WHEN j.failed_at IS NOT NULL THEN 'failed'"
        " WHEN j.locked_at IS NOT NULL THEN 'locked'"
        " WHEN j.attempts > 0 THEN 'waiting for a retry' ELSE 'waiting' END",
        worker="j.locked_by",
        error=ERROR,
        attempt="j.attempts + (j.locked_at IS NOT NULL AND j.failed_at IS NULL)::int",
        job_class=JOB_CLASS,
        queue="coalesce(j.queue, 'default')",
        opaque="j.handler",
        opaque_format="YAML",
        other_id="substring(left(j.handler, 4000) from '\\n  job_id: ([0-9a-f-]{36})\\n')",
        due="CASE WHEN j.failed_at IS NULL AND j.locked_at IS NULL THEN j.run_at END",
        live="j.failed_at IS NULL",
        running="j.failed_at IS NULL AND j.locked_at IS NOT NULL",
        alive="j.locked_at",
        silent_for="interval '4 hours'",
        details={"priority": "j.priority"},
    ),
    kept_s=0,
    forgets="deletes a job's row when it succeeds, by default also when it fails for good, and "
    "keeps of its failures only the last",
    lost_means="it has been locked for 4 hours (max_run_time), after which another worker may "
    "take it",
    cannot_see=(
        "a job that succeeded: its row is gone",
        "arguments: they are YAML, which is never loaded",
        "whether a locked job's worker is alive: workers send no heartbeat",
    ),
)


class DelayedJobConnector(SqlQueueConnector):
    """One delayed_job table in one database. See `connectors.contract.Connector`."""

    system: ClassVar[str] = SYSTEM.name
    description: ClassVar[System] = SYSTEM
