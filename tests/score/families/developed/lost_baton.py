"""A message that puts itself back on the queue is received once more and not put back."""

from __future__ import annotations

from tests.score.families.acts import fault
from tests.score.families.batons import HOP_S, hop
from tests.score.queues import REMEMBERING
from tests.score.truth import Truth
from tests.score.world import World

BRANDS = REMEMBERING


def inject(world: World) -> Truth:
    job_class = world.rng.choice(("RunAllBackups", "backup.all", "nightly-backup"))
    at, job_id, last = 70.0, world.new_job_id(), ""
    while at < world.onset_s:
        following = world.new_job_id()
        late = at + HOP_S >= world.onset_s
        last = hop(world, at, job_class, "2026-02-04", job_id, "" if late else following).id
        at, job_id = at + HOP_S * world.rng.uniform(0.98, 1.02), following
    entity = frozenset((f"job:{last}",))
    return fault(world, "missed-run", world.end_s, [entity], onset_s=at - HOP_S * 1.1)
