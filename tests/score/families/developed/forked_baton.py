"""A message that puts itself back on the queue is received twice, and put back twice, for ever."""

from __future__ import annotations

from tests.score.families.acts import fault
from tests.score.families.batons import HOP_S, hop
from tests.score.queues import REMEMBERING
from tests.score.truth import Truth
from tests.score.world import World

BRANDS = REMEMBERING


def inject(world: World) -> Truth:
    job_class = world.rng.choice(("RunAllBackups", "backup.all", "nightly-backup"))
    at, batons, hit = 70.0, [world.new_job_id()], []
    while at < world.end_s - 10:
        if at >= world.onset_s and len(batons) == 1:
            batons.append(world.new_job_id())
        following = [world.new_job_id() for _ in batons]
        for n, (baton, after) in enumerate(zip(batons, following, strict=True)):
            job = hop(
                world, at + n * world.rng.uniform(0.5, 5), job_class, "2026-02-04", baton, after
            )
            if len(batons) > 1:
                hit.append(frozenset((f"job:{job.id}",)))
        at, batons = at + HOP_S * world.rng.uniform(0.98, 1.02), following
    also = ("duplicate-enqueue", "overlapping-runs", "run-overlap")
    return fault(world, "extra-runs", world.end_s, hit, also=also, effect=len(hit) > 4)
