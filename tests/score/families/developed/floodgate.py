"""Consumers are stopped for a repair and all let go at once on a full queue.

In the first seconds they ask the database for more connections than it gives; what fails is tried
again together and fails together.
"""

from __future__ import annotations

from tests.score.families.acts import fault
from tests.score.second_company.acts import fulfilled, ordered
from tests.score.second_company.elsewhere import Night, night, settle
from tests.score.second_company.neighbours import neighbours
from tests.score.truth import Truth
from tests.score.world import Thing, World


def prepare(world: World) -> None:
    settle(world, ("bullmq", "river", "oban", "rabbitmq"), workers=(3, 9))
    world.paused = (world.onset_s - world.rng.uniform(150, 420), world.onset_s)


def inject(world: World) -> Truth:
    here = night(world)
    neighbours(here)
    rng, queue = here.rng, here.firm.queue
    begin, end = here.paused
    here.change(begin, f"{queue}: consumers scaled to 0 for a data repair", who="on-call")
    here.change(end, f"{queue}: consumers scaled to {rng.randint(20, 60)}", who="on-call")
    count, burst = rng.randint(90, 260), rng.uniform(4.0, 14.0)
    failing, things = rng.uniform(0.3, 0.6), list[Thing]()
    for _ in range(count):
        sent = rng.uniform(begin, end - 1)
        thing, failed = _let_go(here, sent, end + rng.uniform(0.05, burst), failing)
        if failed:
            things.append(thing)
    here.close_the_books()
    jobs = [t.job for t in here.things if t.job is not None]
    low, high = here.at(end), here.at(end + burst + 1)
    together = sum(any(low <= a.started < high for a in job.attempts) for job in jobs)
    return fault(
        here,
        "resume-herd",
        end + burst + 90,
        things,
        also=("backlog", "connections-exhausted", "change-before", "retry-storm"),
        effect=together >= count and len(things) >= 10,
    )


def _let_go(here: Night, sent: float, begun: float, failing: float) -> tuple[Thing, bool]:
    """One message that waited out the pause, and whether its first attempts failed."""
    worker, rng = here.firm.worker, here.rng
    receipt, job = ordered(here, sent)
    failed = rng.random() < failing
    at = begun
    for _ in range(rng.randint(1, 2) if failed else 0):
        words = here.database_says(rng.choice(("too_many", "reserved")))
        phrase = rng.choice(("pool", "sql"))
        here.run(job, at, 1.2, "retried", here.error(worker, phrase, message=f"FATAL: {words}"))
        at += 20 + rng.uniform(0, 2)
    fulfilled(here, job, receipt.thing, at, rng.uniform(0.5, 3.0))
    return here.entity(receipt.thing, receipt.rid, job), failed
