"""A certificate that has three weeks to live, and visitors whose sessions have run out."""

from __future__ import annotations

from tests.score.world import World

TERMS = ("expired",)


def disturb(world: World) -> None:
    firm, at = world.company, 50.0
    words = f"certificate of {firm.third[1]} expires in 21 days"
    world.log(400, firm.front.name, firm.front.hosts[0], words, 13)
    while at < world.end_s - 5:
        told = {"method": "GET", "path": "/me", "rid": world.request_id()}
        host = world.say(at, firm.front, "begin", told)
        line = f"session expired, asking to sign in again request_id={told['rid']}"
        world.log(at + 0.01, firm.front.name, host, line, 9)
        world.say(at + 0.02, firm.front, "end", {**told, "status": 401, "ms": 20}, host=host)
        at += world.rng.uniform(20, 90)
