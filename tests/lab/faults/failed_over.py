"""The primary is killed; its standby refuses writes for some seconds, then is promoted.

Clients have both addresses and try the standby when the primary is gone, as drivers do that do not
ask for a writable session.
"""

from __future__ import annotations

import threading
import time

import psycopg

from tests.lab.faults.wrong import Wrong
from tests.lab.yard import Yard
from tests.servers.standby import standby_of

READ_ONLY_S = 4.0


def break_it(yard: Yard) -> Wrong:
    log, done = yard.service("orders"), threading.Event()
    standby = yard.keep(standby_of(yard.postgresql))
    addresses, said = (yard.postgresql.url, standby.url), list[str]()

    def serve() -> None:
        number = 0
        while not done.wait(0.2):
            number += 1
            try:
                with _connected(*addresses) as connection:
                    connection.execute("INSERT INTO members (name) VALUES ('o')")
                log.info("POST /orders 201 request_id=o%04d", number)
            except psycopg.Error as error:
                said.append(str(error))
                log.error("POST /orders 500 request_id=o%04d: %s", number, error)

    thread = threading.Thread(target=serve)
    thread.start()
    time.sleep(3)
    yard.postgresql.kill()
    time.sleep(READ_ONLY_S)
    with psycopg.connect(standby.url, autocommit=True) as connection:
        connection.execute("SELECT pg_promote()")
    time.sleep(2)
    done.set()
    thread.join(10)
    assert sum("read-only transaction" in words for words in said) > 5, said
    yard.look_at_instead(standby)
    return Wrong("failover")


def _connected(*addresses: str) -> psycopg.Connection:
    for address in addresses[:-1]:
        try:
            return psycopg.connect(address, connect_timeout=2)
        except psycopg.OperationalError:
            continue
    return psycopg.connect(addresses[-1], connect_timeout=2)
