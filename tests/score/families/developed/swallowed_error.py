"""The first service answers 200 while the service it called failed for the same request."""

from __future__ import annotations

from tests.score.families.acts import fault
from tests.score.truth import Entity, Truth
from tests.score.world import World
from timeline.event import SEVERITY_ERROR


def inject(world: World) -> Truth:
    firm, rng = world.company, world.rng
    back = rng.choice(firm.backs)
    hit: list[Entity] = []
    for n in range(rng.randint(6, 20)):
        at, rid = world.onset_s + n * rng.uniform(2, 9), world.request_id()
        path = f"/{back.name}/apply"
        told = {"method": "POST", "path": path, "rid": rid}
        host = world.say(at, firm.front, "begin", told)
        there = world.say(at + 0.004, back, "begin", told)
        failed = {**told, "error": world.error(back, "null", field="amount")}
        world.say(at + 0.03, back, "request_failed", failed, host=there, severity=SEVERITY_ERROR)
        world.say(at + 0.031, back, "end", {**told, "status": 500, "ms": 27}, host=there)
        world.say(at + 0.04, firm.front, "end", {**told, "status": 200, "ms": 40}, host=host)
        hit.append(frozenset((f"request:{rid}",)))
    return fault(world, "swallowed-error", world.onset_s + 200, hit)
