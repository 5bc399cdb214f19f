"""The workers' logs stop arriving while the workers go on working: their shipper died."""

from __future__ import annotations

from tests.score.families.acts import fault, mute
from tests.score.truth import Truth
from tests.score.world import World

BRANDS = ("rq", "good-job")


def inject(world: World) -> Truth:
    worker = world.company.worker
    gone = mute(world, worker.hosts, world.onset_s, world.end_s)
    return fault(world, "blind-spot", world.end_s, effect=gone > 20)
