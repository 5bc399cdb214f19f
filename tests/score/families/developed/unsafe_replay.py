"""The third step of a job fails after the first two took effect; it waits in the failed set."""

from __future__ import annotations

from tests.score.families.acts import fault
from tests.score.queues import SHOWING
from tests.score.truth import Truth
from tests.score.world import World

BRANDS = SHOWING


def inject(world: World) -> Truth:
    firm, rng = world.company, world.rng
    hit = []
    for n in range(rng.randint(2, 5)):
        thing, at = world.new_id(), world.onset_s + n * rng.uniform(5, 30)
        world.row(at - 1, firm.table, thing, columns={"state": "pending"}, commit=at - 0.9)
        job = world.push(at, thing, firm.front.hosts[0])
        error = world.error(
            firm.worker, "http_5xx", host=firm.third[1], path=firm.third[2], status=502
        )
        attempt = world.run(job, at + 0.3, 1.1, "failed", error)
        named = f"job_id={job.id} {firm.thing}_id={thing}"
        world.log(at + 0.6, firm.worker.name, attempt.host, f"step 1 statistics written {named}")
        column = {f"{firm.thing}_id": int(thing) if thing.isdigit() else thing}
        world.row(at + 0.7, firm.effects, world.new_id(), columns=column, host=attempt.host)
        world.log(
            at + 0.9, firm.worker.name, attempt.host, f"step 2 mail sent {named} message_id={n}f0"
        )
        hit.append(world.entity(thing, "", job))
    return fault(
        world, "unsafe-replay", world.onset_s + 240, hit, also=("third-party", "network-hiccup")
    )
