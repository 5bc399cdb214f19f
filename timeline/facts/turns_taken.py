"""Whether two versions that name one value before them may simply have taken turns at a column.

Where a column goes back and forth, equal values are different versions: a write that brought the
value back may be stamped outside the two although it happened between them, since their clocks are
only known to so much. No clock is needed to see it: all versions nearby, each a step from one value
to the next, stand in some order in which every step begins where the one before it ended. If the
stamps and what is known of the clocks allow such an order, every writer read what the last had
left. A number that the database gives its versions decides the order, whatever the stamps say.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

import polars as pl

from timeline.clock import is_one_clock
from timeline.facts.versions import details_of

if TYPE_CHECKING:
    from timeline.incident import Incident

MOST_STEPS = 12
"""Versions of one column nearby whose orders are looked through; of more, the nearest."""
MOST_TRIES = 5_000
"""Places in an order that are tried; a pair for which that is not enough is left as it is told."""
NOUGHT, BACK, TURNS = "", "back", "turns"
"""What the versions nearby say: nothing, that the value was there more than once, or that an order
without a break is allowed."""


@dataclass(frozen=True, slots=True)
class Step:
    """One version of one column; the instants between which it was written, ns UTC, by `clock`."""

    row: int
    at: int
    earliest: int
    latest: int
    clock: str
    old: str
    new: str


def turns(incident: Incident, changes: pl.DataFrame, pairs: pl.DataFrame) -> pl.Series:
    """`NOUGHT`, `BACK` or `TURNS` for each of `pairs` (`chain`, `column`, `old`, `row`, `row_1`,
    `timestamp`, `timestamp_1`), of all `changes` (CHANGE_SCHEMA) of their rows."""
    found: list[str] = []
    held = changes.join(pairs.select("chain", "column").unique(), on=["chain", "column"])
    by_column = {
        (int(chain), str(column)): part
        for (chain, column), part in held.partition_by(
            "chain", "column", as_dict=True, maintain_order=True
        ).items()
    }
    for pair in pairs.iter_rows(named=True):
        part = by_column[pair["chain"], pair["column"]]
        found.append(_told(incident, part, pair))
    return pl.Series("turns", found, dtype=pl.String)


def _told(incident: Incident, changes: pl.DataFrame, pair: Mapping[str, int | str]) -> str:
    if changes.height < 3 or not (changes.get_column("new") == pair["old"]).any():
        return NOUGHT  # nobody ever set it back: the common case
    steps = _steps(incident, changes)
    one, two = (next(s for s in steps if s.row == pair[name]) for name in ("row_1", "row"))
    near = [
        step
        for step in steps
        if step.earliest <= max(one.latest, two.latest)
        and step.latest >= min(one.earliest, two.earliest)
    ]
    near = sorted(near, key=lambda step: abs(step.at - one.at))[:MOST_STEPS]
    numbers = _numbers(incident, near)
    if numbers:
        near.sort(key=lambda step: numbers[step.row])
        follow = all(earlier.new == later.old for earlier, later in pairwise(near))
        return TURNS if follow else NOUGHT
    if len(near) > 2 and _in_some_order(near):
        return TURNS
    return BACK if one.latest >= two.earliest and not _one_clock(one, two) else NOUGHT


def _steps(incident: Incident, changes: pl.DataFrame) -> list[Step]:
    events = incident.snapshot.events
    rows = changes.get_column("row")
    clocks, sources = (
        events.get_column(name).gather(rows).cast(pl.String).to_list()
        for name in ("clock", "source")
    )
    steps: list[Step] = []
    told = changes.select("row", "timestamp", "old", "new").iter_rows()
    for (row, at, old, new), clock, source in zip(told, clocks, sources, strict=True):
        name = clock or source or ""
        bound = incident.clocks.bound(name)
        steps.append(Step(row, at, at - bound.behind, at + bound.ahead, name, old, new))
    return steps


def _numbers(incident: Incident, steps: Sequence[Step]) -> dict[int, int]:
    """The database's own number of every version, by row; empty unless all have one."""
    rows = pl.Series([step.row for step in steps], dtype=pl.UInt32)
    told = details_of(incident, rows).select("row", "number").iter_rows()
    numbers = {row: int(number) for row, number in told if number.isdigit()}
    several = len(set(numbers.values())) == len(steps)
    return numbers if several else {}


def _one_clock(one: Step, two: Step) -> bool:
    return one.clock == two.clock and is_one_clock(one.clock)


def _surely_before(one: Step, two: Step) -> bool:
    return one.at < two.at if _one_clock(one, two) else one.latest < two.earliest


def _in_some_order(steps: Sequence[Step]) -> bool:
    """Whether all of `steps` can stand in an order that the clocks allow and nothing breaks."""
    tries = 0

    def goes_on(value: str | None, left: frozenset[int]) -> bool:
        nonlocal tries
        if not left:
            return True
        for place in sorted(left):
            tries += 1
            if tries > MOST_TRIES:
                return False
            step, others = steps[place], left - {place}
            if value is not None and step.old != value:
                continue
            if any(_surely_before(steps[other], step) for other in others):
                continue
            if goes_on(step.new, others):
                return True
        return False

    return goes_on(None, frozenset(range(len(steps))))
