"""A host whose clock is not the others': moves the stamps that it wrote, and nothing else.

What really happened stays where it was; only what the host says of the time is wrong. Knows of no
fault: a family says which host, from when on, and by how much.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from tests.score.world import World
from timeline.event import PRECISION_NS, Event
from timeline.window import SECOND_NS

Offset = Callable[[float], float]
"""Seconds by which a clock is ahead at a true instant (seconds from the window's start)."""


def steady(seconds: float) -> Offset:
    return lambda _: seconds


def gaining(since: float, rate: float) -> Offset:
    """Ahead by `rate` seconds for every true second after `since`."""
    return lambda at: max(0.0, at - since) * rate


def misdate(world: World, host: str, since: float, ahead: Offset) -> int:
    """Every stamp that `host` wrote from `since` on, by its own clock; how many they were."""
    low, moved = world.at(since), 0
    told: list[tuple[Event, str]] = []
    for event, by in world.told:
        if by == host and event.timestamp >= low:
            moved += 1
            event = _read_off(world, event, ahead)
        told.append((event, by))
    world.told = told
    for job in world.jobs:
        for run in job.attempts:
            if run.host == host and run.started >= low:
                run.started = _shown(world, run.started, ahead)
                run.ended = None if run.ended is None else _shown(world, run.ended, ahead)
    return moved


def _read_off(world: World, event: Event, ahead: Offset) -> Event:
    unit = PRECISION_NS[event.precision]
    return replace(event, timestamp=_shown(world, event.timestamp, ahead) // unit * unit)


def _shown(world: World, stamp: int, ahead: Offset) -> int:
    return stamp + round(ahead((stamp - world.start) / SECOND_NS) * 1_000_000) * 1_000
