"""The name of another service stops resolving for a while."""

from __future__ import annotations

import time

import httpx

from tests.lab.faults.wrong import Wrong
from tests.lab.yard import Yard


def break_it(yard: Yard) -> Wrong:
    log, failed = yard.service("checkout"), 0
    for number in range(15):
        try:
            httpx.get("http://prices.shop.invalid/v1/quote", timeout=2)
        except httpx.HTTPError as error:
            failed += 1
            log.error("quote request_id=q%03d from prices.shop.invalid failed: %s", number, error)
        time.sleep(0.2)
    assert failed == 15
    return Wrong("dns-failure")
