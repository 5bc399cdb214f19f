"""The transaction that pushed the job is rolled back: the row never exists, the job fails."""

from __future__ import annotations

from tests.score.families.acts import fault, lookup_fails
from tests.score.queues import SHOWING
from tests.score.truth import Truth
from tests.score.world import World
from timeline.event import SEVERITY_ERROR

BRANDS = SHOWING


def inject(world: World) -> Truth:
    firm, rng = world.company, world.rng
    hit = []
    for n in range(rng.randint(2, 5)):
        at = world.onset_s + n * rng.uniform(4, 30)
        thing, rid = world.new_id(), world.request_id()
        told = {"method": "POST", "path": f"/{firm.table}", "rid": rid}
        host = world.say(at, firm.front, "begin", told)
        world.say(at + 0.006, firm.front, "wrote", {"id": thing, "rid": rid, "ms": 2}, host=host)
        job = world.push(at + 0.02, thing, host)
        values = {"job": firm.job_class, "jid": job.id, "id": thing, "rid": rid}
        world.say(at + 0.022, firm.front, "pushed", values, host=host)
        message = "canceling statement due to statement timeout"
        error = world.error(firm.front, "sql", message=message)
        failed = {**told, "error": f"{error}; transaction rolled back"}
        world.say(
            at + 0.9, firm.front, "request_failed", failed, host=host, severity=SEVERITY_ERROR
        )
        world.say(at + 0.91, firm.front, "end", {**told, "status": 500, "ms": 910}, host=host)
        for attempt in range(2):
            last = attempt == 1
            late = at + 1.2 + attempt * rng.uniform(15, 25)
            lookup_fails(world, thing, job, late, outcome="failed" if last else "retried")
        hit.append(world.entity(thing, rid, job))
    return fault(world, "job-before-commit", world.onset_s + 300, hit, also=("lock-timeouts",))
