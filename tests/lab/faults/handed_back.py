"""A look-alike of work done twice: a consumer is stopped in good order, and what it had taken and
not begun is given to another one."""

from __future__ import annotations

import signal

from tests.lab.faults.parcel_yard import Parcels
from tests.lab.faults.wrong import Wrong
from tests.lab.yard import Yard

SILENT = ("lost-worker", "duplicate-create", "overlapping-runs")
"""That messages were given out again is true, and the broker says so: nobody may say more."""
MEMBERS = range(1, 31)
DONE = 12


def break_it(yard: Yard) -> Wrong:
    parcels = Parcels(yard)
    parcels.publish(MEMBERS)
    first = parcels.start("parcels-1")
    yard.until(lambda: len(parcels.booked()) >= DONE, "some are booked")
    first.send_signal(signal.SIGTERM)
    parcels.start("parcels-2")
    yard.until(lambda: len(parcels.booked()) == len(MEMBERS), "all are booked")
    assert sorted(parcels.booked()) == list(MEMBERS)
    return Wrong("")
