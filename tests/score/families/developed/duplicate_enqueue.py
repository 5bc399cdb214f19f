"""A form is sent twice: two requests, two jobs with the same arguments and different ids."""

from __future__ import annotations

from tests.score.families.acts import fault
from tests.score.healthy import work, write
from tests.score.queues import REMEMBERING
from tests.score.truth import Truth
from tests.score.world import World

BRANDS = (*REMEMBERING, "rq")


def inject(world: World) -> Truth:
    firm, rng = world.company, world.rng
    hit = []
    for n in range(rng.randint(2, 5)):
        at = world.onset_s + n * rng.uniform(10, 40)
        thing = write(world, at)
        rid, again = world.request_id(), at + rng.uniform(0.15, 1.2)
        told = {"method": "POST", "path": f"/{firm.table}", "rid": rid}
        host = world.say(again, firm.front, "begin", told)
        job = world.push(again + 0.02, thing.id, host)
        values = {"job": firm.job_class, "jid": job.id, "id": thing.id, "rid": rid}
        world.say(again + 0.025, firm.front, "pushed", values, host=host)
        work(world, job, thing.id, again + rng.uniform(0.1, 0.6))
        world.say(again + 0.05, firm.front, "end", {**told, "status": 201, "ms": 50}, host=host)
        thing.keys |= frozenset((f"job:{job.id}", f"request:{rid}"))
        hit.append(thing)
    also = ("overlapping-runs", "duplicate-create")
    return fault(world, "duplicate-enqueue", world.onset_s + 260, hit, also=also)
