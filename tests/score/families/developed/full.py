"""A disk or a Redis is full: every write fails, reads go on."""

from __future__ import annotations

from tests.score.families.acts import fault
from tests.score.truth import Truth
from tests.score.world import PIN_S, World
from timeline.event import SEVERITY_ERROR


def inject(world: World) -> Truth:
    firm, rng = world.company, world.rng
    redis = rng.random() < 0.5
    service, at, count = rng.choice((firm.worker, firm.front)), world.onset_s, 0
    while at < min(PIN_S, world.onset_s + 400):
        error = world.error(service, "full")
        if redis:
            error = "OOM command not allowed when used memory > 'maxmemory'. script: 1f"
        told = {"method": "POST", "path": "/files", "rid": world.request_id(), "error": error}
        world.say(at, service, "request_failed", told, severity=SEVERITY_ERROR)
        if not redis and rng.random() < 0.3:
            words = 'could not extend file "base/16384/2619": No space left on device'
            world.database_log(at + 0.01, rng.randint(200, 900), words, SEVERITY_ERROR)
        at += rng.uniform(2, 12)
        count += 1
    return fault(world, "full", at, also=("third-party",), effect=count > 10)
