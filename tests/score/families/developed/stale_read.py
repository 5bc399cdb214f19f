"""The row is committed on the primary; the job asks a replica that is seconds behind."""

from __future__ import annotations

from dataclasses import replace

from tests.score.families.acts import fault, lookup_fails
from tests.score.queues import SHOWING
from tests.score.truth import Truth
from tests.score.world import World

BRANDS = SHOWING


def prepare(world: World) -> None:
    """Commit times are kept: without them nobody could tell this from a race."""
    world.company = replace(world.company, commit_times=True)


def inject(world: World) -> Truth:
    firm, rng = world.company, world.rng
    hit = []
    for n in range(rng.randint(2, 5)):
        at = world.onset_s + n * rng.uniform(5, 30)
        thing, rid = world.new_id(), world.request_id()
        told = {"method": "POST", "path": f"/{firm.table}", "rid": rid}
        host = world.say(at, firm.front, "begin", told)
        world.row(at + 0.004, firm.table, thing, columns={"state": "pending"}, commit=at + 0.015)
        job = world.push(at + 0.03, thing, host)
        values = {"job": firm.job_class, "jid": job.id, "id": thing, "rid": rid}
        world.say(at + 0.032, firm.front, "pushed", values, host=host)
        world.say(at + 0.05, firm.front, "end", {**told, "status": 201, "ms": 50}, host=host)
        late = at + rng.uniform(0.4, 1.5)
        named = f"reading from replica-2 job_id={job.id} {firm.thing}_id={thing}"
        world.log(late + 0.001, firm.worker.name, firm.worker.hosts[0], named)
        lookup_fails(world, thing, job, late)
        hit.append(world.entity(thing, rid, job))
    labels = {"job": "postgresql", "instance": "replica-2"}
    lag = (
        (15.0 * n, 6.0 if world.onset_s - 30 <= 15 * n <= world.onset_s + 200 else 0.02)
        for n in range(138)
    )
    world.curve("replication_lag_seconds", labels, lag)
    also = ("orphaned-record", "unsafe-replay")
    return fault(world, "stale-read", world.onset_s + 200, hit, also=also)
