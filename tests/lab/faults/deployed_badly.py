"""A release renames a column in the code, and its migration was never run: every search fails.

Commit and tag are in a real checkout; the service says its version when it starts.
"""

from __future__ import annotations

import threading

import psycopg

from tests.lab.faults.releases import Checkout
from tests.lab.faults.wrong import Wrong
from tests.lab.yard import Yard

COLUMN = {"1.8.2": "name", "1.9.0": "full_name"}
GOOD, BAD = 60, 30
"""Searches in either release: the requests tell that it turned, however fast they come."""


def break_it(yard: Yard) -> Wrong:
    checkout = Checkout(yard)
    checkout.release("1.8.2")
    version, done = ["1.8.2"], threading.Event()
    log, found, failed = yard.service("search"), list[int](), list[str]()

    def serve() -> None:
        number = 0
        with yard.connected("search") as connection:
            while not done.wait(0.05):
                number += 1
                try:
                    connection.execute(
                        f"SELECT id FROM members WHERE {COLUMN[version[0]]} LIKE 'm%'"
                    )
                    log.info("GET /search 200 request_id=q%04d", number)
                    found.append(number)
                except psycopg.Error as error:
                    failed.append(str(error))
                    log.error("GET /search 500 request_id=q%04d: %s", number, error)
                connection.rollback()

    log.info("search 1.8.2 started")
    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    yard.until(lambda: len(found) >= GOOD, "searches go well")
    checkout.release("1.9.0")
    log.info("search 1.9.0 started")
    version[0] = "1.9.0"
    yard.until(lambda: len(failed) >= BAD, "searches fail")
    done.set()
    thread.join(10)
    return Wrong("change-before", (), frozenset(("deploy-skew",)))
