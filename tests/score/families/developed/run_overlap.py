"""A run of a schedule takes longer than its period: the next one begins before it ends."""

from __future__ import annotations

from dataclasses import replace

from tests.score.families.acts import fault
from tests.score.queues import Attempt, Job
from tests.score.truth import Truth
from tests.score.world import World
from timeline.knowledge import Schedule, Work
from timeline.window import MINUTE_NS, SECOND_NS

BRANDS = ("bullmq", "good-job")
PERIOD_S = 180.0


def inject(world: World) -> Truth:
    firm, rng = world.company, world.rng
    slow: list[Job] = []
    job_class, at = rng.choice(("DailyDigest", "export_all", "vacuum-cache")), 20.0
    while at < world.end_s - 20:
        late = at >= world.onset_s and len(slow) < 2
        took = rng.uniform(1.2, 1.6) * PERIOD_S if late else rng.uniform(40, 60)
        host = rng.choice(firm.worker.hosts)
        job = Job(world.new_job_id(), job_class, "", (), "cron", host, [world.at(at)])
        done = at + took < world.end_s
        ended = world.at(at + took) if done else None
        outcome = "finished" if done else "running"
        job.attempts.append(
            Attempt(world.at(at + 0.2), ended, outcome, world.worker_on(host), host)
        )
        world.jobs.append(job)
        if late:
            slow.append(job)
        at += PERIOD_S
    schedule = Schedule(
        job_class, Work(job_class=job_class), every=int(PERIOD_S) * SECOND_NS, tolerance=MINUTE_NS
    )
    world.knowledge = replace(world.knowledge, schedules=(*world.knowledge.schedules, schedule))
    return fault(world, "run-overlap", world.end_s, also=("overlapping-runs",), effect=bool(slow))
