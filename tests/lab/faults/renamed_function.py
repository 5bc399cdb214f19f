"""A release renames a job's function. The workers have it, the service that asks for the work still
says the old name: nothing that it puts on the queue can be loaded."""

from __future__ import annotations

import time

from tests.lab.faults.releases import Checkout
from tests.lab.faults.wrong import Wrong
from tests.lab.yard import Yard

BEFORE_S, AFTER_S = 6.0, 6.0


def break_it(yard: Yard) -> Wrong:
    checkout = Checkout(yard, "letters")
    checkout.release("1.8.2")
    yard.start_worker("letters-1", YARD_RELEASE="1.8.2")
    with yard.sign_ups(job="send_letter"):
        time.sleep(BEFORE_S)
        checkout.release("1.9.0")
        yard.stop_worker("letters-1")
        yard.start_worker("letters-2", YARD_RELEASE="1.9.0")
        time.sleep(AFTER_S)
    yard.drain()
    assert yard.queue().failed_job_registry.count > 10
    return Wrong("deploy-skew", ("send_letter",), frozenset(("change-before",)))
