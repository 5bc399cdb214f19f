"""A look-alike of a guilty release: it is followed by nothing but business."""

from __future__ import annotations

import time

from tests.lab.faults.releases import Checkout
from tests.lab.faults.wrong import Wrong
from tests.lab.yard import Yard

SILENT = ("change-before", "deploy-skew", "blind-spot")


def break_it(yard: Yard) -> Wrong:
    checkout = Checkout(yard)
    checkout.release("1.8.2")
    log = yard.service("search")
    yard.start_worker("letters-1")
    with yard.sign_ups():
        for version in ("1.8.2", "1.9.0"):
            log.info("search %s started", version)
            for number in range(30):
                log.info("GET /search 200 request_id=%s%03d", version[2], number)
                time.sleep(0.1)
            if version == "1.8.2":
                checkout.release("1.9.0")
    yard.drain()
    return Wrong("")
