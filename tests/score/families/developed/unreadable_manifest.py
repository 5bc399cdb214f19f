"""An agency's export holds a character no parser takes. The jobs about it fail the same way each
time, are given out again and again, and everything else on the queue goes through."""

from __future__ import annotations

from tests.score.families.acts import fault
from tests.score.fourth_company.acts import UNREADABLE, asked
from tests.score.fourth_company.brands import COUNTING, QUEUES
from tests.score.fourth_company.company import relocate, shift
from tests.score.fourth_company.neighbours import surround
from tests.score.truth import Truth
from tests.score.world import World


def prepare(world: World) -> None:
    relocate(world, QUEUES, workers=(2, 6))


def inject(world: World) -> Truth:
    night, rng = shift(world), world.rng
    surround(night)
    error = UNREADABLE[night.house.worker.style_name]
    hit, runs = [], 0
    limit, exponential = rng.randint(7, 22), rng.random() < 0.4
    for _ in range(rng.choice((1, 1, 2, 3))):
        columns = {"channel": "agency", "lines": rng.randint(15, 80)}
        at = night.onset_s + rng.uniform(0.0, 3.0)
        thing, job = asked(night, at, columns=columns)
        hit.append(thing)
        at += rng.uniform(0.1, 0.8)
        for place in range(limit):
            took = rng.uniform(0.02, 0.2)
            if at + took > night.end_s:
                break
            last = place == limit - 1
            night.run(job, at, took, "dead" if last else "retried", error)
            runs += 1
            pause = 2.2 ** (place + 1) if exponential else rng.uniform(24, 33)
            at += took + min(pause, 150.0) * rng.uniform(0.95, 1.1)
    night.samples()
    again = ("delivered-again",) if night.brand.name in COUNTING else ()
    return fault(
        night,
        "poison-job",
        night.end_s,
        hit,
        also=("bad-data", "orphaned-record", *again),
        effect=runs >= 4 * len(hit),
    )
