"""The cluster's name server does not answer: several services fail on several names at once."""

from __future__ import annotations

from tests.score.families.acts import fault
from tests.score.second_company.acts import failed_request
from tests.score.second_company.elsewhere import night, settle
from tests.score.second_company.neighbours import neighbours
from tests.score.truth import Entity, Truth
from tests.score.world import World


def prepare(world: World) -> None:
    settle(world)


def inject(world: World) -> Truth:
    here = night(world)
    neighbours(here)
    rng, firm, took = here.rng, here.firm, here.rng.uniform(4.0, 50.0)
    names = (firm.third[1], firm.broker, firm.database, "search.kontor.internal")
    speakers = rng.sample(firm.backs, rng.randint(2, len(firm.backs)))
    hit, told = list[Entity](), 0
    for service in (firm.front, *speakers):
        for _ in range(rng.randint(2, 8)):
            error = here.error(service, "dns", host=rng.choice(names))
            at = here.onset_s + rng.uniform(0.0, took)
            hit.append(failed_request(here, at, service, error))
            told += 1
    if rng.random() < 0.4:
        words = "plugin/errors: 2 upstream timed out: read udp 10.42.0.6:53: i/o timeout"
        here.beside(here.onset_s + 0.4, "coredns", words, 17)
    said = here.told_text(here.onset_s, here.onset_s + took + 1)
    named = {name for name in names if any(name in body for body in said)}
    return fault(
        here,
        "dns-failure",
        here.onset_s + took,
        hit,
        also=("network-hiccup",),
        effect=told == len(hit) and len(named) >= 2,
    )
