"""What Solid Queue, pg-boss, Procrastinate and graphile-worker tell of a night's jobs.

A job becomes the rows that its tables would hold; the connectors' own reader tells the rows, so
every word, clock and meaning is the product's.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from connectors.postgresql.session import Cell
from connectors.queues.transitions import CLIENT_CLOCK, WORKER_CLOCK
from connectors.sqlqueue.graphile_worker import SYSTEM as GRAPHILE
from connectors.sqlqueue.jobs import JobLife, Row
from connectors.sqlqueue.pg_boss import SYSTEM as PG_BOSS
from connectors.sqlqueue.procrastinate import SYSTEM as PROCRASTINATE
from connectors.sqlqueue.shape import System
from connectors.sqlqueue.solid_queue import SYSTEM as SOLID
from tests.score.queues import Attempt, Brand, Job, Told
from tests.score.second_company.queues import QUEUES as OTHERS
from timeline.event import Event
from timeline.keys import KeyRules
from timeline.window import SECOND_NS

RETRY_S = 20
"""Between a failure and the next run, where nothing else is drawn."""
BEAT_S = 5
"""A process beats for itself, whatever it runs: the last beat of one that died with a job in hand
lies before that job."""
Cells = dict[str, Cell]
Kept = Iterator[tuple[Row, list[Row], str, str]]
"""A row, the rows of its history, the host that enqueued it and the host that worked on it."""


@dataclass(frozen=True, slots=True)
class Tables:
    """One queue's tables: their names, how a job lies in them, whether an ended one stays."""

    system: System
    label: str
    history_label: str
    keeps_ended: bool
    rows: Callable[[Job, int], Kept]

    def told(self, jobs: list[Job], now: int) -> Iterator[tuple[Event, str]]:
        """Every event on record at `now`, with the host that truly stamped it."""
        life = JobLife(self.system.name, self.system, self.label, self.history_label, KeyRules())
        for number, job in enumerate(jobs, 4_410_000):
            if job.removed or (job.state() == "finished" and not self.keeps_ended):
                continue
            for row, history, client, worker in self.rows(job, number):
                for event in life.of(row, history, now):
                    hosts = {CLIENT_CLOCK: client, WORKER_CLOCK: worker}
                    yield event, hosts.get(event.clock, event.clock) or self.system.name


def _cells(job: Job, row_id: str, state: str, attempts: list[Attempt]) -> Cells:
    """What all tables have: the call, the state, the attempts begun."""
    args = json.dumps(_arguments(job))
    last = attempts[-1] if attempts else None
    running = last is not None and last.outcome in ("running", "lost") and last.ended is None
    failed = last is not None and last.outcome in ("failed", "retried", "dead", "lost")
    return {
        "id": row_id,
        "job": row_id,
        "state": state,
        "job_class": job.job_class,
        "queue": job.queue,
        "args": args,
        "args_bytes": len(args),
        "attempt": len(attempts),
        "worker": last.worker if last is not None else None,
        "error": last.error if last is not None and failed and last.error else None,
        "running": running,
        "lost": False,
        "live": last is None or running or last.outcome == "retried",
        "due": None,
        "heartbeat": None,
    }


def _arguments(job: Job) -> dict[str, int | str]:
    """`permit_id=12, channel=sms` as the mapping that the queue stores."""
    pairs = [part.partition("=") for part in job.args.split(", ")]
    return {name: int(value) if value.isdigit() else value for name, _, value in pairs}


def _us(stamp: int | None) -> int | None:
    return None if stamp is None else stamp // 1_000


def _boss(job: Job, _number: int) -> Kept:
    """One row that holds the last attempt; all stamps are the server's."""
    last = job.attempts[-1] if job.attempts else None
    states = {
        "waiting": "created",
        "running": "active",
        "lost": "active",
        "finished": "completed",
        "retried": "retry",
        "failed": "failed",
        "dead": "failed",
    }
    state = states[job.state()]
    cells = _cells(job, job.id, state, job.attempts)
    cells |= {
        "max_attempts": 3,
        "@created_on": _us(job.pushed[0]),
        "@started_on": _us(last.started) if last else None,
    }
    if last is not None and last.ended is not None:
        name = "failed" if state == "retry" else "completed_on"
        cells[f"@{name}"] = _us(last.ended)
        if state == "retry":
            cells["due"] = _us(last.ended + RETRY_S * SECOND_NS)
    yield Row(cells), [], job.host, ""


def _procrastinate(job: Job, number: int) -> Kept:
    """A row for the job and one for every transition, all stamped by the server."""
    states = {
        "waiting": "todo",
        "running": "doing",
        "lost": "doing",
        "finished": "succeeded",
        "retried": "todo",
        "failed": "failed",
        "dead": "failed",
    }
    ends = {
        "finished": "succeeded",
        "retried": "deferred_for_retry",
        "failed": "failed",
        "dead": "failed",
    }
    happened = [("deferred", job.pushed[0])]
    happened += [("retried", stamp) for stamp in job.pushed[1:]]
    for attempt in job.attempts:
        happened.append(("started", attempt.started))
        if attempt.ended is not None and attempt.outcome in ends:
            happened.append((ends[attempt.outcome], attempt.ended))
    cells = _cells(job, job.id, states[job.state()], job.attempts)
    cells["error"] = None  # it is only in the worker's log
    if job.state() == "lost" and job.attempts[-1].ended is None:
        cells |= {"lost": True, "heartbeat": _us(job.attempts[-1].started - BEAT_S * SECOND_NS)}
    history = [
        Row({"id": str(number * 8 + place), "job": job.id, "state": kind, "@at": _us(stamp)})
        for place, (kind, stamp) in enumerate(happened)
    ]
    yield Row(cells), history, job.host, ""


def _solid(job: Job, number: int) -> Kept:
    """A row for the job, and another for each retry of Active Job, which enqueues it again."""
    runs: list[Attempt | None] = [*job.attempts] or [None]
    if job.attempts and job.state() == "retried":
        runs.append(None)
    pushed, client = job.pushed[0], job.host
    for place, attempt in enumerate(runs):
        state = _solid_state(attempt)
        row_id = str(number * 4 + place)
        begun = [] if attempt is None else [attempt]
        cells = _cells(job, row_id, state, begun)
        cells |= _solid_call(job, place)
        cells["@created_at"] = _us(pushed)
        if attempt is None and place:
            cells["due"] = _us(pushed + RETRY_S * SECOND_NS)
        if attempt is not None:
            cells |= _solid_stamps(attempt, state)
            pushed = attempt.ended or attempt.started
        yield Row(cells), [], client, attempt.host if attempt else ""
        client = attempt.host if attempt else client  # a worker enqueues its own retry


def _solid_state(attempt: Attempt | None) -> str:
    if attempt is None:
        return "ready"
    if attempt.outcome == "lost" and attempt.ended is not None:
        return "failed: its process died"
    return {"finished": "finished", "retried": "finished", "running": "claimed"}.get(
        attempt.outcome, "claimed" if attempt.ended is None else "failed"
    )


def _solid_call(job: Job, executions: int) -> Cells:
    """Active Job's envelope: the thing as a GlobalID, the id that Rails logs."""
    arguments: list[object] = []
    for name, value in _arguments(job).items():
        model = "".join(part.title() for part in name.removesuffix("_id").split("_"))
        record = {"_aj_globalid": f"gid://vik/{model}/{value}"}
        arguments.append(record if name.endswith("_id") else {name: value})
    envelope = {
        "job_class": job.job_class,
        "job_id": job.id,
        "queue_name": job.queue,
        "arguments": arguments,
        "executions": executions,
        "locale": "en",
    }
    text = json.dumps(envelope)
    return {"args": text, "args_bytes": len(text), "other_id": job.id}


def _solid_stamps(attempt: Attempt, state: str) -> Cells:
    """The claim while it lasts, the failure while it stands, else the end."""
    if state == "claimed":
        lost = attempt.outcome == "lost"
        beat = attempt.started - BEAT_S * SECOND_NS
        return {"@claimed_at": _us(attempt.started), "lost": lost, "heartbeat": _us(beat)}
    name = "finished_at" if state == "finished" else "failed_at"
    return {f"@{name}": _us(attempt.ended), "live": False}


def _graphile(job: Job, _number: int) -> Kept:
    """A row while the job has not succeeded; the start only while it runs."""
    last = job.attempts[-1] if job.attempts else None
    states = {
        "waiting": "waiting",
        "running": "locked",
        "lost": "locked",
        "retried": "waiting for a retry",
        "failed": "failed for good",
        "dead": "failed for good",
    }
    state = states[job.state()]
    cells = _cells(job, job.id, state, job.attempts)
    cells |= {"max_attempts": 25, "@created_at": _us(job.pushed[0])}
    if last is not None and state == "locked":
        cells["@locked_at"] = _us(last.started)
    elif last is not None:
        cells["@failed"] = _us(last.ended)
        if state == "waiting for a retry" and last.ended is not None:
            cells["due"] = _us(last.ended + RETRY_S * SECOND_NS)
    yield Row(cells), [], job.host, ""


TABLES: Mapping[str, Tables] = {
    "solid-queue": Tables(SOLID, "solid_queue_jobs", "", True, _solid),
    "pg-boss": Tables(PG_BOSS, "pgboss.job", "", True, _boss),
    "procrastinate": Tables(
        PROCRASTINATE, "procrastinate_jobs", "procrastinate_events", True, _procrastinate
    ),
    "graphile-worker": Tables(GRAPHILE, "graphile_worker.jobs", "", False, _graphile),
}


def _elsewhere(_job: Job) -> Iterator[Told]:
    """Nothing: `Tables.told` is asked once all jobs are known."""
    return iter(())


def _brand(tables: Tables) -> Brand:
    system = tables.system
    keeps = None if tables.keeps_ended else 0
    return Brand(system.name, system.product, system.forgets, keeps, _elsewhere)


QUEUES: Mapping[str, Brand] = {
    **{name: _brand(tables) for name, tables in TABLES.items()},
    "rabbitmq": OTHERS["rabbitmq"],
}


def job_id(brand: str, number: int, drawn: int) -> str:
    """An id of the queue's own shape: a number of the table, or 128 drawn bits as a UUID."""
    if brand in ("procrastinate", "graphile-worker"):
        return str(880_000 + number)
    return str(uuid.UUID(int=drawn, version=4))
