"""The scheduler was started on a second host and the first not stopped: all work comes twice."""

from __future__ import annotations

import time

from tests.lab.faults.wrong import Wrong
from tests.lab.yard import Yard

EVERY_S = 2
ALONE_S, BOTH_S = 6.0, 12.0
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
    time.sleep(ALONE_S)
    yard.start_scheduler("cron-2", EVERY_S)
    time.sleep(BOTH_S)
    yard.drain()
    doubled = frozenset(("duplicate-enqueue", "overlapping-runs", "run-overlap"))
    return Wrong("extra-runs", ("tally",), doubled, before=f"{ALONE_S + BOTH_S:.0f}s")
