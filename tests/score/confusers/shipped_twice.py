"""Every line of the workers arrives twice for five minutes: no job ran twice."""

from __future__ import annotations

from dataclasses import replace

from tests.score.world import World
from timeline.event import Lane

TERMS = ("delivered-again", "duplicate-enqueue", "extra-runs", "overlapping-runs", "rate-change")


def disturb(world: World) -> None:
    low, high = world.at(world.onset_s), world.at(world.onset_s + 300)
    hosts = frozenset(world.company.worker.hosts)
    again = [
        (replace(event, ref=f"{event.ref}+", seq=event.seq + 20_000_000), by)
        for event, by in world.told
        if event.lane is Lane.LOG and by in hosts and low <= event.timestamp < high
    ]
    world.told += again
