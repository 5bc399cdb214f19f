"""A disk is said to be at 81 % every minute; nothing fails."""

from __future__ import annotations

from tests.score.world import World

TERMS = ("full", "memory-leak")


def disturb(world: World) -> None:
    host, at = world.company.database, 30.0
    while at < world.end_s - 5:
        world.log(at, "node-agent", host, "filesystem /var/lib at 81 %", 13, source="agent-log")
        at += 60
