"""A job without arguments that is pushed every few seconds all night, as it should be."""

from __future__ import annotations

from tests.score.queues import REMEMBERING, Attempt, Job
from tests.score.world import World

BRANDS = (*REMEMBERING, "rq")
TERMS = ("duplicate-enqueue", "extra-runs", "delivered-again", "overlapping-runs")


def disturb(world: World) -> None:
    firm, at = world.company, 3.0
    while at < world.end_s - 5:
        host = world.rng.choice(firm.worker.hosts)
        job = Job(world.new_job_id(), "KeepWarm", "", (), "low", host, [world.at(at)])
        begun, ended = world.at(at + 0.1), world.at(at + 0.3)
        job.attempts.append(Attempt(begun, ended, "finished", world.worker_on(host), host))
        world.jobs.append(job)
        at += world.rng.uniform(4, 8)
