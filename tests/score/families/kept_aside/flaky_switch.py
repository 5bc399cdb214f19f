"""One peer, the broker or the database, is out of reach for a few seconds for everybody."""

from __future__ import annotations

from tests.score.families.acts import fault
from tests.score.kept_aside_wording.acts import accepted, failed_request
from tests.score.kept_aside_wording.elsewhere import Night, night, settle
from tests.score.kept_aside_wording.neighbours import neighbours
from tests.score.truth import Entity, Truth
from tests.score.world import World
from timeline.event import SEVERITY_ERROR


def prepare(world: World) -> None:
    settle(world)


def inject(world: World) -> Truth:
    here = night(world)
    neighbours(here)
    firm, took = here.firm, here.rng.uniform(1.2, 7.0)
    peer = here.rng.choice(((firm.broker, firm.broker_port), (firm.database, 5432)))
    backs = here.rng.sample(firm.backs, here.rng.randint(2, len(firm.backs)))
    hit = list[Entity]()
    for service in (firm.front, *backs):
        for _ in range(here.rng.randint(1, 5)):
            phrase = here.rng.choice(("timeout", "closed", "refused", "closed"))
            error = here.error(service, phrase, host=peer[0], port=peer[1])
            at = here.onset_s + here.rng.uniform(0.0, took)
            hit.append(failed_request(here, at, service, error))
    hit += [_cut_off(here, peer, took) for _ in range(here.rng.randint(0, 4))]
    here.close_the_books()
    said = here.told_text(here.onset_s, here.onset_s + took + 6)
    seen = sum(any(key.partition(":")[2] in body for body in said for key in one) for one in hit)
    also = ("ambiguous-enqueue", "orphaned-record")
    return fault(
        here, "network-hiccup", here.onset_s + took, hit, also=also, effect=seen == len(hit)
    )


def _cut_off(here: Night, peer: tuple[str, int], took: float) -> Entity:
    """A write that was on its way to the queue when the line went."""
    at = here.onset_s + here.rng.uniform(0.0, took)
    receipt = accepted(here, at, status=500, answered=1.1)
    error = here.error(here.firm.front, "closed", host=peer[0], port=peer[1])
    values = {"job": here.firm.job_class, "rid": receipt.rid, "error": error}
    front = here.firm.front
    here.say(at + 1.05, front, "push_failed", values, host=receipt.host, severity=SEVERITY_ERROR)
    return here.entity(receipt.thing, receipt.rid).keys
