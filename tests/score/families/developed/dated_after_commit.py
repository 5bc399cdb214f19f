"""Rows of one worker bear a time of writing that lies seconds after their own commit.

The application dates its rows itself; the server notes when each transaction was committed. A
machine that came back from a suspended state is ahead. Its lines agree with its rows: both by the
same wrong clock.

A person sees it by: in the rows, a creation that is later than the commit, by the same span every
time, for all rows of one worker and for no other's; what the queue's server says of when that
worker's jobs ended, against the worker's own lines.
"""

from __future__ import annotations

import json
from dataclasses import replace

from connectors.queues.transitions import iso
from tests.score.families.acts import fault
from tests.score.families.clockwork import misdate, steady
from tests.score.fifth_company.deeds import spread
from tests.score.fifth_company.harbour import KEEPING, settle, watch
from tests.score.fifth_company.surroundings import surroundings
from tests.score.truth import Truth
from tests.score.world import World
from timeline.event import Event


def prepare(world: World) -> None:
    settle(world, KEEPING, workers=(3, 6))
    world.company = replace(world.company, commit_times=True)


def inject(world: World) -> Truth:
    night = watch(world)
    rng, since = night.rng, night.onset_s
    wrong, ahead = rng.choice(night.firm.worker.hosts), rng.uniform(2.0, 20.0)
    table = rng.choice(("ledger_lines", "outgoing_letters", "stock_moves", "audit_points"))
    for at in spread(night, 20, night.end_s - 25, rng.randint(160, 420)):
        host = rng.choice(night.firm.worker.hosts)
        columns = {"state": "booked", "written_by": host}
        number = night.new_id()
        night.row(
            at, table, number, columns=columns, commit=at + rng.uniform(0.004, 0.03), host=host
        )
        if rng.random() < 0.4:
            fields = {"row": number, "rows": 1}
            night.note(at + 0.02, night.firm.worker, f"{table} row written", fields, host=host)
    surroundings(night)
    night.close_the_books()
    misdate(night, wrong, since, steady(ahead))
    dated = [event for event, _ in night.told if event.actor == table and _too_late(event)]
    return fault(
        night,
        "clock-skew",
        night.end_s,
        effect=len(dated) >= 5 and all(wrong in event.body for event in dated),
    )


def _too_late(event: Event) -> bool:
    """Whether a row was created, by its own date, after it was committed."""
    commit = json.loads(event.attributes or "{}").get("commit_timestamp", "")
    return bool(commit) and iso(event.timestamp) > commit
