"""A price is changed in the database; the cache beside it keeps the old one until it expires,
because the command that should have removed it timed out. Carts are priced with the old value.

A person sees it by: the recorded version with the old and the new price; readers that still say
the old one minutes after it; other tariffs, changed the same night, are read right at once.
"""

from __future__ import annotations

from tests.score.company import Service
from tests.score.families.acts import fault
from tests.score.families.watched import audited, row_names
from tests.score.truth import Entity, Truth
from tests.score.world import World

WORDS = (
    "priced basket_id={basket} tariff_id={tariff} price_cents={price} cache=hit",
    "Basket {basket} line {{tariffId: '{tariff}', priceCents: {price}, basketId: '{basket}'}}",
    'msg="quote" tariff_id={tariff} basket_id={basket} price_cents={price} src=redis',
    "PricingService : tariffId={tariff} basketId={basket} -> priceCents={price} (cached)",
)
KINDS = ("std", "flex", "green", "night", "family", "b2b")
READS = 45


def inject(world: World) -> Truth:
    rng, firm = world.rng, world.company
    reader, words = rng.choice(firm.backs), rng.choice(WORDS)
    tariffs = [f"{kind}-{rng.randint(2019, 2026)}-{n}" for n, kind in enumerate(KINDS * 4)]
    price = {tariff: rng.randint(9, 90) * 100 + 90 for tariff in tariffs}
    victims = rng.sample(tariffs, rng.randint(1, 3))
    right = [t for t in rng.sample(tariffs, 8) if t not in victims]
    changes = {t: rng.uniform(60, world.onset_s + 120) for t in right}
    changes |= {t: world.onset_s + 2 * place for place, t in enumerate(victims)}
    until = min(world.end_s - 20, world.onset_s + rng.uniform(300, 600))
    new = {t: price[t] + rng.choice((-200, 100, 300, 500)) for t in changes}
    for tariff, at in changes.items():
        pair = {"price_cents": (price[tariff], new[tariff])}
        audited(world, at, "tariffs", tariff, pair, "pricing-desk", host=firm.front.hosts[0])
        if tariff in victims:
            error = world.error(firm.front, "timeout", host="cache", port=6379)
            told = f"cache del tariff:{tariff} failed: {error}"
            world.log(at + 1.2, firm.front.name, firm.front.hosts[0], told, 13)
    stale: dict[str, set[str]] = {t: set() for t in victims}
    for tariff in tariffs:
        chosen = [
            rng.uniform(10, world.end_s - 3) for _ in range(READS if tariff in victims else 14)
        ]
        for at in sorted(chosen):
            old = at < (until if tariff in victims else changes.get(tariff, 1e9))
            shown = price[tariff] if old else new[tariff]
            basket = _priced(world, reader, words, at, tariff, shown)
            if tariff in victims and changes[tariff] + 2 < at < until:
                stale[tariff].add(basket)
    hit: list[Entity] = [
        row_names("tariffs", t) | {f"basket:{b}" for b in baskets} for t, baskets in stale.items()
    ]
    return fault(
        world,
        "stale-read",
        until,
        hit,
        also=("network-hiccup", "bad-data"),
        effect=all(len(baskets) >= 3 for baskets in stale.values()),
    )


def _priced(world: World, reader: Service, words: str, at: float, tariff: str, price: int) -> str:
    """A basket in which the tariff lies; returns the basket's id."""
    basket = f"{world.rng.getrandbits(44):011x}"
    told = words.format(basket=basket, tariff=tariff, price=price)
    world.log(at, reader.name, world.rng.choice(reader.hosts), told)
    return basket
