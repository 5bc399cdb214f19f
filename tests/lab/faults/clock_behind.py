"""The clock of one worker's host runs 1.8 s behind: its jobs begin before they were pushed.

Debian's faketime moves the clock of the real worker process; nothing else is touched.
"""

from __future__ import annotations

import time

from tests.lab.faults.wrong import Wrong
from tests.lab.yard import Yard
from tests.servers.faketime import clock_off_by

BEHIND_S = 1.8
BUSY_S = 6.0
HOST = "letters-1"


def break_it(yard: Yard) -> Wrong:
    yard.start_worker(HOST, **clock_off_by(-BEHIND_S))
    with yard.sign_ups():
        time.sleep(BUSY_S)
    yard.drain()
    return Wrong("clock-skew", (HOST,))
