"""Two code paths take the same rows in opposite order, again and again, and nobody tries again."""

from __future__ import annotations

from tests.score.families.acts import fault
from tests.score.truth import Entity, Truth
from tests.score.world import World
from timeline.event import SEVERITY_ERROR


def inject(world: World) -> Truth:
    firm, rng = world.company, world.rng
    service = rng.choice((firm.front, *firm.backs))
    hit: list[Entity] = []
    for n in range(rng.randint(4, 9)):
        at, one = world.onset_s + n * rng.uniform(2, 12), rng.randint(2000, 30000)
        two = one + rng.randint(1, 40)
        world.database_log(
            at,
            one,
            f"deadlock detected␊DETAIL:  Process {one} waits for ShareLock on transaction"
            f" {77000 + n}; blocked by process {two}.␊Process {two} waits for ShareLock on"
            f" transaction {77001 + n}; blocked by process {one}.␊CONTEXT:  while updating tuple"
            f' (4,11) in relation "{firm.table}"',
            SEVERITY_ERROR,
        )
        told = {"method": "PUT", "path": f"/{firm.table}", "rid": world.request_id()}
        error = world.error(service, "sql", message="deadlock detected")
        values = {**told, "error": error}
        world.say(at + 0.01, service, "request_failed", values, severity=SEVERITY_ERROR)
        world.say(at + 0.02, service, "end", {**told, "status": 500, "ms": 1010})
        hit.append(frozenset((f"request:{told['rid']}",)))
    return fault(world, "deadlock", world.onset_s + 120, hit, alternates=("lock-queue",))
