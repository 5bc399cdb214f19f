"""The clock of one worker's host is two seconds slow: jobs start before they are pushed."""

from __future__ import annotations

from dataclasses import replace

from tests.score.families.acts import fault
from tests.score.truth import Truth
from tests.score.world import World

BRANDS = ("rq", "good-job")


def inject(world: World) -> Truth:
    host = world.rng.choice(world.company.worker.hosts)
    off = -int(world.rng.uniform(1.5, 2.5) * 1e9)
    world.told = [
        (replace(event, timestamp=event.timestamp + off), by) if by == host else (event, by)
        for event, by in world.told
    ]
    moved = 0
    for attempt in (a for job in world.jobs for a in job.attempts if a.host == host):
        attempt.started += off
        attempt.ended = None if attempt.ended is None else attempt.ended + off
        moved += 1
    return fault(world, "clock-skew", world.end_s, onset_s=0.0, effect=moved > 20)
