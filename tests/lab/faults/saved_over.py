"""Two services change the points of one member, each from what it had read: one change is gone.

The table keeps its own history, as MariaDB's system-versioned tables do.
"""

from __future__ import annotations

import logging
import secrets
import threading
import time
from urllib.parse import urlsplit

import pymysql

from tests.lab.faults.wrong import Wrong
from tests.lab.yard import Yard
from tests.servers.mariadb import mariadb

MEMBERS, HIT = 12, 7
THINKS_S = 0.6


def break_it(yard: Yard) -> Wrong:
    server = yard.keep(mariadb())
    yard.configure(f"""
[keys.account]
table = "accounts"
fields = ["account_id"]

[env.yard.sources.loyalty]
connector = "mysql"
url = "{server.url}"
tables = [{{ name = "accounts", columns = ["id", "points", "updated_at"] }}]
""")
    with _connected(server.url) as owner, owner.cursor() as cursor:
        cursor.execute(
            "CREATE TABLE accounts (id int PRIMARY KEY, points int NOT NULL,"
            " updated_at timestamp(6) NOT NULL DEFAULT now(6) ON UPDATE now(6))"
            " WITH SYSTEM VERSIONING"
        )
        cursor.executemany(
            "INSERT INTO accounts (id, points) VALUES (%s, 100)",
            [(n,) for n in range(1, MEMBERS + 1)],
        )
    shop, rewards = yard.service("shop"), yard.service("rewards")
    for account in range(1, MEMBERS + 1):
        earns = _change(shop, server.url, account, 30)
        if account == HIT:
            time.sleep(THINKS_S / 3)
        else:
            earns.join()
        spends = _change(rewards, server.url, account, -20)
        spends.join()
        earns.join()
    with _connected(server.url) as owner, owner.cursor() as cursor:
        cursor.execute("SELECT id FROM accounts WHERE points <> 110")
        assert [row[0] for row in cursor.fetchall()] == [HIT]
    return Wrong("lost-update", (f"account:{HIT}",))


def _change(log: logging.Logger, url: str, account: int, by: int) -> threading.Thread:
    request = secrets.token_hex(8)

    def work() -> None:
        with _connected(url) as connection, connection.cursor() as cursor:
            cursor.execute("SELECT points FROM accounts WHERE id = %s", (account,))
            (points,) = cursor.fetchone() or (0,)
            log.info("PATCH /accounts/%s request_id=%s points=%s", account, request, points)
            time.sleep(THINKS_S)
            cursor.execute("UPDATE accounts SET points = %s WHERE id = %s", (points + by, account))
        log.info("PATCH /accounts/%s 200 request_id=%s points=%s", account, request, points + by)

    thread = threading.Thread(target=work)
    thread.start()
    return thread


def _connected(url: str) -> pymysql.Connection:
    parts = urlsplit(url)
    return pymysql.connect(
        host=parts.hostname or "",
        port=parts.port or 0,
        user=parts.username,
        password=parts.password or "",
        database=parts.path.lstrip("/"),
        autocommit=True,
    )
