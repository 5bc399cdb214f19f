"""A worker's host stands still for longer than the lease of its task, and goes on afterwards.

The broker gives the task to the other worker meanwhile; the first one finishes what it had begun.
Real Celery on Redis; kombu 5.7 looks for leases that ran out when a worker begins and then only
every hundred seconds, so the other worker begins when this one has.
"""

from __future__ import annotations

import os
import signal
import time

import psycopg

from tests.lab.faults.celery_jobs import LEASE_S, client
from tests.lab.faults.celery_yard import start_worker
from tests.lab.faults.wrong import Wrong
from tests.lab.yard import Yard

MEMBERS, HIT = 4, 9_001
SOURCE = f"""
[env.yard.sources.charges]
connector = "celery"
url = "{{redis}}"
visibility_timeout_s = {LEASE_S}
"""


def break_it(yard: Yard) -> Wrong:
    yard.configure(SOURCE)
    first = start_worker(yard, "charges-1")
    with client(yard.redis.url) as web:
        for member in range(1, MEMBERS + 1):
            web.send_task("charges.charge", kwargs={"member_id": member})
        yard.until(lambda: _charged(yard) == MEMBERS, "the first are charged")
        job = web.send_task("charges.charge", kwargs={"member_id": HIT})
        said = yard.logs / "charges-1.log"
        yard.until(lambda: f"charging member_id={HIT}" in said.read_text(), "the charge begins")
        os.killpg(first.pid, signal.SIGSTOP)
        time.sleep(LEASE_S + 1)
        start_worker(yard, "charges-2")
        yard.until(lambda: _charged(yard, HIT) == 1, "the other worker charges", 30)
        os.killpg(first.pid, signal.SIGCONT)
        yard.until(lambda: _charged(yard, HIT) == 2, "the first one goes on")
    return Wrong("delivered-again", (str(job.id),), frozenset(("overlapping-runs",)))


def _charged(yard: Yard, *members: int) -> int:
    asked = "SELECT count(*) FROM letters" + (" WHERE member_id = %s" if members else "")
    with psycopg.connect(yard.postgresql.url) as connection:
        row = connection.execute(asked.encode(), members or None).fetchone()
    assert row is not None
    return int(row[0])
