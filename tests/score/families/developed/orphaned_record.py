"""For a minute no job is pushed and nobody says so: the rows wait for ever."""

from __future__ import annotations

from dataclasses import replace

from tests.score.families.acts import fault
from tests.score.healthy import write
from tests.score.truth import Truth
from tests.score.world import World
from timeline.knowledge import Contract, Work
from timeline.window import SECOND_NS


def inject(world: World) -> Truth:
    firm, rng = world.company, world.rng
    hit = [
        write(world, world.onset_s + n * rng.uniform(4, 12), job=False)
        for n in range(rng.randint(3, 8))
    ]
    contract = Contract(
        f"a pending {firm.thing} gets a row in {firm.effects} in time",
        firm.table,
        Work(table=firm.effects),
        within=240 * SECOND_NS,
    )
    world.knowledge = replace(world.knowledge, contracts=(contract,))
    return fault(world, "orphaned-record", world.end_s, hit)


def prepare(world: World) -> None:
    """No maintenance: a pause longer than the promise would break it for others, too."""
    world.paused = (-1.0, -1.0)
