"""A message that puts itself back on the queue until it is due: the baton of a nightly backup."""

from __future__ import annotations

from tests.score.queues import Attempt, Job
from tests.score.world import World

HOP_S = 60.0


def hop(world: World, seconds: float, job_class: str, date: str, job_id: str, after: str) -> Job:
    """One hop: received too early, put back under a new message id (`after`, or lost if empty)."""
    firm, rng = world.company, world.rng
    host = rng.choice(firm.worker.hosts)
    job = Job(job_id, job_class, f"date={date}", (), "baton", host, [world.at(seconds - HOP_S + 2)])
    begun, ended = world.at(seconds), world.at(seconds + 0.2)
    job.attempts.append(Attempt(begun, ended, "finished", world.worker_on(host), host))
    world.jobs.append(job)
    received = f"received {job_class} date={date} job_id={job_id}, not due yet"
    world.log(seconds + 0.01, firm.worker.name, host, received)
    if after:
        words = f"put {job_class} date={date} back job_id={after} after job {job_id}"
        world.log(seconds + 0.1, firm.worker.name, host, words)
    return job
