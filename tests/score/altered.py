"""The same night told in another way: alterations under which no detector may say more.

Nothing that was there is lost: no stamp, no key, no word. None of them knows what is looked for.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

import polars as pl

import tests.score.world
from tests.score.company import Service
from tests.score.wording import STYLES
from tests.score.world import World
from timeline.batch import Batch
from timeline.clock import ClockTable
from timeline.columns import frame_from
from timeline.incident import Incident
from timeline.store import Snapshot, Store, time_order

PIECES = 5
"""Batches in which the events of one source come, whatever their time."""
VISITORS = 200
"""Requests of the strangers: a line at the beginning of each and one at its end."""


def arrived_otherwise(incident: Incident, rng: random.Random) -> Incident:
    """The same events, come in another order and in other pieces, the sources the other way round.

    The last is what no arrival can do: rows get other numbers, and what two sources tell of the
    same instant stands the other way round in the total order.
    """
    held = incident.snapshot
    events = held.events_at(range(held.events.height))
    rng.shuffle(events)
    store = Store()
    for source in rng.sample(held.sources, len(held.sources)):
        mine = [event for event in events if event.source == source]
        for piece in (mine[place::PIECES] for place in range(PIECES)):
            if piece:
                store.add(Batch(source, *frame_from(piece)))
    turned = _sources_turned(store.snapshot())
    return replace(incident, snapshot=replace(turned, coverage=held.coverage))


def _sources_turned(snapshot: Snapshot) -> Snapshot:
    """The same rows, the blocks of the sources in the opposite order."""
    numbered = snapshot.events.with_row_index("old")
    turned = numbered.sort(pl.col("source").cast(pl.String), descending=True, maintain_order=True)
    places = turned.select(row="old").with_row_index("new")
    keys = snapshot.keys.join(places, on="row", maintain_order="left").select(row="new", key="key")
    events = turned.drop("old")
    return replace(
        snapshot,
        events=events,
        keys=keys.sort("row", maintain_order=True),
        order=time_order(events),
    )


def add_strangers(world: World) -> tuple[str, ...]:
    """Lets two services speak that have nothing to do with the others; returns their names.

    They serve visitors of their own, without a hitch, from the first minute to the last.
    """
    rng = random.Random(f"{world.seed}/strangers")
    names = ("kiosk", "tannoy")
    style = rng.choice(sorted(STYLES))
    for name in names:
        service = Service(name, (f"{name}-a1", f"{name}-b2"), style)
        for _ in range(VISITORS // len(names)):
            at, took = rng.uniform(0, world.end_s - 1), rng.uniform(0.01, 0.2)
            told = {"method": "GET", "path": "/panel", "rid": f"{rng.getrandbits(48):012x}"}
            host = world.say(at, service, "begin", told, host=rng.choice(service.hosts))
            told |= {"status": "200", "ms": str(int(took * 1000))}
            world.say(at + took, service, "end", told, host=host)
    return names


@contextmanager
def all_nights_later(by: int) -> Iterator[None]:
    """Worlds that are drawn inside the block begin `by` ns later; all else is as it was.

    Every clock, every stored time and every schedule moves along, so a schedule that was told by
    the hour of the day is another one.
    """
    night = tests.score.world.NIGHT
    tests.score.world.NIGHT = night + by
    try:
        yield
    finally:
        tests.score.world.NIGHT = night


def trusting_clocks_less(incident: Incident, by: int) -> Incident:
    """The same incident where every clock is known `by` ns worse on either side."""
    known = incident.clocks
    bounds = {name: bound.widened(by) for name, bound in known.bounds.items()}
    return incident.with_clocks(ClockTable(bounds, known.assumed.widened(by)))
