"""A schedule is always a little late, and always within what the team allows."""

from __future__ import annotations

from dataclasses import replace

from tests.score.world import World
from timeline.knowledge import Schedule, Work
from timeline.window import SECOND_NS

TERMS = ("missed-run", "extra-runs", "run-overlap")


def disturb(world: World) -> None:
    firm, at = world.company, 40.0
    while at < world.end_s - 30:
        late = at + world.rng.uniform(0, 40)
        world.log(late, firm.worker.name, firm.worker.hosts[0], "warehouse mirror pass finished")
        at += 240
    work = Work(log="warehouse mirror pass finished")
    schedule = Schedule("mirror", work, every=240 * SECOND_NS, tolerance=90 * SECOND_NS)
    world.knowledge = replace(world.knowledge, schedules=(*world.knowledge.schedules, schedule))
