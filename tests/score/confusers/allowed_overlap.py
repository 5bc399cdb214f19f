"""Runs of one schedule overlap, as the team has configured: each has a shard of its own."""

from __future__ import annotations

from dataclasses import replace

from tests.score.queues import REMEMBERING, Attempt, Job
from tests.score.world import World
from timeline.knowledge import Overlap, Schedule, Work
from timeline.window import MINUTE_NS, SECOND_NS

BRANDS = REMEMBERING
TERMS = ("run-overlap", "overlapping-runs", "extra-runs", "delivered-again")


def disturb(world: World) -> None:
    firm, at, shard = world.company, 15.0, 0
    while at < world.end_s - 5:
        host = world.rng.choice(firm.worker.hosts)
        job = Job(
            world.new_job_id(), "CrawlShard", f"shard={shard}", (), "cron", host, [world.at(at)]
        )
        begun, done = world.at(at + 0.1), at + 150 < world.end_s
        ended = world.at(at + 150) if done else None
        outcome = "finished" if done else "running"
        job.attempts.append(Attempt(begun, ended, outcome, world.worker_on(host), host))
        world.jobs.append(job)
        at, shard = at + 120, shard + 1
    schedule = Schedule(
        "crawl",
        Work(job_class="CrawlShard"),
        every=120 * SECOND_NS,
        tolerance=MINUTE_NS,
        overlap=Overlap.ALLOW,
    )
    world.knowledge = replace(world.knowledge, schedules=(*world.knowledge.schedules, schedule))
