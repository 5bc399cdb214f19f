"""A list is read one page long: everything beyond the first hundred is never tried."""

from __future__ import annotations

from tests.score.families.batches import partial
from tests.score.truth import Truth
from tests.score.world import World


def inject(world: World) -> Truth:
    cap = world.rng.choice((100, 200, 250))
    return partial(world, cap + world.rng.randint(20, 90), lambda place: place < cap)
