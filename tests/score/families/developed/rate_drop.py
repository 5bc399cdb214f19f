"""Traffic falls to almost nothing: the balancer in front sends it elsewhere, nobody errs."""

from __future__ import annotations

from tests.score.families.acts import fault
from tests.score.truth import Truth
from tests.score.world import World
from timeline.event import Lane


def inject(world: World) -> Truth:
    low, keep = world.at(world.onset_s), world.rng.uniform(0.01, 0.05)
    services = {service.name for service in world.company.services}
    before = len(world.told)
    world.told = [
        (event, host)
        for event, host in world.told
        if event.lane not in (Lane.LOG, Lane.DATABASE)
        or event.timestamp < low
        or (event.lane is Lane.LOG and event.actor not in services)
        or world.rng.random() < keep
    ]
    world.jobs = [job for job in world.jobs if job.pushed[0] < low]
    also = ("blind-spot", "orphaned-record", "missed-run", "partial-batch")
    return fault(
        world, "rate-change", world.end_s, also=also, effect=before - len(world.told) > 200
    )
