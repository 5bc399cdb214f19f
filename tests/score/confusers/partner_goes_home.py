"""A proxy that logs the calls of one partner alone falls silent when he has no more to say, while
everybody else is as busy as before."""

from __future__ import annotations

import json

from tests.score.families.watched import beside
from tests.score.world import World

TERMS = ("blind-spot",)


def disturb(world: World) -> None:
    rng, front = world.rng, world.company.front
    path = f"/partner/{world.company.thing}"
    at, home = rng.uniform(5, 20), rng.uniform(1_000, 1_300)
    while at < home:
        told = {"method": "POST", "path": path, "rid": world.request_id()}
        host = world.say(at, front, "begin", told)
        took = rng.uniform(0.05, 0.4)
        world.say(
            at + took, front, "end", {**told, "status": 200, "ms": int(took * 1000)}, host=host
        )
        shown = {"path": path, "code": 200, "request_id": told["rid"]}
        beside(world, at + took, "partner-proxy", json.dumps(shown, separators=(",", ":")))
        at += rng.uniform(4, 15)
