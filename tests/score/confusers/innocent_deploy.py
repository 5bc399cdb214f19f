"""A deploy in the middle of an old trickle of errors: it made nothing worse, on no host."""

from __future__ import annotations

from tests.score.world import World
from timeline.event import SEVERITY_ERROR

TERMS = ("change-before", "deploy-skew", "novel-template", "rate-change")


def disturb(world: World) -> None:
    firm, rng, at = world.company, world.rng, 15.0
    service = firm.front
    while at < world.end_s - 5:
        told = {"method": "GET", "path": "/legacy", "rid": world.request_id()}
        failed = {**told, "error": world.error(service, "null", field="avatar")}
        world.say(at, service, "request_failed", failed, severity=SEVERITY_ERROR)
        at += rng.uniform(20, 60)
    version = f"{rng.getrandbits(160):040x}"
    words = f"deployed {service.name} {version[:12]} to production"
    world.change(world.onset_s, words, service.name, version=version, status="success")
    for place, host in enumerate(service.hosts):
        world.say(world.onset_s + 3 + 6 * place, service, "stop", host=host)
        values = {"service": service.name, "version": version[:8], "n": 2}
        world.say(world.onset_s + 8 + 6 * place, service, "boot", values, host=host)
