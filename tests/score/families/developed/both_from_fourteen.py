"""Stock is read, reckoned with and written back; two hands do it at once and one is forgotten.

Nothing keeps versions of the rows. Each reservation notes what it found and what it left, so that
a chain can be read from its lines: where two begin at the same number, one of them is lost. In some
nights a count of the shelf notes later that it does not come out.

A person sees it by: for one article two lines milliseconds apart that start from the same number,
from two hosts; the next one goes on from the second's result as if the first had not been.
"""

from __future__ import annotations

from tests.score.families.acts import fault
from tests.score.truth import Entity, Truth
from tests.score.world import PIN_S, World


def inject(world: World) -> Truth:
    rng = world.rng
    stock = {rng.randint(4000, 4999): rng.randint(30, 90) for _ in range(rng.randint(5, 12))}
    at = rng.uniform(10, 60)
    hit: list[Entity] = []
    wrong: set[int] = set()
    end = min(PIN_S, world.onset_s + rng.uniform(200, 700))
    share, nearly = rng.uniform(0.15, 0.4), world.onset_s
    while at < end:
        article = rng.choice(list(stock))
        found = stock[article]
        if found < 12:
            stock[article] = _delivered(world, at, article, found)
        elif at >= world.onset_s and (not hit or rng.random() < share):
            hit.append(_both(world, at, article, stock))
            wrong.add(article)
            nearly = at
        else:
            _reserved(world, at, article, found, stock, rng.randint(1, 4))
        at += rng.uniform(3, 15)
    if rng.random() < 0.4:
        for article in sorted(wrong):
            words = f"shelf count differs sku={article} booked={stock[article]}"
            counted = stock[article] - rng.randint(1, 4)
            host = world.company.worker.hosts[0]
            world.log(end + 2, world.company.worker.name, host, f"{words} counted={counted}", 13)
    return fault(
        world,
        "lost-update",
        nearly + 5,
        hit,
        also=("overlapping-runs", "bad-data"),
        effect=len(hit) >= 2,
    )


def _reserved(
    world: World,
    at: float,
    article: int,
    found: int,
    stock: dict[int, int],
    taken: int,
    host: str = "",
) -> str:
    """One reservation's line, with what it found and what it left; returns the request's id."""
    front, rid = world.company.front, world.request_id()
    left = found - taken
    stock[article] = left
    where = host or world.rng.choice(front.hosts)
    words = f"reserved sku={article} qty={taken} on_hand {found} -> {left} request_id={rid}"
    world.log(at, front.name, where, words)
    told = {"method": "POST", "path": "/reservations", "rid": rid, "status": 201, "ms": 18}
    world.say(at + 0.004, front, "end", told, host=where)
    return rid


def _both(world: World, at: float, article: int, stock: dict[int, int]) -> Entity:
    """Two reservations that both start from what was there before either."""
    rng, found = world.rng, stock[article]
    one, other = rng.sample(world.company.front.hosts, 2)
    first, second = rng.sample(range(1, 5), 2)
    rids = (
        _reserved(world, at, article, found, stock, first, one),
        _reserved(world, at + rng.uniform(0.002, 0.06), article, found, stock, second, other),
    )
    return frozenset((f"sku:{article}", *(f"request:{rid}" for rid in rids)))


def _delivered(world: World, at: float, article: int, found: int) -> int:
    worker = world.company.worker
    words = f"goods received sku={article} qty=60 on_hand {found} -> {found + 60}"
    world.log(at, worker.name, world.rng.choice(worker.hosts), words)
    return found + 60
