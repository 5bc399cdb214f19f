"""One outside call in a hundred fails all night long, as it has for weeks."""

from __future__ import annotations

from tests.score.world import World
from timeline.event import SEVERITY_ERROR

TERMS = ("third-party", "network-hiccup", "rate-change", "novel-template")


def disturb(world: World) -> None:
    firm, at = world.company, 20.0
    while at < world.end_s - 5:
        values = {"host": firm.third[1], "path": firm.third[2], "status": 503}
        error = world.error(firm.worker, "http_5xx", **values)
        told = {"method": "POST", "path": "/notify", "rid": world.request_id(), "error": error}
        world.say(at, firm.worker, "request_failed", told, severity=SEVERITY_ERROR)
        at += world.rng.uniform(40, 160)
