"""A release gives the worker's containers another name, and the shipper's list of names does not
know it. The old ones stop in good order; of the new ones no line ever arrives. They do the work.

A person sees it by: the deployment; the last old host's farewell; no line of the service after it;
jobs begun and ended as before, by hosts that never speak.
"""

from __future__ import annotations

from tests.score.families.acts import fault
from tests.score.families.watched import drop_lines, in_one_store, said_by
from tests.score.queues import REMEMBERING
from tests.score.truth import Truth
from tests.score.world import World

BRANDS = REMEMBERING


def prepare(world: World) -> None:
    in_one_store(world)


def inject(world: World) -> Truth:
    rng, worker = world.rng, world.company.worker
    at = world.onset_s
    version = f"{rng.getrandbits(160):040x}"
    words = rng.choice(("helm upgrade {s} to chart 4.0.0", "deployed {s} {v} to production"))
    told = words.format(s=worker.name, v=version[:10])
    world.change(at - 30, told, worker.name, version=version, who="cd", status="success")
    low = world.at(at)
    drop_lines(world, lambda e, _: e.actor == worker.name and e.timestamp >= low)
    for place, host in enumerate(worker.hosts):
        world.say(at - 8 + 2 * place, worker, "stop", host=host)
    pods = [f"{worker.name}-v4-{rng.getrandbits(28):07x}" for _ in worker.hosts]
    runs = 0
    for attempt in (a for job in world.jobs for a in job.attempts):
        if attempt.started >= low:
            attempt.host = rng.choice(pods)
            attempt.worker = world.worker_on(attempt.host)
            runs += 1
    return fault(
        world,
        "blind-spot",
        world.end_s,
        also=("change-before",),
        effect=runs >= 15 and said_by(world, worker, at + 20, world.end_s) == 0,
    )
