"""A table that gets a row every minute or two gets none for three or more turns, then goes on.

The process that writes it stood by: its lease was held by a machine that was going away. Nobody
logs its turns; there are the rows, as they are now, and a line when somebody leads again.

A person sees it by: twelve or more rows equally far apart, a hole of several times that distance
with a row on either side, ordinary rows of other tables in between; the line of the new leader, or
the schedule that the team has written down.
"""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

from tests.score.families.acts import fault
from tests.score.families.rota import rows_of, seconds_of, ticks
from tests.score.truth import Truth
from tests.score.world import World
from timeline.knowledge import Schedule, Work
from timeline.window import SECOND_NS

_LEADS = (
    "successfully acquired lease apps/{table}-writer",
    "I1103 leaderelection.go:260] successfully acquired lease apps/{table}-writer",
    "became leader for {table} (term {n})",
    "ShedLock: locked '{table}', lock will be held at most until PT2M",
)


def inject(world: World) -> Truth:
    rng, firm = world.rng, world.company
    table = rng.choice(("reconciliations", "balance_snapshots", "fx_fixings", "meter_closings"))
    every = rng.choice((40.0, 60.0, 90.0))
    missed = rng.randint(3, 6)
    due = ticks(rng.uniform(2, every), world.end_s - 2, every)
    first = next(n for n, at in enumerate(due) if at >= world.onset_s)
    number = rng.randint(5_000, 90_000)
    for place, at in enumerate(due):
        if first <= place < first + missed:
            continue
        when = at + rng.uniform(0.02, 0.9)
        columns = {"state": "balanced", "difference": 0}
        world.row(when, table, str(number), columns=columns, host=firm.backs[0].hosts[0])
        number += 1
    back = first + missed
    resumed = back < len(due)
    if resumed and rng.random() < 0.6:
        words = rng.choice(_LEADS).format(table=table, n=rng.randint(4, 90))
        world.log(due[back] - 0.6, firm.backs[0].name, firm.backs[0].hosts[-1], words)
    if rng.random() < 0.5:
        schedule = Schedule(
            table, Work(table=table), every=int(every * SECOND_NS), tolerance=15 * SECOND_NS
        )
        world.knowledge = replace(world.knowledge, schedules=(*world.knowledge.schedules, schedule))
    told = seconds_of(world, (event.timestamp for event in rows_of(world, table)))
    hole = max((b - a for a, b in pairwise(told)), default=0.0)
    return fault(
        world,
        "missed-run",
        due[back] if resumed else world.end_s,
        onset_s=due[first],
        effect=first >= 10 and (hole > every * missed or not resumed),
    )
