"""A look-alike of a hiccup: the path drops connections that have been silent for a while, and the
pool makes new ones before anybody is given them."""

from __future__ import annotations

import logging
import time
from urllib.parse import urlsplit

from psycopg_pool import ConnectionPool

from tests.lab.faults.wrong import Wrong
from tests.lab.proxy import Proxy
from tests.lab.yard import Yard

SILENT = ("network-hiccup", "connections-exhausted", "failover")
ROUNDS, VISITS = 6, 12


def break_it(yard: Yard) -> Wrong:
    parts, log = urlsplit(yard.postgresql.url), yard.service("catalog")
    library = logging.getLogger("psycopg.pool")
    library.addHandler(log.handlers[0])
    assert parts.hostname is not None
    assert parts.port is not None
    cut = 0
    with Proxy(parts.hostname, parts.port) as path:
        address = parts._replace(netloc=f"{parts.username}:{parts.password}@127.0.0.1:{path.port}")
        with ConnectionPool(
            address.geturl(), min_size=4, max_size=4, check=ConnectionPool.check_connection
        ) as pool:
            pool.wait()
            for number in range(ROUNDS * VISITS):
                with pool.connection() as connection:
                    connection.execute("SELECT count(*) FROM members")
                log.info("GET /items/%s 200 request_id=c%04d", number, number)
                if number % VISITS == VISITS - 1:
                    time.sleep(0.8)
                    cut += path.cut_idlest(0.5)
                time.sleep(0.05)
    library.removeHandler(log.handlers[0])
    assert cut == ROUNDS
    return Wrong("")
