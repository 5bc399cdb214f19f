"""A night of the sixth company on which nothing is wrong: what a detector says here is false."""

from __future__ import annotations

from tests.score.healthy import healthy
from tests.score.sixth_company.acts import close
from tests.score.sixth_company.company import Shift, settle, shift
from tests.score.world import World


def quiet_night(seed: str) -> Shift:
    """Traffic, the noise that every night has, and the neighbours; no fault."""
    here = shift(healthy(seed, prepare=_prepare))
    close(here)
    return here


def _prepare(world: World) -> None:
    """Settled, and with the pauses for maintenance that a night may have."""
    settle(world)
    world.paused = (0.0, 0.0)
