"""A kind of error that was never seen begins to be said."""

from __future__ import annotations

from tests.score.families.acts import fault, lines
from tests.score.truth import Truth
from tests.score.world import World
from timeline.event import SEVERITY_ERROR


def inject(world: World) -> Truth:
    firm, rng = world.company, world.rng
    service = rng.choice((firm.front, *firm.backs, firm.worker))
    what = rng.choice(("ledger out of balance by {n} cents", "checksum of part {n} does not match"))
    for n in range(rng.randint(5, 14)):
        at = world.onset_s + n * rng.uniform(3, 25)
        words = f"invariant violated: {what.format(n=rng.randint(2, 9000))}"
        world.log(at, service.name, rng.choice(service.hosts), words, SEVERITY_ERROR)
    effect = lines(world, "invariant violated") >= 5
    return fault(
        world, "novel-template", world.onset_s + 360, alternates=("rate-change",), effect=effect
    )
