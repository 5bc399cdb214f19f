"""A rolling deploy stops half way: hosts of the new version fail, those of the old one do not."""

from __future__ import annotations

from tests.score.families.acts import fault
from tests.score.truth import Entity, Truth
from tests.score.world import PIN_S, World
from timeline.event import SEVERITY_ERROR


def inject(world: World) -> Truth:
    firm, rng = world.company, world.rng
    service, at = firm.front, world.onset_s
    new = service.hosts[: max(1, len(service.hosts) // 2)]
    version = f"{rng.getrandbits(160):040x}"
    words = f"deployed {service.name} {version[:12]} to production"
    world.change(at - 30, words, service.name, version=version, who="release-bot", status="success")
    for host in new:
        world.say(at - 20, service, "stop", host=host)
        values = {"service": service.name, "version": version[:8], "n": 5}
        world.say(at - 12, service, "boot", values, host=host)
    hit: list[Entity] = []
    while at < PIN_S:
        told = {"method": "GET", "path": f"/{firm.table}/v2", "rid": world.request_id()}
        host = world.say(at, service, "begin", told, host=rng.choice(new))
        message = 'column "tier" does not exist'
        failed = {**told, "error": world.error(service, "sql", message=message)}
        world.say(at + 0.02, service, "request_failed", failed, host=host, severity=SEVERITY_ERROR)
        world.say(at + 0.021, service, "end", {**told, "status": 500, "ms": 21}, host=host)
        hit.append(frozenset((f"request:{told['rid']}",)))
        at += rng.uniform(0.8, 6)
    alternates = ("change-before",)
    return fault(world, "deploy-skew", PIN_S, hit, alternates=alternates, also=("swallowed-error",))
