"""Two transfers lock the same two members in opposite order; PostgreSQL cancels one of them."""

from __future__ import annotations

import threading

import psycopg

from tests.lab.faults.wrong import Wrong
from tests.lab.yard import Yard


def break_it(yard: Yard) -> Wrong:
    yard.run("INSERT INTO members (name) VALUES ('ann'), ('bob')")
    log, meet = yard.service("transfers"), threading.Barrier(2)

    def transfer(first: int, second: int) -> None:
        try:
            with yard.connected("transfers") as connection:
                sql = "UPDATE members SET points = points + 1 WHERE id = %s"
                connection.execute(sql, (first,))
                meet.wait(5)
                connection.execute(sql, (second,))
        except psycopg.Error as error:
            log.error("transfer member_id=%s failed: %s", first, error)
        else:
            log.info("transfer member_id=%s done", first)

    threads = [threading.Thread(target=transfer, args=pair) for pair in ((1, 2), (2, 1))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(10)
    said = (yard.logs / "transfers.log").read_text()
    assert said.count("deadlock detected") == 1, said
    return Wrong("deadlock", ("members",))
