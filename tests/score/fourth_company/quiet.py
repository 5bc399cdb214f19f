"""A night at the fourth company in which nothing is wrong."""

from __future__ import annotations

from tests.score.fourth_company.company import relocate, shift
from tests.score.fourth_company.neighbours import surround
from tests.score.healthy import healthy
from tests.score.world import World


def quiet_night(seed: str) -> World:
    """Traffic, jobs, the generator's noise and the neighbours; no fault."""
    world = shift(healthy(seed, (), _moved))
    surround(world)
    world.samples()
    return world


def _moved(world: World) -> None:
    relocate(world)
