"""A logger that writes its buffer a second late: its lines stand after what they caused."""

from __future__ import annotations

from dataclasses import replace

from tests.score.world import World
from timeline.event import Lane

TERMS = ("clock-skew",)


def disturb(world: World) -> None:
    host, rng = world.company.front.hosts[0], world.rng
    world.told = [
        (replace(event, timestamp=event.timestamp + rng.randint(0, 900) * 1_000_000), by)
        if by == host and event.lane is Lane.LOG
        else (event, by)
        for event, by in world.told
    ]
