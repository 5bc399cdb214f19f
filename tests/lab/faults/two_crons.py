"""The scheduler was started on a second host and the first not stopped: all work comes twice."""

from __future__ import annotations

import time

from tests.lab.faults.wrong import Wrong
from tests.lab.yard import Yard

EVERY_S = 3
"""Long enough that on a busy machine the runs of one turn are over before the next."""
ALONE, BOTH = 3, 6
"""Turns of the first scheduler alone, and of the second one beside it."""
SCHEDULE = f"""
[env.yard.schedules.tally]
every = "{EVERY_S}s"
job_class = "tally"
tolerance = "1s"
"""


def break_it(yard: Yard) -> Wrong:
    yard.configure(SCHEDULE)
    yard.start_worker("letters-1")
    yard.start_worker("letters-2")
    yard.start_scheduler("cron-1", EVERY_S)
    yard.until(lambda: _turns(yard, "cron-1"), "a first turn")
    first = time.monotonic()
    yard.until(lambda: _turns(yard, "cron-1") >= ALONE, "some turns of one scheduler")
    yard.start_scheduler("cron-2", EVERY_S)
    yard.until(lambda: _turns(yard, "cron-2") >= BOTH, "some turns of both", 40)
    yard.drain()
    doubled = frozenset(("duplicate-enqueue", "overlapping-runs", "run-overlap"))
    since = f"{time.monotonic() - first + 0.5:.1f}s"
    return Wrong("extra-runs", ("tally",), doubled, before=since)


def _turns(yard: Yard, host: str) -> int:
    return (yard.logs / f"{host}.log").read_text().count("Enqueued job tally")
