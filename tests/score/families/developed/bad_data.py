"""Rows are left without their follow-up, and the team's own sanity query finds them."""

from __future__ import annotations

from dataclasses import replace

from tests.score.families.acts import fault
from tests.score.healthy import write
from tests.score.truth import Truth
from tests.score.world import World
from timeline.knowledge import SanityAnswer


def inject(world: World) -> Truth:
    firm, rng = world.company, world.rng
    hit = [
        write(world, world.onset_s + n * rng.uniform(4, 12), job=False)
        for n in range(rng.randint(3, 8))
    ]
    keys = tuple(f"{firm.thing}:{thing.id}" for thing in hit)
    answer = SanityAnswer(
        name="lonely",
        means=f"{firm.table} without a row in {firm.effects}",
        source="database",
        rows=len(hit),
        keys=keys,
        sample=keys[:1],
        asked_at=world.at(world.end_s),
    )
    world.knowledge = replace(world.knowledge, sanity=(answer,))
    truth = fault(world, "bad-data", world.end_s, hit)
    return replace(truth, also=truth.also | {"orphaned-record"})


def prepare(world: World) -> None:
    """No maintenance: a pause would leave others without their follow-up, too."""
    world.paused = (-1.0, -1.0)
