"""Two exports hold both connections of a service's pool; everybody else waits, and gives up."""

from __future__ import annotations

import threading
import time

from psycopg_pool import ConnectionPool, PoolTimeout

from tests.lab.faults.wrong import Wrong
from tests.lab.yard import Yard

CLIENTS, SIZE, WAITS_S = 4, 2, 1.0
WELL_S, EXPORT_S = 4.0, 6
EXPORT = f"SELECT count(*), pg_sleep({EXPORT_S}) FROM members"


def break_it(yard: Yard) -> Wrong:
    log, done = yard.service("catalog"), threading.Event()
    address, refused = yard.postgresql.url, list[int]()
    with ConnectionPool(address, min_size=SIZE, max_size=SIZE, timeout=WAITS_S) as pool:

        def ask(path: str, request: str, statement: str) -> None:
            try:
                with pool.connection() as connection:
                    connection.execute(statement.encode())
                log.info("GET %s 200 request_id=%s", path, request)
            except PoolTimeout as error:
                refused.append(1)
                log.error("GET %s 500 request_id=%s: %s", path, request, error)

        def visit(client: int) -> None:
            number = 0
            while not done.wait(0.1):
                number += 1
                ask(f"/items/{number}", f"c{client}-{number:04}", "SELECT count(*) FROM members")

        words = [(f"/export/{n}", f"e{n}-0001", EXPORT) for n in range(SIZE)]
        threads = [threading.Thread(target=visit, args=(n,)) for n in range(CLIENTS)]
        for thread in threads:
            thread.start()
        time.sleep(WELL_S)
        exports = [threading.Thread(target=ask, args=one) for one in words]
        for thread in exports:
            thread.start()
        for thread in exports:
            thread.join(EXPORT_S + 10)
        time.sleep(2)
        done.set()
        for thread in threads:
            thread.join(10)
    assert len(refused) > 2 * CLIENTS
    return Wrong("connections-exhausted", ("catalog",))
