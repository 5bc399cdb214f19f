"""A job that runs every five minutes stops: the message that re-enqueues it was lost."""

from __future__ import annotations

from dataclasses import replace

from tests.score.families.acts import fault
from tests.score.truth import Truth
from tests.score.world import World
from timeline.knowledge import Schedule, Work
from timeline.window import MINUTE_NS, SECOND_NS

PERIOD_S = 120.0


def inject(world: World) -> Truth:
    firm, rng = world.company, world.rng
    name, line = rng.choice(("sweep", "settlement", "reindex")), "pass complete, queued again"
    at = rng.uniform(2, 100)
    offset = at
    host = rng.choice(firm.worker.hosts)
    while at < world.onset_s:
        world.log(at, firm.worker.name, host, f"{name} {line} job_id={world.new_job_id()}")
        at += PERIOD_S
    schedule = Schedule(
        name, Work(log=f"{name} {line}"), every=int(PERIOD_S) * SECOND_NS, tolerance=MINUTE_NS
    )
    world.knowledge = replace(world.knowledge, schedules=(*world.knowledge.schedules, schedule))
    missed = int((world.end_s - at) // PERIOD_S)
    return fault(world, "missed-run", world.end_s, onset_s=at, effect=missed > 0 and offset < at)
