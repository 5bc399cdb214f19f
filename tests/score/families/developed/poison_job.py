"""One job kills every worker that takes it."""

from __future__ import annotations

from tests.score.families.acts import fault
from tests.score.truth import Truth
from tests.score.world import World

BRANDS = ("bullmq",)


def inject(world: World) -> Truth:
    firm, rng = world.company, world.rng
    thing, at = world.new_id(), world.onset_s
    job = world.push(at, thing, firm.front.hosts[0])
    for _ in range(rng.randint(3, 5)):
        attempt = world.run(job, at + 0.3, 1, "lost")
        attempt.ended = world.at(at + 0.3 + rng.uniform(30, 45))
        words = f"{firm.worker.name}.service: Main process exited, code=killed, status=9/KILL"
        world.log(at + rng.uniform(1, 3), firm.worker.name, attempt.host, words, 17)
        at = attempt.ended / 1e9 - world.start / 1e9 + 0.1
    entity = world.entity(thing, "", job)
    also = ("lost-worker", "delivered-again", "orphaned-record", "backlog")
    return fault(world, "poison-job", at + 30, [entity], also=also)
