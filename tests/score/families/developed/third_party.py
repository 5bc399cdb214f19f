"""An outside service answers 5xx or 429 to everybody."""

from __future__ import annotations

from tests.score.families.acts import fault
from tests.score.truth import Truth
from tests.score.world import PIN_S, World
from timeline.event import SEVERITY_ERROR


def inject(world: World) -> Truth:
    firm, rng = world.company, world.rng
    status = rng.choice((429, 500, 503))
    services, at, count = (firm.worker, rng.choice(firm.backs)), world.onset_s, 0
    end = min(PIN_S, at + rng.uniform(120, 500))
    while at < end:
        service = rng.choice(services)
        values = {"host": firm.third[1], "path": firm.third[2], "status": status}
        error = world.error(service, "http_5xx", **values)
        told = {"method": "POST", "path": "/notify", "rid": world.request_id(), "error": error}
        world.say(at, service, "request_failed", told, severity=SEVERITY_ERROR)
        at += rng.uniform(1, 8)
        count += 1
    return fault(
        world, "third-party", end, also=("swallowed-error", "retry-storm"), effect=count > 10
    )
