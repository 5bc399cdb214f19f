"""What several families here do to a night.

An order with its job, a run on a chosen host, a stretch without ordinary traffic.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from tests.score.queues import Attempt, Job
from tests.score.third_company.house import Watch
from tests.score.third_company.neighbours import neighbours
from tests.score.world import Thing
from timeline.event import SEVERITY_ERROR, SEVERITY_WARN, Lane


def close(here: Watch) -> None:
    """The last act of every night: the neighbours' noise and what the broker counted."""
    neighbours(here)
    here.settle_accounts()


def order(
    here: Watch,
    seconds: float,
    *,
    queue: str = "",
    job_class: str = "",
    columns: Mapping[str, object] | None = None,
) -> tuple[Thing, Job]:
    """A request that writes a row and sends a job as it should; nothing has run the job yet."""
    firm = here.house
    thing = here.new_id()
    rid, host = here.begun(seconds)
    shown = {"state": "open", **(columns or {})}
    here.row(seconds + 0.005, firm.table, thing, columns=shown, commit=seconds + 0.011)
    here.say(seconds + 0.008, firm.front, "wrote", {"id": thing, "rid": rid, "ms": 3}, host=host)
    job = here.push(seconds + 0.015, thing, host, job_class)
    job.queue = queue or job.queue
    told = {"job": job.job_class, "jid": job.id, "id": thing, "rid": rid}
    here.say(seconds + 0.018, firm.front, "pushed", told, host=host)
    here.answered(seconds + 0.03, rid, host, 201, 30)
    return here.entity(thing, rid, job), job


def run_on(
    here: Watch,
    job: Job,
    seconds: float,
    took: float,
    host: str = "",
    outcome: str = "finished",
    error: str = "",
) -> Attempt:
    """One attempt on `host`, with the lines that the worker writes about it."""
    worker = here.house.worker
    host = host or here.rng.choice(worker.hosts)
    ended = None if outcome in ("lost", "running") else here.at(seconds + took)
    attempt = Attempt(here.at(seconds), ended, outcome, here.worker_on(host), host, error)
    job.attempts.append(attempt)
    thing = job.args.partition("=")[2]
    told = {"job": job.job_class, "jid": job.id, "id": thing, "ms": int(took * 1000)}
    here.say(seconds + 0.002, worker, "started", told, host=host)
    if outcome == "finished":
        here.say(seconds + took, worker, "done", told, host=host)
    elif error:
        severity = SEVERITY_WARN if outcome == "retried" else SEVERITY_ERROR
        told["error"] = error
        here.say(seconds + took, worker, "failed", told, host=host, severity=severity)
    return attempt


def withdraw(here: Watch, begin: float, end: float, *, reads: bool = True) -> int:
    """Take away the ordinary requests and jobs about this company's things that fell between
    `begin` and `end`: whatever the fault does to them is told in their place. Without `reads` only
    those that write. How many writes.
    """
    low, high = here.at(begin), here.at(end)
    gone = [t for t in here.things if t.job is not None and low <= t.job.pushed[0] < high]
    names = {name for t in gone for name in (t.id, t.request, t.job.id if t.job else "") if name}
    named = re.compile("|".join(map(re.escape, sorted(names)))) if names else None
    path = f"/{here.house.table}"
    here.told = [
        (event, host)
        for event, host in here.told
        if not (
            (
                reads
                and event.lane is Lane.LOG
                and low <= event.timestamp < high
                and path in event.body
            )
            or (named is not None and event.timestamp >= low and named.search(event.body))
        )
    ]
    jobs = {id(t.job) for t in gone}
    here.jobs = [job for job in here.jobs if id(job) not in jobs]
    here.things = [t for t in here.things if id(t.job) not in jobs or t.job is None]
    return len(gone)


def calm_instant(here: Watch, seconds: float, host: str) -> float:
    """The first instant from `seconds` on at which `host` runs no job of the ordinary night."""
    spans = [
        (a.started, a.ended or a.started)
        for job in here.jobs
        for a in job.attempts
        if a.host == host
    ]
    while any(start <= here.at(seconds) <= end + 20_000_000 for start, end in spans):
        seconds += 0.4
    return seconds


def version(here: Watch) -> str:
    """A commit id."""
    return f"{here.rng.getrandbits(160):040x}"


def unseen(here: Watch, host: str, since: float) -> None:
    """No exporter answers on `host` any more."""
    low, instance = here.at(since), f"{host}:9100"
    here.told = [
        (event, by)
        for event, by in here.told
        if event.lane is not Lane.METRIC or event.timestamp < low or instance not in event.body
    ]
