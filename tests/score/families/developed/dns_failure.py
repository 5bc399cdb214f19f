"""Names are not resolved for some seconds, whoever asks."""

from __future__ import annotations

from tests.score.families.acts import burst, fault
from tests.score.truth import Truth
from tests.score.world import World


def inject(world: World) -> Truth:
    firm, rng = world.company, world.rng
    took = rng.uniform(4, 20)
    hit = []
    for name in (f"{firm.backs[0].name}.internal", firm.third[1], firm.database):
        hit += burst(world, (firm.front, firm.worker), world.onset_s, took, ("dns",), 3, host=name)
    return fault(
        world, "dns-failure", world.onset_s + took, hit, also=("network-hiccup", "third-party")
    )
