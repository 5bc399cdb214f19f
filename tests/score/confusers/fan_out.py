"""One parent has many children that are worked on side by side all night, as designed."""

from __future__ import annotations

from tests.score.queues import REMEMBERING
from tests.score.world import World

BRANDS = REMEMBERING
TERMS = ("overlapping-runs", "duplicate-enqueue", "delivered-again")


def disturb(world: World) -> None:
    firm, at = world.company, 30.0
    while at < world.end_s - 20:
        thing = world.new_id()
        for part in range(4):
            job = world.push(at + 0.01 * part, thing, firm.front.hosts[0], "RenderPart")
            job.args = f"{firm.thing}_id={thing} part={part}"
            world.run(job, at + 0.2, 1.5)
        at += world.rng.uniform(25, 50)
