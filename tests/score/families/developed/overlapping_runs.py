"""Two jobs work on the same thing at the same time; nothing keeps them apart."""

from __future__ import annotations

from tests.score.families.acts import fault
from tests.score.healthy import write
from tests.score.queues import REMEMBERING
from tests.score.truth import Truth
from tests.score.world import World
from timeline.event import Kind

BRANDS = REMEMBERING


def inject(world: World) -> Truth:
    firm, rng = world.company, world.rng
    hit = []
    for n in range(rng.randint(2, 4)):
        at = world.onset_s + n * rng.uniform(10, 40)
        thing = write(world, at - 60).id
        one = world.push(at, thing, firm.front.hosts[0], "RecalculateTotals")
        two = world.push(at + rng.uniform(0.3, 1), thing, firm.front.hosts[0], "ApplyCredit")
        world.run(one, at + 0.2, 4)
        world.run(two, at + 1.4, 4)
        for late in (3.5, 4.9):
            state = {"state": "settled" if late > 4 else "open"}
            world.row(at + late, firm.table, thing, kind=Kind.ROW_UPDATED, columns=state)
        found = world.entity(thing, "", one)
        found.keys |= frozenset((f"job:{two.id}",))
        hit.append(found)
    return fault(world, "overlapping-runs", world.onset_s + 200, hit, also=("lost-update",))
