"""A service that must exist has not one line: its region is not collected."""

from __future__ import annotations

from tests.score.families.acts import fault
from tests.score.truth import Truth
from tests.score.world import World


def inject(world: World) -> Truth:
    missing = world.rng.choice(("mailer-api", "renderer", "tax-service", "backup-agent"))
    world.expected = (*(service.name for service in world.company.services), missing)
    silent = all(event.actor != missing for event, _ in world.told)
    return fault(world, "blind-spot", world.end_s, onset_s=0.0, effect=silent)
