"""Two schedulers are alive: every due instant is triggered twice, from two hosts."""

from __future__ import annotations

from dataclasses import replace

from tests.score.families.acts import fault
from tests.score.queues import Attempt, Job
from tests.score.truth import Truth
from tests.score.world import World
from timeline.knowledge import Schedule, Work
from timeline.window import MINUTE_NS, SECOND_NS

BRANDS = ("bullmq", "good-job")
PERIOD_S = 120.0


def inject(world: World) -> Truth:
    firm, rng = world.company, world.rng
    job_class, at, hit = rng.choice(("NightlyBackup", "sync_ledger", "rebuild-index")), 30.0, []
    while at < world.end_s - 20:
        for n in range(2 if at >= world.onset_s else 1):
            host = firm.worker.hosts[n % len(firm.worker.hosts)]
            sent = at + n * rng.uniform(0.05, 0.8)
            job = Job(world.new_job_id(), job_class, "", (), "cron", host, [world.at(sent)])
            begun, ended = world.at(sent + 0.2), world.at(sent + 8)
            job.attempts.append(Attempt(begun, ended, "finished", world.worker_on(host), host))
            world.jobs.append(job)
            world.log(
                sent,
                firm.worker.name,
                host,
                f"scheduler sends due task {job_class} job_id={job.id}",
            )
            if at >= world.onset_s:
                hit.append(frozenset((f"job:{job.id}",)))
        at += PERIOD_S
    schedule = Schedule(
        job_class, Work(job_class=job_class), every=int(PERIOD_S) * SECOND_NS, tolerance=MINUTE_NS
    )
    world.knowledge = replace(world.knowledge, schedules=(*world.knowledge.schedules, schedule))
    also = ("duplicate-enqueue", "run-overlap", "overlapping-runs")
    return fault(world, "extra-runs", world.end_s, hit, also=also, effect=len(hit) >= 4)
