"""A record is written, its message sent, and only then is a slow step done and the transaction
committed. A worker that is quick looks for a record that is not there yet; the next attempt has it.

A person sees it by:
- a worker's "not found" for a record, stamped between the request's message and its commit;
- the line of the commit (or its stamp in the row), later than that, for every one of them;
- the second attempt of the same message, which finds the record and succeeds.
"""

from __future__ import annotations

from tests.score.families.acts import fault
from tests.score.healthy import starts
from tests.score.sixth_company.acts import (
    answered,
    asked,
    close,
    left_behind,
    pushed,
    rows_of,
    told,
)
from tests.score.sixth_company.company import Shift, settle, shift
from tests.score.truth import Truth
from tests.score.world import Thing, World

_STEPS = ("virus scan of attachment", "address check", "thumbnail upload", "credit bureau lookup")


def prepare(world: World) -> None:
    settle(world, ("dramatiq", "rabbitmq"), workers=(3, 8))


def inject(world: World) -> Truth:
    here = shift(world)
    rng, start = here.rng, here.onset_s
    step, slow = rng.choice(_STEPS), rng.uniform(0.9, 3.0)
    released = rng.random() < 0.5
    if released:
        front, version = here.company.front, f"{rng.getrandbits(160):040x}"
        words = f"released {front.name} {version[:10]}: {step} before saving"
        here.change(start - rng.uniform(5, 40), words, front.name, version=version, who="ci")
    early, at = list[Thing](), start
    gap = rng.uniform(7, 22)
    while at < here.end_s - 70 and len(early) < 30:
        early.append(_written(here, at, step, slow * rng.uniform(0.8, 1.4)))
        at += rng.uniform(0.3, 1.7) * gap
    close(here)
    effect = len(early) > 3 and all(_looked_too_soon(here, thing) for thing in early)
    also = {"change-before"} if released else set()
    return fault(here, "job-before-commit", at + 40, early, also=also, effect=effect)


def _written(here: Shift, at: float, step: str, slow: float) -> Thing:
    firm, rng = here.company, here.rng
    path = f"/{firm.table}"
    rid, host = asked(here, at, firm.front, path)
    thing, commit = here.new_id(), at + 0.03 + slow
    here.row(at + 0.006, firm.table, thing, columns={"state": "new"}, commit=commit)
    job = pushed(here, at + 0.02, thing, rid, host)
    named = f"{firm.thing}_id={thing} request_id={rid}"
    here.line(commit - 0.004, firm.front, f"{step} took {slow * 1e3:.0f} ms {named}", host=host)
    done = f"transaction committed, open for {slow * 1e3 + 24:.0f} ms {named}"
    here.line(commit, firm.front, done, host=host)
    answered(here, commit + 0.01, firm.front, path, rid, host, slow + 0.04, status=201)
    first = at + 0.02 + rng.uniform(0.02, 0.25) * slow
    error = here.error(firm.worker, "not_found", id=thing)
    here.run(job, first, rng.uniform(0.004, 0.02), "retried", error)
    again = starts(here, first + 20)
    attempt = here.run(job, again, rng.uniform(0.05, 0.5))
    left_behind(here, again + 0.04, thing, attempt)
    return here.entity(thing, rid, job)


def _looked_too_soon(here: Shift, thing: Thing) -> bool:
    about = told(here, thing.id)
    failed = [event.timestamp for event in about if event.severity_number >= 17]
    committed = [e.timestamp for e in about if "transaction committed, open for" in e.body]
    in_order = len(failed) == 1 and len(committed) == 1 and failed[0] < committed[0]
    return in_order and len(rows_of(here, here.company.effects, thing.id)) == 1
