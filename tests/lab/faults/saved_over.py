"""Two services change the points of one member, each from what it had read: one change is gone.

The table keeps its own history, as MariaDB's system-versioned tables do.
"""

from __future__ import annotations

import logging
import secrets
import threading
import time

from tests.lab.faults.account_table import table_of_accounts
from tests.lab.faults.mariadb_client import connected
from tests.lab.faults.wrong import Wrong
from tests.lab.yard import WITHIN_S, Yard

MEMBERS, HIT = 12, 7
THINKS_S = 0.6
LATER_S = 0.2
STAMP = "updated_at timestamp(6) NOT NULL DEFAULT now(6) ON UPDATE now(6)"


def break_it(yard: Yard) -> Wrong:
    server = table_of_accounts(yard, STAMP, range(1, MEMBERS + 1), 100, "WITH SYSTEM VERSIONING")
    shop, rewards = yard.service("shop"), yard.service("rewards")
    said = yard.logs / "shop.log"
    for account in range(1, MEMBERS + 1):
        both_read = threading.Barrier(2 if account == HIT else 1)
        earns = _change(shop, server.url, account, 30, both_read)
        if account == HIT:
            yard.until(lambda: f"accounts/{HIT} " in said.read_text(), "the first has read")
        else:
            earns.join()
        spends = _change(rewards, server.url, account, -20, both_read)
        spends.join()
        earns.join()
    with connected(server.url) as owner, owner.cursor() as cursor:
        cursor.execute("SELECT id FROM accounts WHERE points <> 110")
        assert [row[0] for row in cursor.fetchall()] == [HIT]
    return Wrong("lost-update", (f"account:{HIT}",))


def _change(
    log: logging.Logger, url: str, account: int, by: int, read: threading.Barrier
) -> threading.Thread:
    """What is earned is written down sooner than what is spent."""
    request, thinks_s = secrets.token_hex(8), THINKS_S if by > 0 else THINKS_S + LATER_S

    def work() -> None:
        with connected(url, autocommit=True) as connection, connection.cursor() as cursor:
            cursor.execute("SELECT points FROM accounts WHERE id = %s", (account,))
            (points,) = cursor.fetchone() or (0,)
            log.info("PATCH /accounts/%s request_id=%s points=%s", account, request, points)
            read.wait(WITHIN_S)
            time.sleep(thinks_s)
            cursor.execute("UPDATE accounts SET points = %s WHERE id = %s", (points + by, account))
        log.info("PATCH /accounts/%s 200 request_id=%s points=%s", account, request, points + by)

    thread = threading.Thread(target=work)
    thread.start()
    return thread
