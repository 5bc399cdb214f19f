"""A service is deployed and begins to fail a minute later, on every host."""

from __future__ import annotations

from tests.score.families.acts import fault
from tests.score.truth import Entity, Truth
from tests.score.world import PIN_S, World
from timeline.event import SEVERITY_ERROR


def inject(world: World) -> Truth:
    firm, rng = world.company, world.rng
    service, at = rng.choice((firm.front, *firm.backs)), world.onset_s
    version = f"{rng.getrandbits(160):040x}"
    words = f"deployed {service.name} {version[:12]} to production"
    deployed = at - rng.uniform(20, 90)
    world.change(
        deployed, words, service.name, version=version, who="release-bot", status="success"
    )
    for place, host in enumerate(service.hosts):
        world.say(deployed + 2 + place, service, "stop", host=host)
        values = {"service": service.name, "version": version[:8], "n": 5}
        world.say(deployed + 9 + place, service, "boot", values, host=host)
    hit: list[Entity] = []
    while at < PIN_S:
        told = {"method": "GET", "path": f"/{firm.table}/total", "rid": world.request_id()}
        host = world.say(at, service, "begin", told)
        error = world.error(service, "null", field="discount")
        failed = {**told, "error": error}
        world.say(at + 0.02, service, "request_failed", failed, host=host, severity=SEVERITY_ERROR)
        world.say(at + 0.021, service, "end", {**told, "status": 500, "ms": 21}, host=host)
        hit.append(frozenset((f"request:{told['rid']}",)))
        at += rng.uniform(0.8, 6)
    also = ("swallowed-error",)
    return fault(world, "change-before", PIN_S, hit, alternates=("deploy-skew",), also=also)
