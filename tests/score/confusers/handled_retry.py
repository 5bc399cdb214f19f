"""A callee fails once, is asked again at once and answers: the caller's success is true."""

from __future__ import annotations

from tests.score.world import World
from timeline.event import SEVERITY_ERROR

TERMS = ("swallowed-error", "third-party", "network-hiccup")


def disturb(world: World) -> None:
    firm, rng = world.company, world.rng
    back = rng.choice(firm.backs)
    for n in range(10):
        at, rid = world.onset_s + n * rng.uniform(5, 20), world.request_id()
        told = {"method": "POST", "path": f"/{back.name}/quote", "rid": rid}
        host = world.say(at, firm.front, "begin", told)
        there = world.say(at + 0.004, back, "begin", told)
        failed = {**told, "error": world.error(back, "sql", message="could not serialize access")}
        world.say(at + 0.02, back, "request_failed", failed, host=there, severity=SEVERITY_ERROR)
        world.say(at + 0.021, back, "end", {**told, "status": 503, "ms": 17}, host=there)
        words = f"{back.name} answered 503, trying again request_id={rid}"
        world.log(at + 0.03, firm.front.name, host, words, 13)
        world.say(at + 0.08, back, "begin", told, host=there)
        world.say(at + 0.1, back, "end", {**told, "status": 200, "ms": 20}, host=there)
        world.say(at + 0.11, firm.front, "end", {**told, "status": 200, "ms": 110}, host=host)
