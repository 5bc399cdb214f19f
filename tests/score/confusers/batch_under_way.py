"""A batch that is at two thirds and goes on at its usual pace when the collection ends."""

from __future__ import annotations

from dataclasses import replace

from tests.score.world import World
from timeline.knowledge import ExpectedSet, Work

TERMS = ("partial-batch", "re-press", "missed-run")


def disturb(world: World) -> None:
    firm, at, place, line = world.company, world.end_s - 600, 0, "statement rendered"
    while at < world.end_s - 1:
        host = world.rng.choice(firm.worker.hosts)
        world.log(at, firm.worker.name, host, f"{line} account_id={70_000 + place}")
        at, place = at + world.rng.uniform(2, 4), place + 1
    keys = tuple(f"account:{70_000 + n}" for n in range(place * 3 // 2))
    expected = ExpectedSet(
        "accounts with a statement",
        Work(log=line),
        keys,
        ordered=True,
        asked_at=world.at(world.now_s),
    )
    world.knowledge = replace(world.knowledge, expected=(*world.knowledge.expected, expected))
