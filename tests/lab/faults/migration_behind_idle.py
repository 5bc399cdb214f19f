"""A migration queues behind a transaction somebody left open, and every reader behind it."""

from __future__ import annotations

import threading
import time

import psycopg

from tests.lab.faults.wrong import Wrong
from tests.lab.yard import Yard

STOOD_S = 6.0


def break_it(yard: Yard) -> Wrong:
    yard.run("INSERT INTO members (name) VALUES ('ann'), ('bob')")
    log, threads = yard.service("shop-window"), list[threading.Thread]()

    def run(application: str, statement: str) -> None:
        try:
            with yard.connected(application) as connection:
                connection.execute(statement.encode())
        except psycopg.Error as error:
            log.error("%s: %s", application, error)

    with yard.connected("report") as report:
        report.execute("SELECT sum(points) FROM members")
        holder = report.info.backend_pid
        words = [("release", "ALTER TABLE members ADD COLUMN tier text")]
        words += [("shop-window", "SELECT count(*) FROM members")] * 5
        for application, statement in words:
            threads.append(threading.Thread(target=run, args=(application, statement)))
            threads[-1].start()
            time.sleep(0.1)
        time.sleep(STOOD_S)
    for thread in threads:
        thread.join(10)
    return Wrong("lock-queue", (str(holder),))
