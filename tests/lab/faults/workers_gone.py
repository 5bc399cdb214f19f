"""The only worker is stopped and business goes on: the queue fills, and nobody takes from it."""

from __future__ import annotations

import time

from tests.lab.faults.wrong import Wrong
from tests.lab.yard import QUEUE, Yard

BEFORE_S, STOOD_S = 5.0, 8.0


def break_it(yard: Yard) -> Wrong:
    yard.start_worker("letters-1")
    with yard.sign_ups(every_s=0.1):
        time.sleep(BEFORE_S)
        yard.stop_worker("letters-1")
        time.sleep(STOOD_S)
    assert yard.queue().count > 30
    return Wrong("backlog", (QUEUE,))
