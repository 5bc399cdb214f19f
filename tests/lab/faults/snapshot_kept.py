"""A worker keeps one connection and never ends its transaction: under MariaDB's REPEATABLE READ its
tasks do not find what was committed after its first look, though each was asked for after that."""

from __future__ import annotations

import secrets
import time

from tests.lab.faults.account_table import accounts_of, add
from tests.lab.faults.celery_jobs import client
from tests.lab.faults.celery_yard import start_worker
from tests.lab.faults.mariadb_client import connected
from tests.lab.faults.wrong import Wrong
from tests.lab.yard import Yard

OLD, NEW = range(1, 9), range(9, 17)
SOURCE = """
[env.yard.sources.cards]
connector = "celery"
url = "{redis}"
"""


def break_it(yard: Yard) -> Wrong:
    yard.configure(SOURCE)
    server = accounts_of(yard, OLD)
    start_worker(yard, "cards-1", YARD_ACCOUNTS=server.url)
    log, failed = yard.service("shop"), 0
    with (
        connected(server.url, autocommit=True) as writer,
        client(yard.redis.url) as shop,
    ):
        for account in (*OLD, *NEW):
            request = secrets.token_hex(8)
            if account in NEW:
                add(writer, account)
                log.info("POST /accounts 201 request_id=%s account_id=%s", request, account)
                time.sleep(0.2)
            job = shop.send_task("charges.dispatch", kwargs={"account_id": account})
            log.info("card asked for account_id=%s job_id=%s", account, job.id)
            yard.until(job.ready, "the task has ended")
            failed += job.failed()
    assert failed == len(NEW)
    # A race with the commit leaves the same rows: it may be named, as possible and no more.
    return Wrong("stale-read", (f"account:{NEW[0]}", f"account:{NEW[-1]}"))
