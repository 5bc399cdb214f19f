"""Two writers read the same version of a record and each writes what it made of it.

The audit shows it: the second change starts from the value that the first had already replaced.
"""

from __future__ import annotations

from tests.score.families.acts import fault
from tests.score.families.versions import version
from tests.score.second_company.acts import served
from tests.score.second_company.elsewhere import Night, night, request_keys, settle
from tests.score.second_company.neighbours import neighbours
from tests.score.truth import Truth
from tests.score.world import Thing, World
from timeline.event import Kind


def prepare(world: World) -> None:
    settle(world)


def inject(world: World) -> Truth:
    here = night(world)
    neighbours(here)
    _orderly(here)
    at, things = here.onset_s, list[Thing]()
    for _ in range(here.rng.randint(1, 6)):
        things.append(_overwritten(here, at))
        at += here.rng.uniform(4, 40)
    here.close_the_books()
    told = [e.body for e, _ in here.told if e.kind is Kind.ROW_VERSION]
    twice = all(sum(thing.id in body for body in told) == 2 for thing in things)
    return fault(
        here,
        "lost-update",
        min(at + 5, here.end_s),
        things,
        also=("run-overlap", "overlapping-runs"),
        effect=twice,
    )


def _orderly(here: Night) -> None:
    """Records that are changed twice, each change made of the one before."""
    for _ in range(here.rng.randint(3, 9)):
        at = here.rng.uniform(60, here.onset_s - 100)
        thing, first = served(here, at).thing, here.rng.randint(10, 90)
        version(here, at + 5, thing, {"balance": (str(first), str(first + 7))}, "clerk-2")
        later = at + here.rng.uniform(6, 60)
        version(here, later, thing, {"balance": (str(first + 7), str(first + 1))}, "clerk-5")


def _overwritten(here: Night, at: float) -> Thing:
    rng, firm = here.rng, here.firm
    receipt = served(here, at - rng.uniform(60, 200))
    old, one, two = rng.randint(100, 900), rng.randint(1_000, 1_900), rng.randint(2_000, 2_900)
    column = rng.choice(("balance", "seats_left", "total_cents"))
    writers = rng.sample(("checkout", "nightly-recount", "support-desk", "import"), 2)
    first, second = here.request_id(), here.request_id()
    gap = rng.uniform(0.02, 1.4)
    for begun, rid in ((at - 0.2, first), (at - 0.15, second)):
        path = f"/{firm.table}/{receipt.thing}"
        told = {"method": "PUT", "path": path, "rid": rid, "status": 200, "ms": 300}
        host = here.say(begun, firm.front, "begin", told)
        here.say(begun + gap + 0.4, firm.front, "end", told, host=host)
    version(here, at, receipt.thing, {column: (str(old), str(one))}, writers[0], first)
    version(here, at + gap, receipt.thing, {column: (str(old), str(two))}, writers[1], second)
    found = here.entity(receipt.thing, receipt.rid)
    found.keys |= request_keys(first) | request_keys(second)
    return found
