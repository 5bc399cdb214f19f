"""A batch stops in the middle: the process ran out of memory at one item."""

from __future__ import annotations

from tests.score.families.batches import partial
from tests.score.truth import Truth
from tests.score.world import World


def inject(world: World) -> Truth:
    count = world.rng.randint(60, 240)
    last = int(count * world.rng.uniform(0.3, 0.8))
    return partial(world, count, lambda place: place < last, note="batch process exited, signal 9")
