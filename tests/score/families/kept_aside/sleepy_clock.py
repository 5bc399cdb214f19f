"""One machine comes back from a migration of its host with a clock that nobody corrects. All it
writes from then on is true but for the time that stands in front.

A person sees it by:
- requests that this machine began before their caller sent them, or after it had its answer;
- the same distance for every request of this machine, and none for those of its siblings;
- its time daemon, which found no source to follow.
"""

from __future__ import annotations

import re
from collections import defaultdict
from dataclasses import replace
from statistics import median

from tests.score.families.acts import fault
from tests.score.families.watched import beside
from tests.score.sixth_company.acts import close, told
from tests.score.sixth_company.company import Shift, settle, shift
from tests.score.truth import Truth
from tests.score.world import World
from timeline.event import Lane
from timeline.window import SECOND_NS

SETTLED = 6
"""So many pairs of lines show the distance."""
_BEGUN = re.compile(r"--> |\] Started |Matched route|event=request_started")
_REQUEST = re.compile(r'(?:^\[|request_id"?[:=]"?|reqId=|traceId=)([0-9A-Za-z-]{16,})')


def prepare(world: World) -> None:
    settle(world, ("solid-queue", "rabbitmq", "graphile-worker"), backs=(2, 3))


def inject(world: World) -> Truth:
    here = shift(world)
    rng = here.rng
    begun = _begun(here)
    back = max(here.company.backs, key=lambda service: len(begun[service.hosts[0]]))
    host = back.hosts[0]
    off = rng.choice((-1, -1, 1)) * rng.choice((1.8, 4.0, 11.0, 37.0, 71.0)) * rng.uniform(0.8, 1.2)
    low, moved = here.at(here.onset_s), round(off * 1e6) * 1_000
    here.told = [
        (replace(e, timestamp=e.timestamp + moved // 1_000_000 * 1_000_000), by)
        if by == host and e.lane is Lane.LOG and e.timestamp >= low
        else (e, by)
        for e, by in here.told
    ]
    at = here.onset_s + 3
    pid = rng.randint(400, 900)
    beside(here, at + off, "chronyd", f"chronyd[{pid}]: Source 10.64.0.2 offline", 9, host)
    for _ in range(3):
        at += rng.uniform(20, 90)
        words = f"chronyd[{pid}]: Can't synchronise: no selectable sources"
        beside(here, at + off, "chronyd", words, 13, host)
    close(here)
    distances = _distances(here)
    agreed = (abs(d) < 1 for h in distances if h != host for d in distances[h])
    effect = len(distances[host]) >= SETTLED and abs(median(distances[host]) - off) < 1
    effect &= len(told(here, "no selectable sources")) > 0
    return fault(here, "clock-skew", here.end_s, effect=effect and all(agreed))


def _begun(here: Shift) -> dict[str, dict[str, int]]:
    """By host, the requests that it began, with the stamps, ns."""
    found: defaultdict[str, dict[str, int]] = defaultdict(dict)
    for event, by in here.told:
        named = _REQUEST.search(event.body) if _BEGUN.search(event.body) else None
        if named is not None:
            found[by].setdefault(named[1], event.timestamp)
    return found


def _distances(here: Shift) -> dict[str, list[float]]:
    """By host, seconds from a caller's beginning to its own, of all requests after the onset."""
    begun, late = _begun(here), here.at(here.onset_s)
    asked = {rid: at for host in here.company.front.hosts for rid, at in begun[host].items()}
    found: defaultdict[str, list[float]] = defaultdict(list)
    for service in here.company.backs:
        for host in service.hosts:
            for rid, stamp in begun[host].items():
                if asked.get(rid, 0) > late:
                    found[host].append((stamp - asked[rid]) / SECOND_NS)
    return found
