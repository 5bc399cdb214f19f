"""A consumer is killed with messages done and not acknowledged: RabbitMQ gives them out again."""

from __future__ import annotations

import os
import signal

from tests.lab.faults.parcel_yard import Parcels
from tests.lab.faults.parcels import AT_ONCE
from tests.lab.faults.wrong import Wrong
from tests.lab.yard import Yard

MEMBERS = range(1, 31)
DONE = 2 * AT_ONCE + 3
NOT_YET = "the broker only counts what it gives out again; the messages are not named with it"


def break_it(yard: Yard) -> Wrong:
    parcels = Parcels(yard)
    parcels.publish(MEMBERS)
    first = parcels.start("parcels-1")
    yard.until(lambda: len(parcels.booked()) >= DONE, "some are booked")
    os.killpg(first.pid, signal.SIGKILL)
    parcels.start("parcels-2")
    yard.until(lambda: set(parcels.booked()) == set(MEMBERS), "all are booked")
    booked = parcels.booked()
    twice = [member for member in MEMBERS if booked.count(member) == 2]
    assert 2 <= len(twice) < AT_ONCE, booked
    return Wrong(
        "delivered-again",
        tuple(f"member:{member}" for member in twice),
        frozenset(("lost-worker", "duplicate-create")),
    )
