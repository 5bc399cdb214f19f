"""Celery's tables in PostgreSQL, as descriptions: messages, and results of two kinds.

Facts: kombu 5.7.0 (transport/sqlalchemy), celery 5.7.0 (backends/database), observed on PostgreSQL
15; django-celery-results 2.6.0 (models.py). One product, three `System`s: a task's message, its
result and Django's result are rows of their own, often in different databases, and no SQL joins
them, because a message holds its task's id inside a JSON text.
"""

from __future__ import annotations

from dataclasses import replace
from typing import LiteralString

from connectors.celery.results import KINDS
from connectors.celery_sql.options import CelerySqlOptions
from connectors.sqlqueue.shape import SERVER_CLOCK, Jobs, Stamp, System, Table
from timeline.event import Kind

PRODUCT = "Celery"
RESULT_EXPIRES_S = 86_400
"""Celery's default result_expires: one day (celery 5.7, app/defaults.py)."""
ENDS: LiteralString = "4000"


def _states(column: LiteralString, name: str, *without: str) -> tuple[Stamp, ...]:
    """The last write of a result's state, told as what the state says."""
    return tuple(
        Stamp(name, column, kind, words, states=(state,), with_error=kind is not Kind.JOB_FINISHED)
        for state, (kind, words) in KINDS.items()
        if state not in without
    )


MESSAGES = System(
    name="celery-sql",
    product="Celery's SQL broker",
    jobs=Jobs(
        tables=(
            Table("m", "kombu_message"),
            Table("q", "kombu_queue", on="q.id = m.queue_id"),
        ),
        id="m.id",
        # The column is empty until a worker takes the message: it is no time of sending.
        stamps=(Stamp("timestamp", "m.timestamp", Kind.LOG, "was taken by a worker"),),
        state="CASE WHEN m.visible THEN 'waiting' ELSE 'taken' END",
        queue="q.name",
        args="m.payload",
        live="m.visible",
    ),
    kept_s=None,
    forgets="keeps every message that was taken, until somebody purges the queue",
    lost_means="",
)
RESULTS = System(
    name="celery-sql",
    product="Celery's result table",
    jobs=Jobs(
        tables=(Table("r", "celery_taskmeta"),),
        id="r.id",
        known_as="r.task_id",
        stamps=_states("r.date_done", "date_done"),
        state="r.status",
        worker="r.worker",
        error=f"right(r.traceback, {ENDS})",  # what was raised stands last
        attempt="r.retries + 1",
        job_class="r.name",
        queue="r.queue",
        # Both as Celery's serializer wrote them, a line break between: compact JSON holds none.
        args="encode(coalesce(r.args, '') || '\\x0a'::bytea || coalesce(r.kwargs, ''), 'hex')",
        live="r.status IN ('STARTED', 'RETRY', 'RECEIVED')",
        running="r.status = 'STARTED'",
        details={"result_bytes": "octet_length(r.result)"},
    ),
    kept_s=RESULT_EXPIRES_S,
    forgets="keeps nothing of tasks with ignore_result, and what it keeps it deletes after "
    "result_expires (a day by default) where celery beat runs",
    lost_means="",
)
DJANGO_RESULTS = System(
    name="celery-sql",
    product="django-celery-results",
    jobs=Jobs(
        tables=(Table("d", "django_celery_results_taskresult"),),
        id="d.id",
        known_as="d.task_id",
        stamps=(
            Stamp(
                "date_started", "d.date_started", Kind.JOB_STARTED, "started", clock=SERVER_CLOCK
            ),
            *_states("d.date_done", "date_done", "STARTED"),
        ),
        state="d.status",
        worker="d.worker",
        error=f"right(d.traceback, {ENDS})",
        job_class="d.task_name",
        queue="NULL",
        args="encode(convert_to(coalesce(d.task_args, '') || E'\\n' || coalesce(d.task_kwargs, ''),"
        " 'UTF8'), 'hex')",
        live="d.status IN ('STARTED', 'RETRY', 'RECEIVED')",
        running="d.status = 'STARTED'",
        details={"result_bytes": "octet_length(d.result)", "periodic": "d.periodic_task_name"},
    ),
    kept_s=RESULT_EXPIRES_S,
    forgets=RESULTS.forgets,
    lost_means="",
)


def described(options: CelerySqlOptions) -> tuple[System, tuple[System, ...]]:
    """The broker's description and those of results, under the configured names."""
    messages = replace(
        MESSAGES.jobs,
        tables=(
            Table("m", options.message_table),
            Table("q", options.queue_table, on="q.id = m.queue_id"),
        ),
    )
    results = replace(RESULTS.jobs, tables=(Table("r", options.result_table),))
    return replace(MESSAGES, jobs=messages), (replace(RESULTS, jobs=results), DJANGO_RESULTS)
