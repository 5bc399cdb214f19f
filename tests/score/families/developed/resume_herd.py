"""Workers are resumed on a full queue; all of it starts at once and the database gives way."""

from __future__ import annotations

from tests.score.families.acts import burst, fault
from tests.score.queues import REMEMBERING, Attempt
from tests.score.truth import Truth
from tests.score.world import World

BRANDS = REMEMBERING


def prepare(world: World) -> None:
    world.paused = (world.onset_s - 300, world.onset_s)


def inject(world: World) -> Truth:
    firm, rng = world.company, world.rng
    resumed = world.onset_s
    world.change(resumed - 300, f"workers of {firm.queue} paused", who="on-call")
    world.change(resumed, f"workers of {firm.queue} resumed", who="on-call")
    count = 0
    for _ in range(240):
        thing, host = world.new_id(), rng.choice(firm.worker.hosts)
        job = world.push(resumed - rng.uniform(1, 290), thing, firm.front.hosts[0])
        begun = resumed + rng.uniform(0.2, 20)
        ended = world.at(begun + rng.uniform(1, 6))
        job.attempts.append(
            Attempt(world.at(begun), ended, "finished", world.worker_on(host), host)
        )
        count += 1
    burst(world, (firm.front, firm.worker), resumed + 6, 25, ("pool",), 12)
    also = ("connections-exhausted", "change-before", "backlog", "network-hiccup")
    return fault(world, "resume-herd", resumed + 60, also=also, effect=count > 100)
