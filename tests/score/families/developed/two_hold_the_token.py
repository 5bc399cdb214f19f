"""A singleton moves from instance to instance; its gauge says which one is at work. For some
minutes two instances say so at the same time.

Nothing but metrics tells it. A person sees it by: at every sample of the night before, at most one
instance stood at 1; now two do, sample after sample, and the work counter of both climbs.
"""

from __future__ import annotations

from tests.score.families.acts import fault
from tests.score.families.watched import SCRAPE_S
from tests.score.truth import Truth
from tests.score.world import World

GAUGES = (
    ("compaction_in_progress", "compacted_segments_total", "compactor"),
    ("scheduler_leader", "scheduler_ticks_total", "scheduler"),
    ("billing_run_active", "billing_run_accounts_total", "billing-runner"),
    ("quartz_job_executing", "quartz_items_processed_total", "quartz"),
)


def inject(world: World) -> Truth:
    rng = world.rng
    gauge, counter, job = rng.choice(GAUGES)
    instances = [f"{job}-{n}.{job}:9102" for n in range(rng.randint(2, 4))]
    until = min(world.onset_s + rng.uniform(150, 400), world.end_s)
    spans = _turns(world, instances)
    first = next((i for i, a, b in spans if a <= world.onset_s < b), instances[0])
    second = next(i for i in instances if i != first)
    spans = [(i, a, min(b, world.onset_s)) for i, a, b in spans if a < world.onset_s]
    spans += [(first, world.onset_s - 1, until + 60), (second, world.onset_s, until)]
    for instance in instances:
        mine = [(a, b) for i, a, b in spans if i == instance]
        labels = {"job": job, "instance": instance}
        on, total = [], 1000.0 * rng.randint(1, 90)
        counted = []
        for n in range(int(world.end_s // SCRAPE_S)):
            at = SCRAPE_S * n
            busy = any(a <= at < b for a, b in mine)
            total += rng.randint(3, 40) if busy else 0
            on.append((at, float(busy)))
            counted.append((at, total))
        world.curve(gauge, labels, on)
        world.curve(counter, labels, counted)
    return fault(
        world,
        "overlapping-runs",
        until,
        alternates=("run-overlap",),
        also=("extra-runs",),
        effect=until - world.onset_s > 6 * SCRAPE_S,
    )


def _turns(world: World, instances: list[str]) -> list[tuple[str, float, float]]:
    """Who had it when: one after the other, with a pause of a scrape or two between."""
    found: list[tuple[str, float, float]] = []
    at = world.rng.uniform(0, 60)
    while at < world.end_s:
        took = world.rng.uniform(120, 420)
        others = [i for i in instances if not found or i != found[-1][0]]
        found.append((world.rng.choice(others), at, at + took))
        at += took + world.rng.uniform(20, 90)
    return found
