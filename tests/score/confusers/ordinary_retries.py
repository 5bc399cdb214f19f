"""Jobs fail with an error and are tried again as they should be, with pauses; then they succeed."""

from __future__ import annotations

from tests.score.queues import SHOWING
from tests.score.world import World

BRANDS = SHOWING
TERMS = ("delivered-again", "poison-job", "retry-storm", "extra-runs")


def disturb(world: World) -> None:
    firm, rng = world.company, world.rng
    for _ in range(4):
        thing, at = world.new_id(), world.onset_s + rng.uniform(0, 200)
        job = world.push(at, thing, firm.front.hosts[0])
        values = {"host": firm.third[1], "path": firm.third[2], "status": 502}
        for pause in (0.2, 20.0):
            at += pause
            world.run(job, at, 0.4, "retried", world.error(firm.worker, "http_5xx", **values))
        job.pushed.append(world.at(at + 39))
        world.run(job, at + 40, 0.4)
