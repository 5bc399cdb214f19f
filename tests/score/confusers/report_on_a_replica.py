"""A report tries to write where it may only read, and says so; nobody else is touched."""

from __future__ import annotations

from tests.score.world import World
from timeline.event import SEVERITY_ERROR

TERMS = ("failover", "stale-read", "network-hiccup")


def disturb(world: World) -> None:
    service = world.company.backs[0]
    message = "cannot execute CREATE TABLE in a read-only transaction"
    for at in (world.onset_s, world.onset_s + 200):
        words = f"report aborted: {world.error(service, 'sql', message=message)}"
        world.log(at, service.name, service.hosts[0], words, SEVERITY_ERROR)
