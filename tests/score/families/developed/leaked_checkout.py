"""An early return forgets to hand its connection back: one service runs out of them.

It is slow to begin with, then more and more of its requests fail until it is restarted.
"""

from __future__ import annotations

from tests.score.families.acts import fault
from tests.score.second_company.acts import failed_request
from tests.score.second_company.elsewhere import night, settle
from tests.score.second_company.neighbours import neighbours
from tests.score.truth import Entity, Truth
from tests.score.world import World


def prepare(world: World) -> None:
    settle(world)


def inject(world: World) -> Truth:
    here = night(world)
    neighbours(here)
    firm = here.firm
    leaky = here.rng.choice((firm.front, *firm.backs))
    took, hit = here.rng.uniform(120.0, 500.0), list[Entity]()
    ended = min(here.onset_s + took, here.end_s - 20)
    gap, at = here.rng.uniform(8.0, 15.0), here.onset_s
    while at < ended:
        hit.append(failed_request(here, at, leaky, here.error(leaky, "pool", n=len(hit) + 1)))
        gap = max(1.5, gap * 0.92)
        at += gap * here.rng.uniform(0.6, 1.4)
    size = here.rng.choice((8, 12, 16, 20))
    if here.rng.random() < 0.6:
        first = here.onset_s - 600
        labels = {"job": leaky.name, "pool": "main"}
        points = [
            (s, min(size, 2 + (s - first) / 600 * (size - 2)) if first < s < ended else 2)
            for s in (15.0 * n for n in range(int(here.end_s // 15)))
        ]
        here.curve("db_pool_in_use", labels, points)
        here.curve("db_pool_max", labels, ((s, size) for s, _ in points))
    for host in leaky.hosts:
        here.say(ended + 2, leaky, "stop", host=host)
        told = {"service": leaky.name, "version": "8c1f22d0", "n": 4}
        here.say(ended + 11, leaky, "boot", told, host=host)
    here.close_the_books()
    mark = here.error(leaky, "pool", n="")[:30]
    said = sum(mark in body for body in here.told_text(here.onset_s, ended))
    return fault(here, "connections-exhausted", ended, hit, effect=said >= len(hit) >= 8)
