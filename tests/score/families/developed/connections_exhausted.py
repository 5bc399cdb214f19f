"""Connections leak until the pool is empty; requests that need one wait and fail."""

from __future__ import annotations

from tests.score.families.acts import fault
from tests.score.truth import Entity, Truth
from tests.score.world import PIN_S, World
from timeline.event import SEVERITY_ERROR


def inject(world: World) -> Truth:
    firm, rng = world.company, world.rng
    service = rng.choice((firm.front, *firm.backs))
    hit: list[Entity] = []
    at, end = world.onset_s, min(world.onset_s + 420, PIN_S)
    while at < end:
        told = {"method": "GET", "path": f"/{firm.table}", "rid": world.request_id()}
        host = world.say(at - rng.uniform(2, 5), service, "begin", told)
        error = world.error(service, "pool")
        values = {**told, "error": error}
        world.say(at, service, "request_failed", values, host=host, severity=SEVERITY_ERROR)
        world.say(at + 0.01, service, "end", {**told, "status": 503, "ms": 5003}, host=host)
        at += rng.uniform(0.5, 5)
        hit.append(frozenset((f"request:{told['rid']}",)))
    return fault(world, "connections-exhausted", end, hit, effect=len(hit) > 20)
