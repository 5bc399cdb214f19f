"""A look-alike of work done twice: a shipper was restarted and sent the same lines again."""

from __future__ import annotations

import time

from tests.lab.faults.wrong import Wrong
from tests.lab.yard import Yard

SILENT = (
    "delivered-again",
    "duplicate-enqueue",
    "duplicate-create",
    "overlapping-runs",
    "re-press",
)


def break_it(yard: Yard) -> Wrong:
    yard.start_worker("letters-1")
    with yard.sign_ups():
        time.sleep(5)
    yard.drain()
    for name in ("web", "letters-1"):
        log = yard.logs / f"{name}.log"
        (yard.logs / f"{name}.again.log").write_bytes(log.read_bytes())
    return Wrong("")
