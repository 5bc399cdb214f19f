"""A slow trigger holds transactions open for a second after the message went out.

The consumer looks for the record before it is visible, fails, and succeeds at the redelivery.
"""

from __future__ import annotations

from tests.score.families.acts import fault
from tests.score.second_company.acts import accepted, dispatched, fulfilled
from tests.score.second_company.elsewhere import Night, night, settle
from tests.score.second_company.neighbours import neighbours
from tests.score.truth import Truth
from tests.score.world import Thing, World


def prepare(world: World) -> None:
    settle(world, ("bullmq", "sqs", "rabbitmq"), records=("ulid", "object_id", "wide_integer"))


def inject(world: World) -> Truth:
    here = night(world)
    neighbours(here)
    slowest, at = here.rng.uniform(0.5, 2.6), here.onset_s
    things = list[Thing]()
    for _ in range(here.rng.randint(3, 18)):
        things.append(_too_early(here, at, slowest))
        at += here.rng.uniform(0.8, 16.0)
    here.close_the_books()
    return fault(here, "job-before-commit", at + 45, things, effect=all(map(_shown, things)))


def _too_early(here: Night, at: float, slowest: float) -> Thing:
    commit = here.rng.uniform(0.35, slowest)
    receipt = accepted(here, at, commit=commit, answered=commit + 0.02)
    sent = at + here.rng.uniform(0.012, 0.06)
    job = dispatched(here, receipt, sent)
    first = sent + here.rng.uniform(0.01, 0.12)
    error = here.error(here.firm.worker, "not_found", id=receipt.thing)
    took = min(0.03, (at + commit - first) / 2)
    here.run(job, first, took, "retried", error)
    again = first + here.rng.choice((2.0, 5.0, 15.0, 30.0)) + here.rng.uniform(0.0, 1.5)
    fulfilled(here, job, receipt.thing, again, here.rng.uniform(0.1, 0.9))
    return here.entity(receipt.thing, receipt.rid, job)


def _shown(thing: Thing) -> bool:
    if thing.job is None:
        return False
    outcomes = [attempt.outcome for attempt in thing.job.attempts]
    return outcomes == ["retried", "finished"] and thing.id in thing.job.attempts[0].error
