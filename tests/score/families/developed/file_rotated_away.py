"""The worker's file was rotated by size a few minutes ago and the old one was not kept: its lines
begin long after the trouble did. The queue knows that the worker worked all the time.

A person sees it by: the source's own statement that its file begins late; no line of the worker
before that; dozens of jobs that this worker ran before it.
"""

from __future__ import annotations

from tests.score.families.acts import fault
from tests.score.families.watched import clock_words, drop_lines, in_files, seen_only
from tests.score.queues import REMEMBERING
from tests.score.truth import Truth
from tests.score.world import PIN_S, World

BRANDS = REMEMBERING


def prepare(world: World) -> None:
    in_files(world)


def inject(world: World) -> Truth:
    rng, worker = world.rng, world.company.worker
    begins = PIN_S - rng.uniform(45, 280)
    high, source = world.at(begins), f"{worker.name}-log"
    lost = drop_lines(world, lambda e, _: e.source == source and e.timestamp < high)
    stamps = [e.timestamp for e, _ in world.told if e.source == source]
    first = (min(stamps, default=high) - world.start) / 1e9
    reason = f"{worker.name}.log begins {clock_words(world.at(first))}"
    seen_only(world, source, 0, first, reason, "add its older, rotated files if there are any")
    runs = sum(a.started < world.at(first) for job in world.jobs for a in job.attempts)
    return fault(
        world,
        "blind-spot",
        first,
        onset_s=0.0,
        effect=bool(stamps) and lost >= 50 and runs >= 25,
    )
