"""A look-alike of a stuck worker: one letter takes long, is done once, and others pass it by."""

from __future__ import annotations

import time

from tests.lab.faults.wrong import Wrong
from tests.lab.yard import Yard

SILENT = ("delivered-again", "lost-worker", "poison-job", "overlapping-runs", "backlog")


MEMBER, TAKES_S = 9_000, 6.0
"""Nobody who signs up meanwhile."""


def break_it(yard: Yard) -> Wrong:
    for host in ("letters-1", "letters-2"):
        yard.start_worker(host)
    with yard.sign_ups():
        yard.queue().enqueue("tests.lab.faults.jobs.slow_letter", MEMBER, TAKES_S)
        time.sleep(TAKES_S + 2)
    yard.drain()
    return Wrong("")
