"""A message sends itself on with a delay, over and over; once it is deleted and not sent again.

A worker was stopped between the two. From then on nothing is in flight and nobody is told.
"""

from __future__ import annotations

from dataclasses import replace

from tests.score.families.acts import fault, lines
from tests.score.queues import Attempt, Job
from tests.score.second_company.elsewhere import Night, night, settle
from tests.score.second_company.neighbours import neighbours
from tests.score.truth import Truth
from tests.score.world import World
from timeline.knowledge import Schedule, Work
from timeline.window import SECOND_NS

TAKEN = "wake-up message received"
SENT_ON_S = 0.14
"""How long after it was taken a message is put back: its id is in the line right after that."""


def prepare(world: World) -> None:
    settle(world, ("sqs", "bullmq", "rabbitmq", "river"), workers=(1, 4))


def inject(world: World) -> Truth:
    here = night(world)
    neighbours(here)
    every = here.rng.choice((30.0, 60.0, 90.0, 120.0))
    at, carried, last = here.rng.uniform(3.0, every), here.new_job_id(), 0.0
    host, sent = "", max(at - every, 0.0)
    while at < here.onset_s:
        host, carried = _hop(here, at, carried, every, sent)
        last, sent = at, at + SENT_ON_S
        at += every + here.rng.uniform(0.2, 2.0)
    host, carried = _hop(here, at, carried, every, sent, lost=True)
    worker = here.firm.worker
    here.say(at + 0.21, worker, "stop", host=host)
    told = {"service": worker.name, "version": "d41d8cd9", "n": 6}
    here.say(at + 16, worker, "boot", told, host=host)
    schedule = Schedule(
        "wake-up",
        Work(log=TAKEN),
        every=int((every + 1.1) * SECOND_NS),
        tolerance=int(every / 2 * SECOND_NS),
    )
    here.knowledge = replace(here.knowledge, schedules=(*here.knowledge.schedules, schedule))
    here.close_the_books()
    before, after = lines(here, TAKEN, 0.0, at + 1), lines(here, TAKEN, at + 1)
    return fault(
        here,
        "missed-run",
        here.end_s,
        (frozenset((f"job:{carried}", f"message:{carried}")),),
        onset_s=at,
        effect=before >= 5 and after == 0 and last > 0,
    )


def _hop(
    here: Night, at: float, carried: str, every: float, sent: float, *, lost: bool = False
) -> tuple[str, str]:
    """The message is taken, found to be early, and sent on under a new id: host and new id."""
    host = here.rng.choice(here.firm.worker.hosts)
    job = Job(carried, "WakeUp", "slot=02:30", (), "wakeups", host, [here.at(sent)])
    begun, ended = here.at(at), here.at(at + 0.18)
    job.attempts.append(Attempt(begun, ended, "finished", here.worker_on(host), host))
    here.jobs.append(job)
    here.line(at + 0.01, here.firm.worker, f"{TAKEN} job_id={carried} slot=02:30", host=host)
    if lost:
        return host, carried
    fresh = here.new_job_id()
    words = f"too early, wake-up sent on with DelaySeconds={every:.0f} job_id={fresh}"
    here.line(at + SENT_ON_S + 0.01, here.firm.worker, words, host=host)
    return host, fresh
