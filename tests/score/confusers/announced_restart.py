"""A rolling restart: every host says that it stops, its peers see connections close."""

from __future__ import annotations

from tests.score.world import World
from timeline.event import SEVERITY_ERROR

TERMS = ("network-hiccup", "lost-worker", "failover", "change-before", "deploy-skew")


def disturb(world: World) -> None:
    firm, rng = world.company, world.rng
    for place, host in enumerate(firm.worker.hosts):
        at = world.onset_s + place * 40
        world.say(at, firm.worker, "stop", host=host)
        for _ in range(2):
            words = world.error(firm.worker, "closed")
            world.log(at + rng.uniform(0.1, 0.9), firm.worker.name, host, words, SEVERITY_ERROR)
        values = {"service": firm.worker.name, "version": "9", "n": 8}
        world.say(at + 8, firm.worker, "boot", values, host=host)
