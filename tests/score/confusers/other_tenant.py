"""A job looks for a row of a tenant that is kept elsewhere: it was never here."""

from __future__ import annotations

from tests.score.families.acts import lookup_fails
from tests.score.queues import SHOWING
from tests.score.world import World

BRANDS = SHOWING
TERMS = ("job-before-commit", "stale-read", "orphaned-record")


def disturb(world: World) -> None:
    for n in range(3):
        thing, at = world.new_id(), world.onset_s + 30 * n
        job = world.push(at, thing, world.company.front.hosts[0])
        lookup_fails(world, thing, job, at + 0.3)
