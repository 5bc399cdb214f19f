"""A job asks a standby that is minutes behind. It finds fewer rows than the primary had by then;
when it is repeated an hour (here: minutes) later, the same question gives the right number.

Told by the jobs' own numbers, the standby's replay position in its own log, and the rows. A person
sees it by: the rows' times against the number that was read; the standby saying to which time it
has replayed; runs before the onset whose number agrees with the rows.
"""

from __future__ import annotations

from tests.score.families.acts import fault
from tests.score.families.watched import beside, clock_words
from tests.score.truth import Entity, Truth
from tests.score.world import World
from timeline.event import Kind


def inject(world: World) -> Truth:
    rng, firm = world.rng, world.company
    stamps = sorted(
        event.timestamp
        for event, _ in world.told
        if event.kind is Kind.ROW_INSERTED and event.actor == firm.table
    )
    standby = rng.choice(("replica-2.internal", "pg-standby-b", "reader-1.db.svc"))
    until = min(world.end_s - 30, world.onset_s + rng.uniform(300, 700))
    paused, at, wrong, missed = world.onset_s - 30, rng.uniform(20, 40), 0, list[Entity]()
    while at < world.end_s - 5:
        behind = world.onset_s <= at < until
        replayed = paused if behind else at - 1.4
        word = (
            f"replay position 0/{int(7e7 + replayed * 900):08X}, last completed transaction was at"
        )
        beside(world, at - 1, "postgresql-standby",
               f"{word} log time {clock_words(world.at(replayed))}", host=standby)  # fmt: skip
        seen = sum(stamp < world.at(replayed) for stamp in stamps)
        there = sum(stamp < world.at(at) for stamp in stamps)
        wrong += seen < there - 2
        words = (
            f"export of {firm.table} from {standby}: rows={seen} since {clock_words(world.start)}"
        )
        world.log(at, "exporter", "exporter-0", words)
        at += rng.uniform(55, 75)
    if wrong:
        low, high = world.at(paused), world.at(until - 60)
        gone = [e for e, _ in world.told if e.kind is Kind.ROW_INSERTED and e.actor == firm.table]
        missed = [frozenset(e.keys) for e in gone if low <= e.timestamp < high]
    return fault(
        world,
        "stale-read",
        until,
        missed,
        effect=wrong >= 2 and len(missed) >= 3,
    )
