"""Two calls find the pool empty in the second in which a new process warms up."""

from __future__ import annotations

from tests.score.world import World
from timeline.event import SEVERITY_ERROR

TERMS = ("connections-exhausted", "network-hiccup")


def disturb(world: World) -> None:
    service = world.company.front
    host, at = service.hosts[0], world.onset_s
    world.change(at - 10, f"deployed {service.name} 5f1c to production", service.name)
    world.say(at - 6, service, "stop", host=host)
    world.say(at, service, "boot", {"service": service.name, "version": "5f1c", "n": 3}, host=host)
    for n in range(2):
        told = {"method": "GET", "path": "/me", "rid": world.request_id()}
        failed = {**told, "error": world.error(service, "pool")}
        at_n = at + 0.5 + n * 0.2
        world.say(at_n, service, "request_failed", failed, host=host, severity=SEVERITY_ERROR)
