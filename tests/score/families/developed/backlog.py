"""Somebody paused the workers and nobody resumed them: the queue grows."""

from __future__ import annotations

from tests.score.families.acts import fault
from tests.score.queues import SHOWING
from tests.score.truth import Truth
from tests.score.world import World

BRANDS = (*SHOWING, "sqs")


def prepare(world: World) -> None:
    world.paused = (world.onset_s, world.end_s + 600)


def inject(world: World) -> Truth:
    queue = world.company.queue
    if world.rng.random() < 0.5:
        world.change(world.onset_s, f"workers of {queue} paused", who="on-call")
    waiting = sum(not job.attempts for job in world.jobs)
    depth = [
        (
            15.0 * n,
            float(sum(j.pushed[0] < world.at(15.0 * n) and not j.attempts for j in world.jobs)),
        )
        for n in range(int(world.end_s // 15))
    ]
    world.curve("queue_depth", {"queue": queue, "job": world.brand.name}, depth)
    also = ("blind-spot", "orphaned-record", "missed-run", "change-before")
    return fault(world, "backlog", world.end_s, also=also, effect=waiting > 20)
