"""A release tells the old worker to go. The queue gives its job to a new one after the grace time;
the old process only stops taking new jobs and works on to the end.

A person sees it by: the same job begun a second time elsewhere; the old host's step lines after
that; both hosts say the job is done, and its effect is there twice.
"""

from __future__ import annotations

from tests.score.families.acts import fault
from tests.score.queues import REMEMBERING, Attempt, Job
from tests.score.truth import Entity, Truth
from tests.score.world import Thing, World

BRANDS = REMEMBERING


def inject(world: World) -> Truth:
    rng, worker, at = world.rng, world.company.worker, world.onset_s
    old, new = rng.sample(worker.hosts, 2)
    version = f"{rng.getrandbits(160):040x}"
    words = f"{worker.name}: rollout of {version[:8]}, grace period 30 s"
    world.change(at - 32, words, worker.name, version=version, who="argocd", status="success")
    world.say(at - 31, worker, "stop", host=old)
    begun = [_busy(world, at - rng.uniform(60, 140), old) for _ in range(rng.randint(1, 4))]
    hit = [_taken_over(world, thing, job, at, new) for thing, job in begun]
    return fault(
        world,
        "overlapping-runs",
        min(at + 300, world.end_s),
        hit,
        alternates=("delivered-again", "run-overlap"),
        also=("unsafe-replay", "lost-worker", "duplicate-create", "deploy-skew"),
    )


def _busy(world: World, at: float, old: str) -> tuple[Thing, Job]:
    """A thing whose job the old worker has begun."""
    firm = world.company
    thing = world.new_id()
    world.row(at - 0.3, firm.table, thing, columns={"state": "pending"})
    job = world.push(at - 0.2, thing, firm.front.hosts[0], f"Bulk{firm.thing.title()}Export")
    first = Attempt(world.at(at), None, "lost", world.worker_on(old), old)
    job.attempts.append(first)
    told = {"job": job.job_class, "jid": job.id, "id": thing}
    world.say(at + 0.002, firm.worker, "started", told, host=old)
    return world.entity(thing, "", job), job


def _taken_over(world: World, thing: Thing, job: Job, at: float, new: str) -> Entity:
    """The queue hands it on; the old host goes on with its parts."""
    rng, firm = world.rng, world.company
    first = job.attempts[0]
    if world.brand.name == "bullmq":
        first.ended = world.at(at - 0.2)
    parts, pace = rng.randint(8, 14), rng.uniform(6, 10)
    begun = (first.started - world.start) / 1e9
    done = max(at + rng.uniform(70, 150), begun + 20)
    _parts(world, job, thing.id, first.host, begun, done, parts)
    second = Attempt(world.at(at), None, "finished", world.worker_on(new), new)
    job.attempts.append(second)
    until = min(at + pace * parts, world.end_s - 2)
    second.ended = world.at(until)
    told = {"job": job.job_class, "jid": job.id, "id": thing.id}
    world.say(at + 0.002, firm.worker, "started", told, host=new)
    _parts(world, job, thing.id, new, at, until, parts)
    return thing.keys


def _parts(
    world: World, job: Job, thing: str, host: str, begun: float, until: float, parts: int
) -> None:
    firm, key = world.company, f"{world.company.thing}_id"
    for part in range(1, parts + 1):
        seconds = begun + (until - begun) * part / (parts + 1)
        words = f"part {part}/{parts} uploaded job_id={job.id} {key}={thing}"
        world.log(seconds, firm.worker.name, host, words)
    told = {"job": job.job_class, "jid": job.id, "id": thing, "ms": int((until - begun) * 1000)}
    if until < world.end_s - 1:
        world.say(until, firm.worker, "done", told, host=host)
        columns = {key: int(thing) if thing.isdigit() else thing}
        world.row(until - 0.2, firm.effects, world.new_id(), columns=columns, host=host)
