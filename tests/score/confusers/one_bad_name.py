"""One name was decommissioned weeks ago and is asked for every half minute ever since."""

from __future__ import annotations

from tests.score.world import World

TERMS = ("dns-failure", "network-hiccup", "rate-change")


def disturb(world: World) -> None:
    service, at = world.company.backs[0], 5.0
    while at < world.end_s - 5:
        words = f"legacy sink skipped: {world.error(service, 'dns', host='old-metrics.internal')}"
        world.log(at, service.name, service.hosts[0], words, 13)
        at += world.rng.uniform(25, 35)
