"""The broker answers nobody for some seconds; five services complain, pushes are in flight."""

from __future__ import annotations

from tests.score.families.acts import burst, failed_push, fault
from tests.score.healthy import write
from tests.score.truth import Truth
from tests.score.world import World


def inject(world: World) -> Truth:
    firm, rng = world.company, world.rng
    took = rng.uniform(2, 5)
    begin = world.onset_s
    phrases = rng.choice((("timeout", "closed"), ("closed", "refused"), ("timeout",)))
    struck = burst(world, firm.services, begin, took, phrases, rng.randint(2, 4))
    hit = [
        failed_push(
            world, begin + rng.uniform(0, took * 0.6), "timeout", rng.uniform(1, 2), executed=n
        )
        for n in (0, 0, 1)
    ]
    write(world, begin + took + 1)
    return fault(
        world,
        "network-hiccup",
        begin + took + 4,
        [*hit, *struck],
        also=("ambiguous-enqueue", "orphaned-record", "third-party"),
        effect=len(struck) >= 2 * len(firm.services),
    )
