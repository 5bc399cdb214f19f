"""One peer, the broker or the database, is out of reach for a few seconds for everybody.

Requests and jobs that were on their way fail; some records are made and their message is not sent.
"""

from __future__ import annotations

from tests.score.company import Service
from tests.score.families.acts import fault
from tests.score.second_company.acts import (
    accepted,
    failed_request,
    fulfilled,
    ordered,
    unhappen,
)
from tests.score.second_company.elsewhere import SPEAKERS, Night, night, settle
from tests.score.second_company.neighbours import neighbours
from tests.score.truth import Entity, Truth
from tests.score.world import World
from timeline.event import SEVERITY_ERROR


def prepare(world: World) -> None:
    settle(world)


def inject(world: World) -> Truth:
    here = night(world)
    neighbours(here)
    rng, firm, took = here.rng, here.firm, here.rng.uniform(1.2, 7.0)
    unhappen(here, here.onset_s, here.onset_s + took)
    fellows = [s for s in firm.backs if s.style_name in SPEAKERS[here.brand.name]]
    of_broker = bool(fellows) and rng.random() < 0.7
    backs = fellows if of_broker else rng.sample(firm.backs, rng.randint(2, len(firm.backs)))
    hit = list[Entity]()
    for service in (firm.front, *backs):
        for _ in range(rng.randint(1, 5)):
            at = here.onset_s + rng.uniform(0.0, took)
            where = rng.choice((f"/{firm.table}", "/quote", "/session", "/basket"))
            error = _unreachable(here, service, of_broker=of_broker)
            hit.append(failed_request(here, at, service, error, path=where))
    hit += [_interrupted(here, took, of_broker=of_broker) for _ in range(rng.randint(1, 5))]
    cut_off = [_cut_off(here, took) for _ in range(rng.randint(0, 4))] if of_broker else []
    hit += cut_off
    here.close_the_books()
    said = here.told_text(here.onset_s, here.onset_s + took + 6)
    seen = sum(any(key.partition(":")[2] in body for body in said for key in one) for one in hit)
    return fault(
        here,
        "network-hiccup",
        here.onset_s + took,
        hit,
        also=("ambiguous-enqueue", "orphaned-record") if cut_off else (),
        effect=seen == len(hit),
    )


def _unreachable(here: Night, service: Service, *, of_broker: bool) -> str:
    """The words of `service` for the peer that it cannot reach."""
    firm = here.firm
    if of_broker:
        phrase = here.rng.choice(("timeout", "closed", "closed", "refused"))
        return here.error(service, phrase)
    phrase = here.rng.choice(("db_closed", "db_timeout"))
    return here.error(service, phrase, host=firm.database, port=5432)


def _interrupted(here: Night, took: float, *, of_broker: bool) -> Entity:
    """A job that needed the peer in the middle of its work, and is tried again later."""
    at = here.onset_s + here.rng.uniform(0.0, took)
    receipt, job = ordered(here, here.onset_s - here.rng.uniform(0.3, 2.0))
    error = _unreachable(here, here.firm.worker, of_broker=of_broker)
    here.run(job, at, 0.05, "retried", error)
    fulfilled(here, job, receipt.thing, here.onset_s + took + here.rng.uniform(8, 25), 0.4)
    return here.entity(receipt.thing, receipt.rid, job).keys


def _cut_off(here: Night, took: float) -> Entity:
    """A write that was on its way to the queue when the line went."""
    at, front = here.onset_s + here.rng.uniform(0.0, took), here.firm.front
    receipt = accepted(here, at, status=500, answered=1.1)
    error = _unreachable(here, front, of_broker=True)
    values = {"job": here.firm.job_class, "rid": receipt.rid, "error": error}
    here.say(at + 1.05, front, "push_failed", values, host=receipt.host, severity=SEVERITY_ERROR)
    return here.entity(receipt.thing, receipt.rid).keys
