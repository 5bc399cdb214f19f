"""A message is invisible for 30 s and its work takes longer: it is given out a second time."""

from __future__ import annotations

from tests.score.families.acts import fault
from tests.score.truth import Truth
from tests.score.world import World

BRANDS = ("sqs", "bullmq", "good-job")
LEASE_S = 30.0


def inject(world: World) -> Truth:
    firm, rng = world.company, world.rng
    hit = []
    for n in range(rng.randint(1, 3)):
        thing, at = world.new_id(), world.onset_s + 40 * n
        job = world.push(at, thing, firm.front.hosts[0])
        took = rng.uniform(45, 120)
        first = world.run(job, at + 0.2, took)
        if world.brand.name == "bullmq":
            first.outcome, first.ended = "lost", world.at(at + 0.2 + LEASE_S)
        world.run(job, at + 0.2 + LEASE_S + rng.uniform(0.02, 1.5), took)
        hit.append(world.entity(thing, "", job))
    also = ("overlapping-runs", "unsafe-replay", "lost-worker", "extra-runs")
    return fault(world, "delivered-again", world.onset_s + 280, hit, also=also)
