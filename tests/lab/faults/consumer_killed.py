"""A consumer is killed with messages done and not acknowledged: RabbitMQ gives them out again."""

from __future__ import annotations

from tests.lab.faults.parcel_yard import Parcels
from tests.lab.faults.parcels import AT_ONCE
from tests.lab.faults.wrong import Wrong
from tests.lab.yard import Yard

MEMBERS = range(1, 31)
DONE = 2 * AT_ONCE + 3


def break_it(yard: Yard) -> Wrong:
    parcels = Parcels(yard)
    parcels.publish(MEMBERS)
    first = parcels.start("parcels-1", YARD_DIES_AT=str(DONE))
    yard.until(lambda: first.poll() is not None, "some are booked, and it is gone")
    parcels.start("parcels-2")
    yard.until(lambda: set(parcels.booked()) == set(MEMBERS), "all are booked")
    yard.until(parcels.given_out_again, "the broker's statistics tell of it")
    booked = parcels.booked()
    twice = [member for member in MEMBERS if booked.count(member) == 2]
    assert len(twice) == DONE % AT_ONCE, booked
    return Wrong(
        "delivered-again",
        tuple(f"member:{member}" for member in twice),
        frozenset(("lost-worker", "duplicate-create")),
    )
