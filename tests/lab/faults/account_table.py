"""A table of accounts in MariaDB, for those who read it; halfawake reads it too."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from tests.lab.faults.celery_jobs import connected
from tests.lab.yard import Yard
from tests.servers.mariadb import mariadb
from tests.servers.process import RunningServer

if TYPE_CHECKING:
    import pymysql


def accounts_of(yard: Yard, ids: Iterable[int]) -> RunningServer:
    """A server with the table `accounts`, and rows of those ids in it."""
    server = yard.keep(mariadb())
    yard.configure(f"""
[keys.account]
table = "accounts"
fields = ["account_id"]

[env.yard.sources.accounts]
connector = "mysql"
url = "{server.url}"
tables = [{{ name = "accounts", columns = ["id", "points", "created_at"] }}]
""")
    with connected(server.url, autocommit=True) as owner:
        with owner.cursor() as cursor:
            cursor.execute(
                "CREATE TABLE accounts (id int PRIMARY KEY, points int NOT NULL,"
                " created_at timestamp(6) NOT NULL DEFAULT now(6))"
            )
        for account in ids:
            add(owner, account)
    return server


def add(writer: pymysql.Connection, account: int) -> None:
    """One more account, committed when this returns if the connection commits by itself."""
    with writer.cursor() as cursor:
        cursor.execute("INSERT INTO accounts (id, points) VALUES (%s, 1)", (account,))
