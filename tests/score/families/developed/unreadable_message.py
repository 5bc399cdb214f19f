"""One or two messages can never be handled: every worker fails on them in the same way."""

from __future__ import annotations

from tests.score.families.acts import fault
from tests.score.second_company.acts import ordered
from tests.score.second_company.elsewhere import Night, night, settle
from tests.score.second_company.neighbours import neighbours
from tests.score.truth import Truth
from tests.score.world import Thing, World


def prepare(world: World) -> None:
    settle(world)


def inject(world: World) -> Truth:
    here = night(world)
    neighbours(here)
    things = [_fails_always(here, n) for n in range(here.rng.choice((1, 1, 1, 2, 3)))]
    here.close_the_books()
    alone = all(
        thing.job is not None
        and len(thing.job.attempts) >= 3
        and len({attempt.error for attempt in thing.job.attempts}) == 1
        for thing in things
    )
    others = sum(job.state() == "finished" for job in here.jobs)
    also = ("orphaned-record",)  # what no attempt achieves, no record has
    return fault(here, "poison-job", here.end_s, things, also=also, effect=alone and others > 10)


def _fails_always(here: Night, place: int) -> Thing:
    rng, worker = here.rng, here.firm.worker
    receipt, job = ordered(here, here.onset_s - 0.2 + place * 7)
    field = rng.choice(("street2", "iban", "locale", "vat_id"))
    error = here.error(worker, rng.choice(("null", "arguments")), field=field)
    wait, at = rng.choice((4.0, 11.0, 20.0)), here.onset_s + place * 7 + 0.1
    growth, most = rng.choice((1.0, 1.6, 2.0)), rng.randint(4, 12)
    while at < here.end_s - 2:
        last = len(job.attempts) + 1 == most
        here.run(job, at, rng.uniform(0.01, 0.2), "dead" if last else "retried", error)
        if last:
            break
        at += wait + rng.uniform(0.1, 1.0)
        wait *= growth
    return here.entity(receipt.thing, receipt.rid, job)
