"""A service that has nothing to do at night: a line every few minutes, then none for long."""

from __future__ import annotations

from tests.score.world import World

TERMS = ("blind-spot", "rate-change")


def disturb(world: World) -> None:
    at = 20.0
    while at < world.onset_s:
        world.log(at, "newsletter", "newsletter-1", "nothing to send", 9)
        at += world.rng.uniform(60, 240)
