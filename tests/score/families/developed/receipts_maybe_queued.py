"""Pushes from one host time out for a minute or two; some of the messages were taken all the same.

The record is committed before the push, so each of these people has an account and perhaps a mail.
"""

from __future__ import annotations

from tests.score.families.acts import fault
from tests.score.second_company.acts import Receipt, accepted, dispatched, fulfilled
from tests.score.second_company.elsewhere import Night, night, settle
from tests.score.second_company.neighbours import neighbours
from tests.score.truth import Truth
from tests.score.world import Thing, World
from timeline.event import SEVERITY_ERROR


def prepare(world: World) -> None:
    settle(world, ("sqs", "rabbitmq", "bullmq", "river", "oban"))


def inject(world: World) -> Truth:
    here = night(world)
    neighbours(here)
    waited = here.rng.choice((2.0, 3.5, 5.0, 10.0))
    at, things, lost = here.onset_s, list[Thing](), 0
    for _ in range(here.rng.randint(3, 12)):
        taken = here.rng.random() < here.rng.choice((0.0, 0.4, 0.8))
        lost += not taken
        things.append(_times_out(here, at, waited, taken=taken))
        at += here.rng.uniform(1.0, 12.0)
    here.close_the_books()
    said = here.told_text(here.onset_s, at + waited)
    effect = all(any(t.request in body for body in said) for t in things)
    rows = sum(any(t.id in e.body for t in things) for e, _ in here.told if e.source == "database")
    also = ("network-hiccup", "orphaned-record") if lost else ("network-hiccup",)
    return fault(
        here,
        "ambiguous-enqueue",
        at + waited,
        things,
        also=also,
        effect=effect and rows >= len(things),
    )


def _times_out(here: Night, at: float, waited: float, *, taken: bool) -> Thing:
    receipt = accepted(here, at, status=502, answered=waited + 0.03)
    job = dispatched(here, receipt, at + 0.02, told=False) if taken else None
    if job is not None:
        fulfilled(here, job, receipt.thing, at + here.rng.uniform(0.1, 2.0), 0.3)
    _gives_up(here, receipt, at + waited + 0.025)
    return here.entity(receipt.thing, receipt.rid, job)


def _gives_up(here: Night, receipt: Receipt, at: float) -> None:
    error = here.error(here.firm.front, "timeout")
    values = {"job": here.firm.job_class, "rid": receipt.rid, "error": error}
    here.say(at, here.firm.front, "push_failed", values, host=receipt.host, severity=SEVERITY_ERROR)
