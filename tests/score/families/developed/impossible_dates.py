"""A form takes the day for the month. Records end before they begin, a query the team asks every
night finds them, and the jobs that compute with them fail."""

from __future__ import annotations

from dataclasses import replace

from tests.score.families.acts import fault
from tests.score.fourth_company.acts import asked, deployed
from tests.score.fourth_company.brands import QUEUES
from tests.score.fourth_company.company import relocate, shift
from tests.score.fourth_company.neighbours import surround
from tests.score.truth import Truth
from tests.score.world import World
from timeline.knowledge import SanityAnswer

SHOWN = 5


def prepare(world: World) -> None:
    relocate(world, QUEUES)


def inject(world: World) -> Truth:
    night, rng = shift(world), world.rng
    surround(night)
    firm, onset = night.house, night.onset_s
    blamed = rng.random() < 0.6
    if blamed:
        deployed(night, onset - rng.uniform(10, 100), firm.front)
    crashes = rng.random() < 0.6
    hit = []
    for place in range(rng.randint(4, 26)):
        at = onset if not place else rng.uniform(onset, night.end_s - 20)
        columns = {"starts_on": "2026-04-02", "ends_on": "2026-02-28"}
        thing, job = asked(night, at, columns=columns)
        start = at + rng.uniform(0.1, 0.9)
        if crashes:
            error = f"negative duration (-33 days) for {firm.thing} {thing.id}"
            night.run(job, start, 0.04, "failed", error)
        else:
            night.run(job, start, 0.3)
        hit.append(thing)
    answer = SanityAnswer(
        f"{firm.table} that end before they begin",
        "ends_on < starts_on",
        "database",
        rows=len(hit),
        keys=tuple(f"{firm.thing}:{thing.id}" for thing in hit),
        sample=tuple(f"{thing.id} 2026-04-02 2026-02-28" for thing in hit[:SHOWN]),
        asked_at=night.at(night.now_s),
    )
    night.knowledge = replace(night.knowledge, sanity=(*night.knowledge.sanity, answer))
    night.samples()
    also = ["orphaned-record"]
    also += ["change-before"] if blamed else []
    also += ["poison-job"] if crashes else []
    return fault(night, "bad-data", night.end_s, hit, also=also)
