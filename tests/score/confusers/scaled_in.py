"""One worker fewer for the small hours: a host that has ended its work says that it goes, and goes;
the others do its share."""

from __future__ import annotations

from tests.score.families.acts import mute
from tests.score.families.rota import taken_over
from tests.score.world import World

TERMS = ("lost-worker",)


def disturb(world: World) -> None:
    worker = world.company.worker
    host, at = worker.hosts[0], world.rng.uniform(900, 1_300)
    taken_over(world, host, at - 40, since=at - 3)
    world.say(at, worker, "stop", host=host)
    mute(world, [host], at + 0.5, 1e6)
