"""A person deletes the row before its job runs: not found is right, and no race."""

from __future__ import annotations

from tests.score.families.acts import lookup_fails
from tests.score.queues import SHOWING
from tests.score.world import World
from timeline.event import Kind

BRANDS = SHOWING
TERMS = ("job-before-commit", "stale-read")


def disturb(world: World) -> None:
    firm, rng = world.company, world.rng
    for n in range(3):
        thing, at = world.new_id(), world.onset_s + 30 * n
        world.row(at, firm.table, thing, columns={"state": "deleted"}, commit=at + 0.01)
        job = world.push(at + 0.02, thing, firm.front.hosts[0])
        world.row(at + 5, firm.table, thing, kind=Kind.ROW_DELETED, columns={"state": "deleted"})
        lookup_fails(world, thing, job, at + 20 + rng.uniform(0, 3))
