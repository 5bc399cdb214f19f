"""The same Redis is a cache: reads of it time out now and then, no job is pushed by them."""

from __future__ import annotations

from tests.score.world import World

TERMS = ("ambiguous-enqueue", "network-hiccup")


def disturb(world: World) -> None:
    service, at = world.company.front, 30.0
    while at < world.end_s - 20:
        words = f"cache read failed, rendering without: {world.error(service, 'timeout')}"
        world.log(at, service.name, world.rng.choice(service.hosts), words, 13)
        at += world.rng.uniform(50, 140)
