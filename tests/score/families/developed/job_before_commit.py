"""The job is pushed inside the transaction; the worker is faster than the commit."""

from __future__ import annotations

from tests.score.families.acts import fault, lookup_fails
from tests.score.queues import SHOWING
from tests.score.truth import Truth
from tests.score.world import World

BRANDS = SHOWING


def inject(world: World) -> Truth:
    firm, rng = world.company, world.rng
    heals = rng.random() < 0.6 and world.brand.name != "sidekiq"
    hit = []
    for n in range(rng.randint(2, 6)):
        at = world.onset_s + n * rng.uniform(5, 40)
        thing, rid = world.new_id(), world.request_id()
        told = {"method": "POST", "path": f"/{firm.table}", "rid": rid}
        host = world.say(at, firm.front, "begin", told)
        commit = at + rng.uniform(0.4, 1.5)
        world.row(at + 0.004, firm.table, thing, columns={"state": "pending"}, commit=commit)
        world.say(at + 0.006, firm.front, "wrote", {"id": thing, "rid": rid, "ms": 2}, host=host)
        job = world.push(at + 0.02, thing, host)
        values = {"job": firm.job_class, "jid": job.id, "id": thing, "rid": rid}
        world.say(at + 0.022, firm.front, "pushed", values, host=host)
        lookup_fails(world, thing, job, at + rng.uniform(0.05, 0.3))
        world.say(commit + 0.01, firm.front, "end", {**told, "status": 201, "ms": 700}, host=host)
        if heals:
            job.attempts[-1].outcome = "retried"
            again = at + rng.uniform(15, 40)
            job.pushed.append(world.at(again - 0.2))
            world.run(job, again, 0.2)
        hit.append(world.entity(thing, rid, job))
    return fault(
        world,
        "job-before-commit",
        world.onset_s + 300,
        hit,
        also=("orphaned-record", "unsafe-replay"),
    )
