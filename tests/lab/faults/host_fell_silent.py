"""One of two web hosts can no longer write its log; the balancer goes on sending it visitors."""

from __future__ import annotations

import itertools
import logging
import time

from tests.lab.faults.wrong import Wrong
from tests.lab.yard import Yard

HOSTS = ("web-1", "web-2")
VISITS, SPOKEN = 320, 100


def break_it(yard: Yard) -> Wrong:
    logs = {host: yard.service(host) for host in HOSTS}
    balancer = yard.service("balancer")
    for number, host in zip(range(VISITS), itertools.cycle(HOSTS), strict=False):
        if number == SPOKEN:
            logs["web-2"].handlers[0].close()
            logs["web-2"].handlers.clear()
            logs["web-2"].addHandler(logging.NullHandler())
        logs[host].info("GET /members/%s 200 request_id=v%04d", number, number)
        balancer.info("GET /members/%s 200 request_id=v%04d upstream=%s", number, number, host)
        time.sleep(0.1)
    return Wrong("blind-spot", ("web-2",))
