"""Pushes time out in the front service alone: some jobs are lost, some exist, one exists twice."""

from __future__ import annotations

from tests.score.families.acts import failed_push, fault
from tests.score.queues import SHOWING
from tests.score.truth import Truth
from tests.score.world import World

BRANDS = SHOWING


def inject(world: World) -> Truth:
    rng = world.rng
    waited = rng.choice((1.0, 2.0, 5.0))
    hit = [
        failed_push(
            world, world.onset_s + n * rng.uniform(0.2, 3), "timeout", waited, executed=made
        )
        for n, made in enumerate(rng.choice(((0, 0, 1), (0, 1, 2, 0), (1, 0, 0, 0, 2))))
    ]
    return fault(
        world,
        "ambiguous-enqueue",
        world.onset_s + 30,
        hit,
        also=("network-hiccup", "orphaned-record", "duplicate-enqueue", "duplicate-create"),
    )
