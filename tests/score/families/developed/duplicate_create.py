"""Two requests check, both find nothing, both insert: two rows with one natural key."""

from __future__ import annotations

from tests.score.families.acts import fault
from tests.score.truth import Truth
from tests.score.world import World


def inject(world: World) -> Truth:
    firm, rng = world.company, world.rng
    column = rng.choice(("external_ref", "slug", "order_number"))
    hit = []
    for n in range(rng.randint(2, 4)):
        at, natural = world.onset_s + n * rng.uniform(10, 60), f"{rng.getrandbits(40):x}"
        for place in range(2):
            pk, rid = world.new_id(), world.request_id()
            late = at + place * rng.uniform(0.02, 0.3)
            told = {"method": "POST", "path": f"/{firm.table}", "rid": rid}
            host = world.say(late, firm.front, "begin", told)
            columns: dict[str, object] = {"state": "pending", column: natural}
            world.row(late + 0.01, firm.table, pk, columns=columns, commit=late + 0.03)
            world.say(late + 0.02, firm.front, "wrote", {"id": pk, "rid": rid, "ms": 2}, host=host)
            world.say(late + 0.05, firm.front, "end", {**told, "status": 201, "ms": 50}, host=host)
            hit.append(world.entity(pk, rid))
    return fault(world, "duplicate-create", world.onset_s + 260, hit, also=("orphaned-record",))
