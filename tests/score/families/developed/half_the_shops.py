"""A night's work over all shops is split over consumers; one of them takes nothing.

Its share, by the remainder of the number or by the region, is never tried. The coordinator counts
what it handed out and says that it is done.
"""

from __future__ import annotations

from dataclasses import replace

from tests.score.families.acts import fault, lines
from tests.score.second_company.elsewhere import night, settle
from tests.score.second_company.neighbours import neighbours
from tests.score.truth import Truth
from tests.score.world import World
from timeline.knowledge import ExpectedSet, Work


def prepare(world: World) -> None:
    settle(world, workers=(2, 8))


def inject(world: World) -> Truth:
    here = night(world)
    neighbours(here)
    rng, worker = here.rng, here.firm.worker
    noun = rng.choice(("shop", "clinic", "school", "depot"))
    count, first = rng.randint(24, 160), rng.randint(1_000, 40_000)
    parts = rng.choice((2, 3, 4))
    absent = rng.randrange(parts)
    line = rng.choice(("day closed", "ledger sealed", "stock counted"))
    run = f"n{rng.randint(100, 999)}"
    numbers = [first + n for n in range(count)]
    missing = [n for n in numbers if n % parts == absent]
    begin = here.onset_s
    start = f"{run}: handing out {count} {noun}s to {parts} consumers batch_id={run}"
    here.line(begin, worker, start, host=worker.hosts[0])
    pace, at = min(1.5, 280 / count), begin + 0.5
    for number in numbers:
        if number in missing:
            continue
        at += rng.uniform(0.3, 1.0) * pace
        here.line(at, worker, f"{line} {noun}_id={number} batch_id={run}")
    here.line(at + 1, worker, f"{run}: done, {count} handed out batch_id={run}")
    expected = ExpectedSet(
        f"every open {noun} is closed at night",
        Work(log=line),
        tuple(f"{noun}:{number}" for number in numbers),
        asked_at=here.at(here.now_s),
    )
    known = (*here.knowledge.expected, expected)
    here.knowledge = replace(here.knowledge, expected=known)
    here.close_the_books()
    told = lines(here, f"{line} {noun}_id=")
    untouched = not any(lines(here, f"{line} {noun}_id={n} ") for n in missing)
    return fault(
        here,
        "partial-batch",
        here.end_s,
        [frozenset((f"{noun}:{number}",)) for number in missing],
        effect=told == count - len(missing) > 0 and untouched and bool(missing),
    )
