"""Queues that the generator lacks, as their connectors tell them: Oban, River, RabbitMQ.

The words, clocks and meanings of every stamp are read from the connectors' own descriptions, so
that a queue is told here as the product tells it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

from connectors.queues.transitions import Moment
from connectors.rabbitmq.history import COUNTERS, REDELIVERED
from connectors.rabbitmq.measured import Sample, measured
from connectors.sqlqueue.oban import SYSTEM as OBAN
from connectors.sqlqueue.river import SYSTEM as RIVER
from connectors.sqlqueue.shape import Stamp, System
from tests.score.queues import BRANDS, Brand, Flows, Job, Told
from timeline.event import SEVERITY_WARN, Event, Kind, Precision
from timeline.window import SECOND_NS

STEP_S = 5
"""Distance of RabbitMQ's finest samples."""
KEPT_S = 600
"""How far back those reach by default."""
STATES = {
    "oban": {
        "waiting": "available",
        "running": "executing",
        "lost": "executing",
        "finished": "completed",
        "retried": "retryable",
        "failed": "retryable",
        "dead": "discarded",
    },
    "river": {
        "waiting": "available",
        "running": "running",
        "lost": "running",
        "finished": "completed",
        "retried": "retryable",
        "failed": "retryable",
        "dead": "discarded",
    },
}
TABLES = {"oban": "oban_jobs", "river": "river_job"}


def in_tables(system: System, keeps_ns: int | None) -> Brand:
    """A queue in PostgreSQL tables that keeps what has ended for `keeps_ns` (None: for ever)."""
    return Brand(system.name, system.name, system.forgets, keeps_ns, _teller(system))


def _teller(system: System) -> Callable[[Job], Iterator[Told]]:
    table = TABLES[system.name]

    def tell(job: Job) -> Iterator[Told]:
        state = STATES[system.name][job.state()]
        facts = job.facts(state, {"kept_in": table})
        last = job.attempts[-1] if job.attempts else None
        values: dict[str, int | None] = {
            "inserted_at": job.pushed[0],
            "created_at": job.pushed[0],
            "attempted_at": last.started if last else None,
        }
        ended = last.ended if last else None
        values |= dict.fromkeys(("completed_at", "finalized_at", "discarded_at"), ended)
        for stamp in system.jobs.stamps:
            at = values.get(stamp.name)
            if at is not None and (not stamp.states or state in stamp.states):
                ref = f"{table}/{job.id}#{stamp.name}@{at}"
                host = last.host if last and stamp.kind is not Kind.JOB_ENQUEUED else ""
                yield facts, _moment(stamp, at, ref, job, len(job.attempts)), host
        for number, attempt in enumerate(job.attempts, 1):
            if attempt.error and attempt.ended is not None and system.history is not None:
                stamp = system.history.stamps[0]
                ref = f"{table}/{job.id}/errors/{number}#at@{attempt.ended}"
                yield facts, _moment(stamp, attempt.ended, ref, job, number), attempt.host

    return tell


def _moment(stamp: Stamp, at: int, ref: str, job: Job, number: int) -> Moment:
    attempt = job.attempts[number - 1] if job.attempts else None
    worker = attempt.worker if attempt else ""
    words = {"queue": job.queue, "worker": worker or "?", "attempt": number, "later": ""}
    return Moment(
        stamp.kind,
        at,
        stamp.words.format_map(words),
        ref,
        clock=stamp.clock,
        meaning=stamp.meaning,
        precision=Precision.MICROSECOND,
        worker="" if stamp.kind is Kind.JOB_ENQUEUED else worker,
        error=attempt.error if attempt and stamp.with_error else "",
        stage=stamp.stage,
        details={"attempt": number} if stamp.with_error else {},
    )


def _nothing(_job: Job) -> Iterator[Told]:
    return iter(())


NEVER_SHOWN = "tells counts only: no message, no id, and who holds one is unknown"
QUEUES: Mapping[str, Brand] = {
    "oban": in_tables(OBAN, None),
    "oban-pruned": in_tables(OBAN, 60 * SECOND_NS),
    "river": in_tables(RIVER, None),
    "rabbitmq": Brand("rabbitmq", "rabbitmq 3.13", NEVER_SHOWN, 0, _nothing),
    "bullmq": BRANDS["bullmq"],
    "sqs": BRANDS["sqs"],
}
"""Oban without a pruner keeps all; with one as its guide shows it, a minute. River: a day."""


def rabbit_samples(queue: str, jobs: list[Job], start: int, end: int, now: int) -> Iterator[Event]:
    """What the management plugin still holds of `queue`: five seconds apart, ten minutes back."""
    step = STEP_S * SECOND_NS
    first = max(start, now - KEPT_S * SECOND_NS) // step * step + step
    flows = Flows.of(jobs)
    for stamp in range(first, end, step):
        low = stamp - step
        ready, unacked = flows.waiting(stamp), flows.running(stamp)
        counts = dict.fromkeys((*COUNTERS, REDELIVERED + "ed"), 0)
        counts["published"] = flows.pushed(stamp) - flows.pushed(low)
        counts["delivered"] = flows.taken(stamp) - flows.taken(low)
        counts["acked"] = flows.finished(stamp) - flows.finished(low)
        counts["redelivered"] = flows.again(stamp) - flows.again(low)
        moved = [f"{count} {name}" for name, count in counts.items() if count]
        words = f"{queue}: {ready} ready, {unacked} unacked"
        words += f"; {', '.join(moved)} in {STEP_S} s" if moved else ""
        details = {"queue": queue, "depth": ready, "running": unacked, **counts}
        details["interval_s"] = STEP_S
        severity = SEVERITY_WARN if counts["redelivered"] else 0
        sample = Sample(f"queues///{queue}@{stamp}", stamp, words, details, severity)
        yield measured("rabbitmq", queue, sample)
