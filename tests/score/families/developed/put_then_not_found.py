"""Clients create with PUT and read at once. Reads go to another pool than writes; for some minutes
that pool answers 404 for what was created a moment ago, and finds it seconds later.

Only the proxy's access log and the rows tell it. A person sees it by: 201 for a path, 404 for the
same path within a second or two, 200 for it a little later; nothing was deleted; every 404 of the
kind came from the pool of readers; before that the same pair of calls was 201 and 200.
"""

from __future__ import annotations

from dataclasses import dataclass

from tests.score.families.acts import fault, lines
from tests.score.families.watched import accessed, row_names
from tests.score.fourth_company.company import Shift, relocate, shift
from tests.score.fourth_company.neighbours import surround
from tests.score.truth import Entity, Truth
from tests.score.world import World

UPSTREAMS = (
    ' "{pool}" {host}:8080',
    " {pool}/{host} 0/0/1/{ms}/{ms} ----",
    " upstream={pool}@{host}",
)
TABLE = "drafts"
"""Nothing but the row is made of them: no job, no mail."""


@dataclass(frozen=True)
class _Pools:
    writes: str
    reads: str
    form: str


def prepare(world: World) -> None:
    relocate(world)


def inject(world: World) -> Truth:
    night, rng = shift(world), world.rng
    surround(night)
    who = rng.choice(("haproxy", "edge-nginx", "traefik"))
    name = TABLE
    pools = _Pools(*rng.choice(((f"{name}-rw", f"{name}-ro"), (f"be_{name}", f"be_{name}_read"))),
                   rng.choice(UPSTREAMS))  # fmt: skip
    until = min(night.onset_s + rng.uniform(200, 500), night.end_s - 15)
    share, at, hit = rng.choice((0.15, 0.35, 0.7)), 10.0, list[Entity]()
    while at < night.end_s - 15:
        late = night.onset_s <= at < until and (rng.random() < share or not hit)
        thing = _created(night, who, pools, at, late)
        hit += [row_names(name, thing)] * late
        at += rng.uniform(2.5, 9)
    night.samples()
    return fault(
        night,
        "stale-read",
        until,
        hit,
        effect=len(hit) >= 3 and lines(night, '" 404 ', until) < len(hit),
    )


def _created(night: Shift, who: str, pools: _Pools, at: float, late: bool) -> str:
    """PUT, then GET, and if it was not there, GET again and again until it is."""
    rng, thing = night.rng, night.new_id()
    path = f"/api/{TABLE}/{thing}"
    night.row(at + 0.01, TABLE, thing, columns={"state": "draft"}, commit=at + 0.02)
    _call(night, who, pools.writes, f"PUT {path}", 201, at, pools.form)
    seconds = at + rng.uniform(0.2, 1.1)
    if late:
        behind = rng.uniform(2.5, 9)
        while seconds < at + behind:
            _call(night, who, pools.reads, f"GET {path}", 404, seconds, pools.form)
            seconds += rng.uniform(1, 2.5)
    if seconds < night.end_s - 1:
        _call(night, who, pools.reads, f"GET {path}", 200, seconds, pools.form)
    return thing


def _call(
    night: Shift, who: str, pool: str, request: str, status: int, at: float, form: str
) -> None:
    took = night.rng.uniform(0.004, 0.05)
    host = f"{pool}-{night.rng.randint(1, 3)}"
    more = form.format(pool=pool, host=host, ms=int(took * 1000))
    accessed(night, at, who, request, status, took, more)
