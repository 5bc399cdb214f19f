"""A partner answers slowly, so work takes longer than its lease and is given to a second worker.

SQS calls the lease visibility timeout, BullMQ lock duration; RabbitMQ gives a message out again
when the connection of a stalled consumer misses its heartbeats. Both workers do the whole work.
"""

from __future__ import annotations

from tests.score.families.acts import fault
from tests.score.queues import STALL_NS, Attempt
from tests.score.second_company.acts import ordered
from tests.score.second_company.elsewhere import Night, night, settle
from tests.score.second_company.neighbours import neighbours
from tests.score.truth import Truth
from tests.score.world import Thing, World
from timeline.window import SECOND_NS


def prepare(world: World) -> None:
    settle(world, ("sqs", "bullmq", "rabbitmq"), workers=(2, 6))


def inject(world: World) -> Truth:
    here = night(world)
    neighbours(here)
    leases = {"sqs": here.rng.choice((30.0, 60.0, 90.0)), "rabbitmq": 60.0}
    lease = leases.get(here.brand.name, STALL_NS / SECOND_NS)
    at, things = here.onset_s - lease - 4, list[Thing]()
    for _ in range(here.rng.randint(2, 8)):
        things.append(_twice(here, at, lease))
        at += here.rng.uniform(2.0, 20.0)
    here.close_the_books()
    return fault(
        here,
        "delivered-again",
        at + 2 * lease + 60,
        things,
        also=("run-overlap", "overlapping-runs", "duplicate-create", "third-party"),
        onset_s=min(_first_started(here, thing) for thing in things),
        effect=all(_worked_on_twice(here, thing) for thing in things),
    )


def _twice(here: Night, at: float, lease: float) -> Thing:
    firm, slow = here.firm, lease * here.rng.uniform(1.2, 2.0)
    receipt, job = ordered(here, at)
    first, second = here.rng.sample(firm.worker.hosts, 2)
    again = at + 0.3 + lease + (here.rng.uniform(2.0, 12.0) if here.brand.name == "bullmq" else 0.2)
    spans = ((at + 0.3, at + 0.3 + slow, first), (again, again + slow * 0.8, second))
    for begun, ended, host in spans:
        values = {"job": job.job_class, "jid": job.id, "id": receipt.thing}
        here.say(begun + 0.003, firm.worker, "started", values, host=host)
        if ended < here.end_s - 1:
            ms = int((ended - begun) * 1_000)
            here.say(ended, firm.worker, "done", {**values, "ms": ms}, host=host)
            columns = {f"{firm.thing}_id": receipt.thing}
            here.row(ended - 0.1, firm.effects, here.new_id(), columns=columns, host=host)
    lost_at, over = here.at(again), spans[1][1] < here.end_s - 1
    finished, outcome = (here.at(spans[1][1]), "finished") if over else (None, "running")
    job.attempts = [
        Attempt(here.at(at + 0.3), lost_at, "lost", here.worker_on(first), first),
        Attempt(here.at(again), finished, outcome, here.worker_on(second), second),
    ]
    return here.entity(receipt.thing, receipt.rid, job)


def _first_started(here: Night, thing: Thing) -> float:
    started = [] if thing.job is None else [a.started for a in thing.job.attempts]
    return (min(started) - here.start) / SECOND_NS


def _worked_on_twice(here: Night, thing: Thing) -> bool:
    """Two workers say that they began, and the first was not done when the second did."""
    if thing.job is None:
        return False
    mark = here.firm.worker.style["started"].partition("{")[0][:6]
    begun = {e.clock for e, _ in here.told if thing.job.id in e.body and e.body.startswith(mark)}
    return len(begun & set(here.firm.worker.hosts)) >= 2
