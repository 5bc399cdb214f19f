"""A look-alike of a herd: work held back on purpose is let go, and there is room for it."""

from __future__ import annotations

import time

from tests.lab.faults.wrong import Wrong
from tests.lab.yard import Yard

SILENT = ("resume-herd", "retry-storm", "connections-exhausted", "lost-worker")


def break_it(yard: Yard) -> Wrong:
    yard.start_worker("letters-1")
    with yard.sign_ups(every_s=0.2):
        time.sleep(4)
        yard.stop_worker("letters-1")
        time.sleep(5)
        for host in ("letters-2", "letters-3"):
            yard.start_worker(host)
        time.sleep(4)
    yard.drain()
    return Wrong("", (), frozenset(("backlog",)))
