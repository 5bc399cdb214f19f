"""A nightly run takes its advisory lock and hangs; its session stays. The runs after it wait for
the lock, each for as long as it is allowed to."""

from __future__ import annotations

import time

import psycopg

from tests.lab.faults.wrong import Wrong
from tests.lab.yard import Yard

LOCK, RUNS, WAITS = 7_741, 5, "1500ms"


def break_it(yard: Yard) -> Wrong:
    log = yard.service("nightly")
    hung = yard.keep(psycopg.connect(yard.postgresql.url, application_name="nightly"))
    hung.autocommit = True
    hung.execute("SELECT pg_advisory_lock(%s)", (LOCK,))
    log.info("run=1 begins")
    refused = 0
    for run in range(2, RUNS + 2):
        time.sleep(0.5)
        try:
            with yard.connected("nightly") as connection:
                connection.execute(f"SET lock_timeout = '{WAITS}'".encode())
                connection.execute("SELECT pg_advisory_lock(%s)", (LOCK,))
        except psycopg.Error as error:
            refused += 1
            log.error("run=%s did not begin: %s", run, error)
    assert refused == RUNS
    return Wrong("lock-queue", (str(hung.info.backend_pid),))
