"""A worker hands each record to a neighbour over HTTP and never looks at what comes back. Since the
neighbour rejects some of them, jobs end well and nothing is made of their records.

A person sees it by:
- the neighbour's own error for a request, under the id that the worker gave it;
- the worker's line of the same request and job, which ends as done, and the queue that agrees;
- no row of what the job should have left for these records, while others of the minute have one.
"""

from __future__ import annotations

from tests.score.families.acts import fault
from tests.score.healthy import starts
from tests.score.held import narrowed, of_these
from tests.score.sixth_company.acts import (
    SEVERITY_ERROR,
    answered,
    asked,
    both_names,
    close,
    left_behind,
    pushed,
    quiet_run,
    rows_of,
    told,
)
from tests.score.sixth_company.company import Shift, settle, shift
from tests.score.truth import Truth
from tests.score.world import Thing, World

_MALFORMED = (
    "ValidationFailed: country_code must be two letters, got 'D'",
    "SchemaError: $.lines[0].weight: expected number, got null",
)
"""Refused for what the record holds."""
_REASONS = (
    *_MALFORMED,
    "UnknownTariff: no tariff for zone 7B in catalogue 2026-02",
    "IntegrityError: contract is closed since 2025-12-31",
)


def prepare(world: World) -> None:
    settle(world)


def inject(world: World) -> Truth:
    here = shift(world)
    rng, start = here.rng, here.onset_s
    reason, status = rng.choice(_REASONS), rng.choice((422, 500, 200))
    gap, things, at = rng.uniform(8, 25), list[Thing](), start
    while at < here.end_s - 40 and len(things) < 30:
        things.append(_handed_over(here, at, reason, status))
        at += rng.uniform(0.4, 1.6) * gap
    fine = [_handed_over(here, rng.uniform(60, here.end_s - 40)) for _ in range(18)]
    close(here)
    effect = len(things) > 5 and all(_nobody_heard(here, thing) for thing in things)
    effect &= all(len(rows_of(here, here.company.effects, thing.id)) == 1 for thing in fine)
    also = {"bad-data"} if reason in _MALFORMED else set[str]()
    truth = fault(here, "swallowed-error", at, things, also=also, effect=effect)
    return narrowed(truth, of_these(truth, "orphaned-record"))


def _handed_over(here: Shift, at: float, reason: str = "", status: int = 201) -> Thing:
    """A record whose job is done; with a `reason` the neighbour would not have it."""
    firm, rng = here.company, here.rng
    rid, host = asked(here, at, firm.front, f"/{firm.table}")
    thing = here.new_id()
    here.row(at + 0.004, firm.table, thing, columns={"state": "new"}, commit=at + 0.01)
    here.say(at + 0.006, firm.front, "wrote", {"id": thing, "rid": rid, "ms": 2}, host=host)
    job = pushed(here, at + 0.02, thing, rid, host)
    values = {"job": firm.job_class, "jid": job.id, "id": thing, "rid": rid}
    answered(here, at + 0.04, firm.front, f"/{firm.table}", rid, host, 0.04, status=201)
    begins, took = starts(here, at + 0.02), rng.uniform(0.08, 0.4)
    attempt = quiet_run(here, job, begins, took)
    here.say(begins + 0.002, firm.worker, "started", values, host=attempt.host)
    call = _call(here, begins + 0.01, took - 0.03, reason, status)
    sent = f"POST /{firm.effects} sent for {firm.thing}_id={thing} job_id={job.id}"
    ends = begins + took - 0.015
    here.line(ends, firm.worker, f"{sent} request_id={call}", host=attempt.host)
    values["ms"] = str(int(took * 1e3))
    here.say(begins + took, firm.worker, "done", values, host=attempt.host)
    if not reason:
        left_behind(here, begins + took - 0.03, thing, attempt)
    found = here.entity(thing, rid, job)
    found.keys |= both_names(call)
    found.request = call
    return found


def _call(here: Shift, at: float, took: float, reason: str, status: int) -> str:
    """What the neighbour makes of it; returns the request's id."""
    back, path = here.company.backs[0], f"/{here.company.effects}"
    rid, host = asked(here, at, back, path)
    if reason:
        words = f"POST {path} rejected: {reason} request_id={rid}"
        here.line(at + took - 0.01, back, words, SEVERITY_ERROR, host)
    answered(here, at + took, back, path, rid, host, took, status=status)
    return rid


def _nobody_heard(here: Shift, thing: Thing) -> bool:
    lines = told(here, thing.request)
    heard = [event for event in lines if event.severity_number >= SEVERITY_ERROR]
    done = thing.job is not None and thing.job.state() == "finished"
    return done and len(heard) == 1 and not rows_of(here, here.company.effects, thing.id)
