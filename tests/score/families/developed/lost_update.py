"""Two requests read one row and both write all of it: the second undoes the first."""

from __future__ import annotations

from tests.score.families.acts import fault
from tests.score.families.versions import version
from tests.score.healthy import write
from tests.score.truth import Truth
from tests.score.world import World


def inject(world: World) -> Truth:
    firm, rng = world.company, world.rng
    hit = []
    for n in range(rng.randint(1, 3)):
        at = world.onset_s + n * 40
        pk = write(world, at - 300).id
        requests = [world.request_id(), world.request_id()]
        for place, rid in enumerate(requests):
            told = {"method": "PUT", "path": f"/{firm.table}/{pk}", "rid": rid}
            host = world.say(at + 0.05 * place, firm.front, "begin", told)
            end = at + 0.4 + 0.3 * place
            world.say(end, firm.front, "end", {**told, "status": 200, "ms": 400}, host=host)
        version(world, at + 0.3, pk, {"state": ("pending", "approved")}, "101", requests[0])
        undone = {"state": ("approved", "pending"), "plan_id": ("3", "4")}
        version(world, at + 0.6, pk, undone, "202", requests[1])
        hit.append(world.entity(pk, requests[0]))
    return fault(world, "lost-update", world.onset_s + 130, hit, also=("overlapping-runs",))
