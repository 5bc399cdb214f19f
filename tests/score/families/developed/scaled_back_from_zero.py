"""The workers were scaled to zero while a table was rebuilt. Afterwards the scaler sees a deep
queue and asks for the most replicas it may; all of them take their fill at once and the database
runs out of connections.

A person sees it by: the cluster's events have the workers at zero and later at many; the depth
climbs in between and falls steeply; the database refuses connections in the minutes after the
workers came back and not before.
"""

from __future__ import annotations

from tests.score.families.acts import fault
from tests.score.families.quayside import cluster_event, queued
from tests.score.queues import Attempt
from tests.score.truth import Entity, Truth
from tests.score.world import World
from timeline.event import SEVERITY_ERROR

FULL = "sorry, too many clients already"
BRANDS = ("bullmq", "good-job", "rq", "sqs")


def prepare(world: World) -> None:
    length = world.rng.uniform(200, 420)
    world.paused = (world.onset_s - length, world.onset_s)


def inject(world: World) -> Truth:
    rng, firm = world.rng, world.company
    begin, end = world.paused
    deployment = f"{firm.worker.name}-default"
    many = rng.choice((12, 20, 30))
    told = f"Scaled down replica set {deployment}-6f9c to 0 from {len(firm.worker.hosts)}"
    cluster_event(world, begin, "Deployment", deployment, "ScalingReplicaSet", told)
    told = f"Scaled up replica set {deployment}-6f9c to {many} from 0"
    cluster_event(world, end, "Deployment", deployment, "ScalingReplicaSet", told)
    if rng.random() < 0.5:
        why = f"New size: {many}; reason: external metric queue_depth above target"
        cluster_event(world, end - 1, "HorizontalPodAutoscaler", deployment, "SuccessfulRescale",
                      why, component="horizontal-pod-autoscaler")  # fmt: skip
    drain = _piled_up(world, begin, end, many)
    hit = _refused(world, end + rng.uniform(2, 6), min(end + drain + 25, world.end_s - 2))
    return fault(
        world,
        "resume-herd",
        min(end + drain + 60, world.end_s),
        (),
        also=("backlog", "connections-exhausted", "change-before"),
        effect=len(hit) >= 8,
    )


def _piled_up(world: World, begin: float, end: float, many: int) -> float:
    """Work that came meanwhile, all of it taken within the drain; how long that took."""
    rng, firm = world.rng, world.company
    count, drain = rng.randint(180, 400), rng.uniform(20, 50)
    samples = []
    for place in range(count):
        at = begin + (end - begin) * place / count
        number = 70_000 + place
        keys = (f"page:{number}",)
        job = queued(world, at, "RenderPage", f"page_id={number}", keys, firm.front.hosts[0])
        start = end + rng.uniform(0.5, 4) + drain * place / count
        host = rng.choice(firm.worker.hosts)
        worker = f"{host}.{place % many}"
        took = rng.uniform(0.4, 3)
        if start + took < world.end_s:
            run = Attempt(world.at(start), world.at(start + took), "finished", worker, host)
            job.attempts.append(run)
    for step in range(int(world.end_s // 15)):
        at = step * 15.0
        if at < begin:
            depth = rng.randint(0, 4)
        elif at < end:
            depth = int(count * (at - begin) / (end - begin))
        else:
            depth = max(rng.randint(0, 4), int(count * (1 - (at - end) / drain)))
        samples.append((at, float(depth)))
    world.curve("queue_depth", {"queue": firm.queue}, samples)
    return drain


def _refused(world: World, begin: float, until: float) -> list[Entity]:
    """Connections that the database does not take; the requests that had needed one."""
    rng, firm, at = world.rng, world.company, begin
    hit: list[Entity] = []
    pace = rng.uniform(0.6, 2.5)
    while at < until:
        world.database_log(at, rng.randint(900, 30_000), FULL, 21)
        service = rng.choice((firm.front, *firm.backs))
        rid = world.request_id()
        error = world.error(service, "sql", message=f"FATAL: {FULL}")
        told = {"method": "GET", "path": f"/{firm.table}", "rid": rid, "error": error}
        world.say(at + 0.01, service, "request_failed", told, severity=SEVERITY_ERROR)
        hit.append(frozenset({f"request:{rid}"}))
        at += rng.expovariate(1 / pace)
    return hit
