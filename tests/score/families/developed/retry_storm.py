"""Jobs fail against a failing neighbour and are tried again at once, over and over."""

from __future__ import annotations

from tests.score.families.acts import fault
from tests.score.queues import REMEMBERING
from tests.score.truth import Truth
from tests.score.world import PIN_S, World

BRANDS = REMEMBERING


def inject(world: World) -> Truth:
    firm, rng = world.company, world.rng
    at, hit, runs = world.onset_s, [], 0
    while at < PIN_S - 60:
        thing = world.new_id()
        job = world.push(at, thing, firm.front.hosts[0])
        again = at + 0.1
        for attempt in range(rng.randint(4, 7)):
            values = {"host": firm.third[1], "path": firm.third[2], "status": 503}
            error = world.error(firm.worker, "http_5xx", **values)
            world.run(job, again, 0.2, "retried", error)
            again += rng.uniform(1, 3) * (1 + attempt / 2)
            runs += 1
        hit.append(world.entity(thing, "", job))
        at += rng.uniform(0.8, 2)
    also = ("third-party", "backlog", "unsafe-replay")
    return fault(world, "retry-storm", PIN_S, hit, also=also, effect=runs > 300)
