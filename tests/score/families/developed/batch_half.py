"""Half the apps had a backup: one of two workers took its share and did nothing with it."""

from __future__ import annotations

from tests.score.families.batches import partial
from tests.score.truth import Truth
from tests.score.world import World


def inject(world: World) -> Truth:
    odd = world.rng.randint(0, 1)
    return partial(world, world.rng.randint(40, 160), lambda place: place % 2 == odd)
