"""The primary is gone for some seconds; then writers meet a node that only reads."""

from __future__ import annotations

from tests.score.families.acts import burst, fault
from tests.score.truth import Truth
from tests.score.world import World


def inject(world: World) -> Truth:
    firm, rng, at = world.company, world.rng, world.onset_s
    services = (firm.front, firm.worker, firm.backs[0])
    hit = burst(world, services, at, 1.5, ("db_closed",), 3)
    starting = "the database system is starting up"
    hit += burst(world, services, at + 2, 4, ("sql",), 3, message=starting)
    refused = "cannot execute INSERT in a read-only transaction"
    hit += burst(world, services, at + 6, rng.uniform(8, 20), ("sql",), 5, message=refused)
    if rng.random() < 0.6:
        words = "received promote request␊selected new timeline ID: 7␊archive recovery complete"
        for n, line in enumerate(words.split("␊")):
            world.database_log(at + 4 + 0.2 * n, 1, line)
        world.database_log(at + 5, 1, "database system is ready to accept connections")
    also = ("network-hiccup", "connections-exhausted", "stale-read")
    return fault(world, "failover", at + 30, hit, also=also)
