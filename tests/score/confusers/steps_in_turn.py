"""A row goes from state to state, each time by somebody who knows the state before."""

from __future__ import annotations

from tests.score.families.versions import version
from tests.score.healthy import write
from tests.score.world import World

TERMS = ("lost-update", "overlapping-runs", "duplicate-create")


def disturb(world: World) -> None:
    for n in range(4):
        at = world.onset_s + 20 * n
        pk = write(world, at - 200).id
        steps = (("pending", "approved"), ("approved", "packed"), ("packed", "shipped"))
        for place, step in enumerate(steps):
            version(
                world, at + 0.4 * place, pk, {"state": step}, str(100 + place), world.request_id()
            )
