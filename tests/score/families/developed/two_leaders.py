"""After a lease of the scheduler ran out twice, two of its replicas think that they lead.

Every tick from then on is fired by both; the healthy ticks before were fired by one.
"""

from __future__ import annotations

from dataclasses import replace

from tests.score.families.acts import fault
from tests.score.queues import Attempt, Job
from tests.score.second_company.elsewhere import Night, job_keys, night, settle
from tests.score.second_company.neighbours import neighbours
from tests.score.truth import Entity, Truth
from tests.score.world import World
from timeline.knowledge import Schedule, Work
from timeline.window import SECOND_NS


def prepare(world: World) -> None:
    settle(world, ("oban", "river", "bullmq"), workers=(2, 7))


def inject(world: World) -> Truth:
    here = night(world)
    neighbours(here)
    every = here.rng.choice((60.0, 120.0, 180.0, 300.0))
    name = here.rng.choice(("RefreshRates", "CloseBaskets", "PollCourier", "SendDigest"))
    first, second = "clockwork-0", "clockwork-1"
    phase = here.onset_s % every
    words = "lease clockwork renewed by another holder, becoming leader"
    here.log(here.onset_s - 12, "clockwork", second, words, 13, source="clockwork-log")
    doubled, at = list[Entity](), phase
    while at < here.end_s - 3:
        one = _tick(here, name, at, first)
        if at >= here.onset_s - 1:
            two = _tick(here, name, at + here.rng.uniform(0.02, 1.8), second)
            doubled.append(one | two)
        at += every
    schedule = Schedule(
        name, Work(job_class=name), every=int(every * SECOND_NS), tolerance=20 * SECOND_NS
    )
    here.knowledge = replace(here.knowledge, schedules=(*here.knowledge.schedules, schedule))
    ran = [job for job in here.jobs if job.job_class == name and job.state() == "finished"]
    since = here.at(here.onset_s - 1)
    later = sum(job.pushed[0] >= since for job in ran)
    return fault(
        here,
        "extra-runs",
        here.end_s,
        doubled,
        also=("duplicate-enqueue", "run-overlap", "overlapping-runs"),
        effect=later >= 2 * len(doubled) >= 2 and len(ran) > later,
    )


def _tick(here: Night, name: str, at: float, scheduler: str) -> Entity:
    """One run, fired by `scheduler`: the keys of its job."""
    slot = f"slot={int(at // 60):02d}"
    job = Job(here.new_job_id(), name, slot, (), here.firm.queue, scheduler, [here.at(at)])
    here.jobs.append(job)
    words = f"firing {name} {slot} job_id={job.id}"
    here.log(at + 0.001, "clockwork", scheduler, words, source="clockwork-log")
    host, took = here.rng.choice(here.firm.worker.hosts), here.rng.uniform(0.3, 2.5)
    begun = at + here.rng.uniform(0.02, 0.4)
    job.attempts.append(
        Attempt(here.at(begun), here.at(begun + took), "finished", here.worker_on(host), host)
    )
    here.line(begun + 0.01, here.firm.worker, f"{name} began job_id={job.id}", host=host)
    here.line(begun + took, here.firm.worker, f"{name} ended job_id={job.id}", host=host)
    return job_keys(job.id)
