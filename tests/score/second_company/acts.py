"""Single healthy acts that the families take apart: a request, a push, a piece of work."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace

from tests.score.company import Service
from tests.score.queues import Job
from tests.score.second_company.elsewhere import Night, request_keys
from tests.score.truth import Entity
from timeline.event import SEVERITY_ERROR, Event, Lane

PUSHED_AFTER_S = 0.03
"""From the beginning of a request to its push."""


@dataclass(frozen=True, slots=True)
class Receipt:
    """What a request left: the record it made, its own id, the host that served it."""

    thing: str
    rid: str
    host: str


def accepted(
    night: Night,
    seconds: float,
    *,
    status: int = 201,
    answered: float = 0.06,
    commit: float = 0.015,
    columns: Mapping[str, object] | None = None,
) -> Receipt:
    """A request that makes a record, `commit` and `answered` seconds after it came."""
    firm, thing, rid = night.firm, night.new_id(), night.request_id()
    told = {"method": "POST", "path": f"/{firm.table}", "rid": rid}
    host = night.say(seconds, firm.front, "begin", told)
    shown = {"state": "pending", **(columns or {})}
    night.row(seconds + 0.004, firm.table, thing, columns=shown, commit=seconds + commit)
    night.say(seconds + 0.007, firm.front, "wrote", {"id": thing, "rid": rid, "ms": 3}, host=host)
    severity = SEVERITY_ERROR if status >= 500 else 9
    ended = {**told, "status": status, "ms": int(answered * 1_000)}
    night.say(seconds + answered, firm.front, "end", ended, host=host, severity=severity)
    return Receipt(thing, rid, host)


def dispatched(
    night: Night, receipt: Receipt, seconds: float, *, told: bool = True, job_class: str = ""
) -> Job:
    """A job about the record, pushed at `seconds`; `told` says whether its sender says so."""
    job = night.push(seconds, receipt.thing, receipt.host, job_class)
    if told:
        values = {"job": job.job_class, "jid": job.id, "id": receipt.thing, "rid": receipt.rid}
        night.say(seconds + 0.004, night.firm.front, "pushed", values, host=receipt.host)
    return job


def ordered(night: Night, seconds: float) -> tuple[Receipt, Job]:
    """A request that makes a record and pushes a job after the commit, before it answers."""
    receipt = accepted(night, seconds, commit=0.015, answered=0.05)
    return receipt, dispatched(night, receipt, seconds + PUSHED_AFTER_S)


def served(night: Night, seconds: float) -> Receipt:
    """The same with the job done at once: a record of which nothing is missing."""
    receipt, job = ordered(night, seconds)
    fulfilled(night, job, receipt.thing, seconds + night.rng.uniform(0.08, 0.9), 0.3)
    return receipt


def asked_again(night: Night, seconds: float, receipt: Receipt) -> Receipt:
    """A later request about the same record: its own id and host."""
    front, rid = night.firm.front, night.request_id()
    path = f"/{night.firm.table}/{receipt.thing}/confirm"
    told = {"method": "POST", "path": path, "rid": rid, "status": 202, "ms": 50}
    host = night.say(seconds, front, "begin", told)
    night.say(seconds + 0.05, front, "end", told, host=host)
    return Receipt(receipt.thing, rid, host)


def fulfilled(night: Night, job: Job, thing: str, seconds: float, took: float) -> None:
    """An attempt that does its work and leaves a row."""
    attempt = night.run(job, seconds, took)
    shown = {f"{night.firm.thing}_id": int(thing) if thing.isdigit() else thing}
    at = seconds + took * 0.8
    night.row(at, night.firm.effects, night.new_id(), columns=shown, host=attempt.host)


def failed_request(
    night: Night, seconds: float, by: Service, error: str, *, path: str = "", status: int = 500
) -> Entity:
    """A request to `by` that ends in `error`: its keys."""
    rid, where = night.request_id(), path or f"/{night.firm.table}"
    told = {"method": "GET", "path": where, "rid": rid, "error": error, "status": status, "ms": 9}
    host = night.say(seconds, by, "request_failed", told, severity=SEVERITY_ERROR)
    night.say(seconds + 0.002, by, "end", told, host=host, severity=SEVERITY_ERROR)
    return request_keys(rid)


def hand_over(night: Night, host: str, to: str, since: float, until: float) -> None:
    """Whatever `host` would have done in `[since, until)`, `to` has done: it is down or busy."""
    low, high = night.at(since), night.at(until)
    night.told = [
        (_said_by(event, to), to)
        if by == host and event.lane is Lane.LOG and low <= event.timestamp < high
        else (event, by)
        for event, by in night.told
    ]
    for attempt in (a for job in night.jobs for a in job.attempts):
        if attempt.host == host and low <= attempt.started < high:
            attempt.host, attempt.worker = to, night.worker_on(to)


def unhappen(night: Night, since: float, until: float) -> None:
    """Take back every healthy record with rows written in `[since, until)`: they could not be.

    Call it before the fault tells anything.
    """
    low, high = night.at(since), night.at(until)
    rows = [event for event, _ in night.told if event.lane is Lane.DATABASE]
    written = {key for row in rows if low <= row.timestamp < high for key in row.keys}
    gone = [thing for thing in night.things if not written.isdisjoint(thing.keys)]
    marks = {mark for t in gone for mark in (t.id, t.request, t.job.id if t.job else "") if mark}
    night.things = [thing for thing in night.things if thing not in gone]
    night.jobs = [job for job in night.jobs if job.id not in marks]
    night.told = [(e, host) for e, host in night.told if not any(m in e.body for m in marks)]


def _said_by(event: Event, host: str) -> Event:
    if event.attributes is None:
        return replace(event, clock=host)
    told = {**json.loads(event.attributes), "host.name": host}
    return replace(event, clock=host, attributes=json.dumps(told))
