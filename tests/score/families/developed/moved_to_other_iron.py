"""A machine of one service was paused while it moved to another host; since then its clock is off.

Whatever it writes stands some seconds beside the truth, by the same amount each time. It says
nothing of it itself, and no time service complains: it simply asks nobody any more.

A person sees it by: requests that this machine and the front both wrote of, under one id. The
machine begins before the front has been asked, or is still at work when the front has answered;
what it took is as ever; its siblings, and it itself before the move, lie inside as they should.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import replace

from tests.score.families.acts import fault
from tests.score.seventh_company.acts import opened
from tests.score.seventh_company.utility import Shift, move_in
from tests.score.truth import Truth
from tests.score.world import World
from timeline.event import Lane
from timeline.window import SECOND_NS

NEEDED = 8
"""Requests of which a person can point at the contradiction."""


def prepare(world: World) -> None:
    move_in(world)


def inject(world: World) -> Truth:
    here = opened(world)
    rng, firm = here.rng, here.utility
    service = rng.choice(firm.backs)
    host = rng.choice(service.hosts)
    at = rng.uniform(3, 12)
    while at < here.end_s - 3:
        _looked_up(here, at)
        at += rng.expovariate(1 / 7)
    off = rng.choice((-1, 1)) * rng.uniform(0.9, 11)
    recorded = rng.random() < 0.3
    if recorded:
        here.change(here.onset_s - 2, f"live migration of {host} to esx-{rng.randint(11, 29)} done")
    before = _outside(here, service.name, host)
    since = here.at(here.onset_s)
    here.told = [
        (replace(event, timestamp=event.timestamp + round(off * 1000) * 1_000_000), by)
        if by == host and event.timestamp >= since and event.lane is Lane.LOG
        else (event, by)
        for event, by in here.told
    ]
    return fault(
        here,
        "clock-skew",
        here.end_s,
        also=("change-before",) if recorded else (),
        effect=before == 0 and _outside(here, service.name, host) >= NEEDED,
    )


def _looked_up(here: Shift, seconds: float) -> None:
    """One page for which the front asks one of its services."""
    rng, firm = here.rng, here.utility
    back, took = rng.choice(firm.backs), rng.uniform(0.02, 0.3)
    told: dict[str, object] = {
        "method": "GET",
        "path": f"/{firm.table}/{here.new_id()}",
        "rid": here.request_id(),
    }
    host = here.say(seconds, firm.front, "begin", told)
    there = here.say(seconds + took * 0.1, back, "begin", told)
    done = {**told, "status": 200, "ms": int(took * 700)}
    here.say(seconds + took * 0.8, back, "end", done, host=there)
    here.say(seconds + took, firm.front, "end", {**done, "ms": int(took * 1000)}, host=host)


def _outside(here: Shift, service: str, host: str) -> int:
    """Requests of which `host` speaks outside the front's own lines by more than half a second."""
    own: defaultdict[str, list[int]] = defaultdict(list)
    asked: defaultdict[str, list[int]] = defaultdict(list)
    for event, by in here.told:
        if event.lane is Lane.LOG and by == host and event.actor == service:
            for word in _ids(event.body):
                own[word].append(event.timestamp)
        elif event.lane is Lane.LOG and event.actor == here.utility.front.name:
            for word in _ids(event.body):
                asked[word].append(event.timestamp)
    slack = SECOND_NS // 2
    return sum(
        min(own[name]) < min(asked[name]) - slack or max(own[name]) > max(asked[name]) + slack
        for name in own.keys() & asked.keys()
    )


def _ids(body: str) -> list[str]:
    """Words long enough to be the id of a request."""
    words = body.replace('"', " ").replace("=", " ").replace("}", " ").split()
    return [word for word in words if len(word) >= 32]
