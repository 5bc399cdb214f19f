"""A hold on the seats is one transaction, the payment another; the process dies in between.

A booking takes a hold, calls the payment service and then writes the payment and turns the hold
into a ticket, or releases it. The node on one host is ended by the kernel for its memory while
some customers are being charged: their holds stay as they are, with no payment and no ticket, and
nothing sweeps them.

A person sees it by: holds that still say `held` where all others say `ticketed` or `released`;
no payment row that refers to them; their requests, which begin on one host and never end; the
kernel's line about that host's process, and its start again.
"""

from __future__ import annotations

from tests.score.families.acts import fault
from tests.score.families.shopfloor import row_keys
from tests.score.families.watched import in_files
from tests.score.truth import Entity, Truth
from tests.score.world import World
from timeline.event import Kind

HOLDS, PAYMENTS = "seat_holds", "payments"


def prepare(world: World) -> None:
    in_files(world)


def inject(world: World) -> Truth:
    rng, firm = world.rng, world.company
    died, up = world.onset_s, world.onset_s + rng.uniform(4, 15)
    victim = firm.front.hosts[0]
    number = rng.randint(30_000, 600_000)
    stuck = rng.randint(3, 14)
    moments = [rng.uniform(10, world.end_s - 20) for _ in range(rng.randint(120, 300))]
    moments = [at for at in moments if not died - 4 < at < died]
    hit: list[Entity] = []
    for at in sorted([*moments, *(died - rng.uniform(0.1, 2.5) for _ in range(stuck))]):
        number += rng.randint(1, 2)
        host = rng.choice(firm.front.hosts)
        if died - 4 < at < died:
            hit.append(_taken(world, at, number, victim, "held")[0])
        elif host != victim or not died <= at < up:
            _finished(world, at, number, host)
    words = f"Out of memory: Killed process {rng.randint(800, 30000)} ({firm.front.name}) "
    words += f"total-vm:{rng.randint(3, 9)}194304kB, anon-rss:{rng.randint(2, 3)}071232kB"
    world.log(died, "kernel", victim, words, 17, source="journal")
    told = {"service": firm.front.name, "version": "4.11.0", "n": 9}
    world.say(up, firm.front, "boot", told, host=victim)
    return fault(
        world,
        "orphaned-record",
        died + 1,
        hit,
        also=("memory-leak", "lost-worker"),
        effect=len(hit) == stuck and _left_held(world) == stuck,
        onset_s=died - 2.5,
    )


def _taken(world: World, at: float, number: int, host: str, state: str) -> tuple[Entity, str]:
    """The request begins and the hold is committed; `state` is what it is now.

    Returns what names it, and the request.
    """
    firm, rid = world.company, world.request_id()
    told = {"method": "POST", "path": "/bookings", "rid": rid}
    world.say(at, firm.front, "begin", told, host=host)
    world.row(at + 0.02, HOLDS, str(number), columns={"state": state})
    words = f"seat_hold_id={number} taken, charging request_id={rid}"
    world.log(at + 0.03, firm.front.name, host, words)
    return row_keys(HOLDS, str(number)) | {f"seat_hold:{number}", f"request:{rid}"}, rid


def _finished(world: World, at: float, number: int, host: str) -> None:
    """A booking that comes to its end: a ticket, or the card was declined and it is released."""
    firm, rng = world.company, world.rng
    ticket = rng.random() < 0.9
    state = "ticketed" if ticket else "released"
    _, rid = _taken(world, at, number, host, state)
    took = rng.uniform(0.3, 2.4)
    if ticket:
        payment = {"seat_hold_id": number, "state": "captured"}
        world.row(at + took - 0.03, PAYMENTS, str(number + 900_000), columns=payment)
    columns = {"state": state}
    world.row(at + took - 0.02, HOLDS, str(number), kind=Kind.ROW_UPDATED, columns=columns)
    told = {"method": "POST", "path": "/bookings", "rid": rid}
    status = 201 if ticket else 402
    end = {**told, "status": status, "ms": int(took * 1000)}
    world.say(at + took, firm.front, "end", end, host=host)


def _left_held(world: World) -> int:
    """Holds that are held now."""
    return sum(event.actor == HOLDS and "state=held" in event.body for event, _ in world.told)
