"""What is read is a projection of what was written. The projector falls behind; readers decide on
a revision that was already overwritten.

No row is seen, the event store is not connected: writers and readers say the revision they handle.
A person sees it by: `revision` of one thing written, and read lower after that; the projector's
position staying behind the head; before the onset every read had the newest revision.
"""

from __future__ import annotations

from tests.score.company import Service
from tests.score.families.acts import fault
from tests.score.second_company.elsewhere import Night, night, settle
from tests.score.second_company.neighbours import neighbours
from tests.score.truth import Entity, Truth
from tests.score.world import World

WRITES = (
    "appended {event} stream={thing}-{id} {thing}_id={id} revision={n}",
    'event stored type={event} {thing}_id="{id}" revision={n}',
    "{event} committed {{{thing}Id: '{id}', revision: {n}}}",
)
READS = (
    "loaded {thing}_id={id} revision={n} from read model, {decision}",
    'view {thing}_id="{id}" revision={n} decision={decision}',
    "{decision} {{{thing}Id: '{id}', revision: {n}}}",
)
EVENTS = ("AddressChanged", "Cancelled", "PriceAgreed", "Released", "OwnerChanged")
DECISIONS = ("pick list printed", "reminder chosen", "courier assigned", "fee computed")


def prepare(world: World) -> None:
    settle(world)


def inject(world: World) -> Truth:
    here = night(world)
    neighbours(here)
    rng, firm = here.rng, here.firm
    writer, reader = rng.sample(firm.backs, 2)
    form = rng.randrange(len(WRITES))
    until = min(here.end_s - 30, here.onset_s + rng.uniform(240, 600))
    _projector(here, reader, until)
    at, hit = 12.0, list[Entity]()
    while at < here.end_s - 60:
        thing, n = here.new_id(), rng.randint(2, 9)
        behind = here.onset_s <= at < until - 30 and (rng.random() < 0.6 or not hit)
        told = {"thing": firm.thing, "id": thing, "event": rng.choice(EVENTS)}
        here.line(at, writer, WRITES[form].format(**told, n=n))
        again = at + rng.uniform(3, 20)
        here.line(again, writer, WRITES[form].format(**told, n=n + 1))
        seen = again + rng.uniform(4, 25) if behind else again + rng.uniform(3, 30)
        told["decision"] = rng.choice(DECISIONS)
        here.line(seen, reader, READS[form].format(**told, n=n if behind else n + 1))
        if behind:
            hit.append(here.entity(thing).keys)
        at += rng.uniform(4, 16)
    here.close_the_books()
    return fault(here, "stale-read", until, hit, effect=None if len(hit) >= 3 else False)


def _projector(here: Night, reader: Service, until: float) -> None:
    """Its own account of where it is, every half minute."""
    at, head, position = 5.0, 880_000, 880_000
    while at < here.end_s - 5:
        head += here.rng.randint(20, 60)
        behind = here.onset_s - 20 <= at < until
        position = position + here.rng.randint(1, 9) if behind else head
        here.line(at, reader, f"projection {here.firm.table} at position {position}, head {head}")
        at += 30
