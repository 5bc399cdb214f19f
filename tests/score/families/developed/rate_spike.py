"""One known warning is suddenly said thirty times as often."""

from __future__ import annotations

from tests.score.families.acts import fault, lines
from tests.score.truth import Truth
from tests.score.world import World
from timeline.event import SEVERITY_WARN


def inject(world: World) -> Truth:
    firm, rng = world.company, world.rng
    service, line = rng.choice(firm.backs), "price list is stale, using the last one"
    at = 10.0
    while at < world.end_s:
        world.log(at, service.name, rng.choice(service.hosts), line, SEVERITY_WARN)
        inside = world.onset_s <= at < world.onset_s + 240
        at += rng.expovariate(1.5 if inside else 0.05)
    usual = lines(world, line, 0, world.onset_s)
    many = lines(world, line, world.onset_s, world.onset_s + 240)
    return fault(world, "rate-change", world.onset_s + 240, effect=many > 3 * usual)
