"""An import throws in messages far faster than its few consumers take them: the line gets longer.

Nothing fails. What waits at the end of the window waits for minutes.
"""

from __future__ import annotations

from tests.score.families.acts import fault
from tests.score.queues import Attempt, Job
from tests.score.second_company.elsewhere import Night, night, settle
from tests.score.second_company.neighbours import neighbours
from tests.score.truth import Truth
from tests.score.world import World

QUEUE, NAME = "imports", "ImportLine"


def prepare(world: World) -> None:
    settle(world, ("bullmq", "river", "oban", "sqs", "rabbitmq"))


def inject(world: World) -> Truth:
    here = night(world)
    neighbours(here)
    rng, jobs = here.rng, list[Job]()
    consumers, work = rng.randint(1, 3), rng.uniform(0.8, 2.5)
    drained = consumers / work
    _steady(here, jobs, work)
    rate, until = drained * rng.uniform(1.6, 4.0), here.onset_s + rng.uniform(200, 500)
    at = here.onset_s
    while at < until:
        at += rng.expovariate(rate)
        jobs.append(_pushed(here, at))
    _drain(here, jobs, consumers, work)
    here.close_the_books()
    waiting = sum(job.state() == "waiting" for job in jobs)
    return fault(
        here,
        "backlog",
        here.end_s,
        effect=waiting > 20 or _longest_wait(jobs) > 60e9,
    )


def _steady(here: Night, jobs: list[Job], work: float) -> None:
    """Before the import: one message now and then, taken at once."""
    at = 5.0
    while at < here.onset_s - 20:
        jobs.append(_pushed(here, at))
        at += here.rng.uniform(4, 20) * work


def _pushed(here: Night, at: float) -> Job:
    line = here.new_id()
    host = here.rng.choice(here.firm.front.hosts)
    job = Job(here.new_job_id(), NAME, f"line={line}", (), QUEUE, host, [here.at(at)])
    here.jobs.append(job)
    return job


def _drain(here: Night, jobs: list[Job], consumers: int, work: float) -> None:
    """First come, first served, by so many consumers."""
    free = [0.0] * consumers
    for job in jobs:
        place = free.index(min(free))
        begun = max(free[place], (job.pushed[0] - here.start) / 1e9 + 0.02)
        took = work * here.rng.uniform(0.7, 1.3)
        if begun + took > here.end_s - 0.5:
            free[place] = here.end_s
            continue
        host = here.firm.worker.hosts[place % len(here.firm.worker.hosts)]
        begins, ends = here.at(begun), here.at(begun + took)
        job.attempts.append(Attempt(begins, ends, "finished", here.worker_on(host), host))
        free[place] = begun + took
        if here.rng.random() < 0.3:
            words = f"{NAME} stored job_id={job.id}"
            here.line(begun + took, here.firm.worker, words, host=host)


def _longest_wait(jobs: list[Job]) -> int:
    return max(job.attempts[0].started - job.pushed[0] for job in jobs if job.attempts)
