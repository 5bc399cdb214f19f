"""A nightly batch over tenants, of which only some are done; shared by the batch families."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from tests.score.families.acts import fault
from tests.score.truth import Truth
from tests.score.world import World
from timeline.knowledge import ExpectedSet, Work


def partial(world: World, count: int, done: Callable[[int], bool], *, note: str = "") -> Truth:
    """`count` tenants in order, of which those are exported for whose place `done` holds."""
    firm, rng = world.company, world.rng
    noun = rng.choice(("app", "tenant", "site", "branch"))
    line, first = f"{noun} backup stored", rng.randint(100, 900)
    pace = min(2.0, 300 / count)
    at, missing, reached = world.onset_s - pace * count * 0.7, [], world.onset_s
    for place in range(count):
        at += rng.uniform(0.4, 1.0) * pace
        if done(place):
            host = rng.choice(firm.worker.hosts)
            world.log(
                at,
                firm.worker.name,
                host,
                f"{line} {noun}_id={first + place} run_id={world.seed[-2:]}b",
            )
            reached = at
        else:
            missing.append(frozenset((f"{noun}:{first + place}",)))
    if note:
        world.log(reached + 0.5, firm.worker.name, rng.choice(firm.worker.hosts), note, 17)
    expected = ExpectedSet(
        f"{noun}s that must have a backup tonight",
        Work(log=line),
        tuple(f"{noun}:{first + place}" for place in range(count)),
        ordered=True,
        asked_at=world.at(world.now_s),
    )
    world.knowledge = replace(world.knowledge, expected=(*world.knowledge.expected, expected))
    return fault(
        world,
        "partial-batch",
        world.end_s,
        missing,
        onset_s=world.onset_s - 400,
        also=("lost-worker", "memory-leak", "missed-run"),
        effect=0 < len(missing) < count,
    )
