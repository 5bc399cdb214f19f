"""The log shipper of the workers dies; they go on working, as their queue and their rows show."""

from __future__ import annotations

from tests.score.families.acts import fault, mute
from tests.score.second_company.elsewhere import KEEPING, night, settle
from tests.score.second_company.neighbours import neighbours
from tests.score.truth import Truth
from tests.score.world import World
from timeline.event import Lane

AT_LEAST = 5
"""Lines that are missing and rows that were written meanwhile, for a silence worth the name."""


def prepare(world: World) -> None:
    settle(world, KEEPING, workers=(1, 3))


def inject(world: World) -> Truth:
    here = night(world)
    neighbours(here)
    worker = here.firm.worker
    ended = here.rng.choice((here.end_s, here.end_s, here.onset_s + here.rng.uniform(240, 420)))
    if here.rng.random() < 0.5:
        here.expected = tuple(service.name for service in here.firm.services)
    missing = mute(here, worker.hosts, here.onset_s, ended)
    rows = here.told_text(here.onset_s, ended, Lane.DATABASE)
    written = sum(body.startswith(f"{here.firm.effects}/") for body in rows)
    left = [e for e, host in here.told if host in worker.hosts and e.lane is Lane.LOG]
    silent = not any(here.at(here.onset_s) <= e.timestamp < here.at(ended) for e in left)
    return fault(
        here,
        "blind-spot",
        ended,
        effect=missing >= AT_LEAST and written >= AT_LEAST and silent and bool(left),
    )
