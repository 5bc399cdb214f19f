"""A few in a hundred fail for reasons of their own."""

from __future__ import annotations

from tests.score.families.batches import partial
from tests.score.truth import Truth
from tests.score.world import World


def inject(world: World) -> Truth:
    count = world.rng.randint(150, 320)
    bad = frozenset(world.rng.sample(range(count), max(3, count * 3 // 100)))
    return partial(world, count, lambda place: place not in bad)
