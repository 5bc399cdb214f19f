"""A queue is paused for maintenance and catches up within its capacity; nothing else notices."""

from __future__ import annotations

from tests.score.queues import SHOWING
from tests.score.world import World

BRANDS = SHOWING
TERMS = ("backlog", "resume-herd", "retry-storm", "rate-change", "missed-run", "change-before")


def prepare(world: World) -> None:
    world.paused = (world.onset_s - 200, world.onset_s)


def disturb(world: World) -> None:
    queue = world.company.queue
    world.change(world.onset_s - 200, f"maintenance: {queue} paused (announced)", who="ops")
    world.change(world.onset_s, f"maintenance over: {queue} resumed", who="ops")
