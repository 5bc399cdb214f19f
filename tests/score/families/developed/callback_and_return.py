"""The payment provider's callback and the customer's browser arrive in the same instant.

Both handlers look for a payment with the provider's reference, find none and create one. There is
no unique constraint. Usually the callback comes seconds before or after the browser; for some
customers both come within a few hundredths of a second, to two hosts.

A person sees it by: two rows of one table with the same provider reference, written within tenths
of a second, where every other reference has one; the requests on two paths at that instant; and
later `get() returned more than one` when somebody opens such a payment.
"""

from __future__ import annotations

from collections import Counter

from tests.score.families.acts import fault, lines
from tests.score.families.shopfloor import row_keys
from tests.score.truth import Entity, Truth
from tests.score.world import World

TABLE = "settlements"
MANY = "shop.models.Settlement.MultipleObjectsReturned: get() returned more than one Settlement"


def inject(world: World) -> Truth:
    rng = world.rng
    world_number = rng.randint(500_000, 800_000)
    hit: list[Entity] = []
    struck = sorted(world.onset_s + rng.uniform(0, 90) for _ in range(rng.randint(3, 9)))
    struck[0] = world.onset_s
    calm = [rng.uniform(6, world.end_s - 40) for _ in range(rng.randint(90, 220))]
    for place, at in enumerate(sorted([*calm, *struck])):
        reference = f"pi_{rng.getrandbits(80):020x}"
        number = str(world_number + place * 2)
        both = at in struck
        gap = rng.uniform(0.004, 0.04) if both else rng.uniform(1.5, 9)
        first = _arrives(world, at, "/webhooks/payments", reference, number)
        if not both:
            _arrives(world, at + gap, "/checkout/return", reference, "")
            continue
        other = str(world_number + place * 2 + 1)
        second = _arrives(world, at + gap, "/checkout/return", reference, other)
        hit.append(first | second)
        if rng.random() < 0.5 or len(hit) == 1:
            _opened(world, at + rng.uniform(20, 120), reference)
    rows = Counter(
        event.body.partition("reference=")[2].rstrip(")").partition(",")[0]
        for event, _ in world.told
        if event.actor == TABLE
    )
    return fault(
        world,
        "duplicate-create",
        struck[-1] + 1,
        hit,
        effect=sum(count == 2 for count in rows.values()) == len(struck) and lines(world, MANY) > 0,
    )


def _arrives(world: World, at: float, path: str, reference: str, number: str) -> Entity:
    """A request about a payment; with a `number` it creates its row."""
    firm, rid = world.company, world.request_id()
    told = {"method": "POST" if "web" in path else "GET", "path": path, "rid": rid}
    host = world.say(at, firm.front, "begin", told)
    if number:
        columns = {"reference": reference, "state": "paid"}
        world.row(at + 0.012, TABLE, number, columns=columns, commit=at + 0.05)
    status, ms = (201, 61) if number else (302, 9)
    end = {**told, "status": status, "ms": ms}
    world.say(at + ms / 1000, firm.front, "end", end, host=host)
    keys = row_keys(TABLE, number) if number else frozenset[str]()
    return keys | {f"request:{rid}"}


def _opened(world: World, at: float, reference: str) -> None:
    """Somebody opens the payment."""
    if at > world.end_s - 2:
        return
    firm = world.company
    host = world.rng.choice(firm.front.hosts)
    words = f"Internal Server Error: /settlements/{reference} {MANY} -- it returned 2!"
    world.log(at, firm.front.name, host, words, 17)
