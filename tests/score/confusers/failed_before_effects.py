"""Jobs fail in their first step: nothing was done yet, a replay is safe."""

from __future__ import annotations

from dataclasses import replace

from tests.score.queues import SHOWING
from tests.score.world import World

BRANDS = SHOWING
TERMS = ("unsafe-replay", "poison-job")


def disturb(world: World) -> None:
    firm = world.company
    world.knowledge = replace(world.knowledge, contracts=())  # a promise would be broken, truly
    for n in range(4):
        thing, at = world.new_id(), world.onset_s + 25 * n
        world.row(at - 60, firm.table, thing, columns={"state": "pending"}, commit=at - 59.9)
        job = world.push(at, thing, firm.front.hosts[0])
        error = world.error(firm.worker, "null", field="template")
        world.run(job, at + 0.3, 0.02, "failed", error)
