"""A table of accounts in MariaDB, for those who read it; halfawake reads it too."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from tests.lab.faults.mariadb_client import connected
from tests.lab.yard import Yard
from tests.servers.mariadb import mariadb
from tests.servers.process import RunningServer

if TYPE_CHECKING:
    import pymysql


def table_of_accounts(
    yard: Yard, stamp: str, ids: Iterable[int], points: int = 1, kept: str = ""
) -> RunningServer:
    """A server with the table `accounts`, and rows of those ids in it, of that many points each.

    `stamp` is its column of times and what sets it, `kept` what the table does beside that.
    """
    server = yard.keep(mariadb())
    column = stamp.partition(" ")[0]
    yard.configure(f"""
[keys.account]
table = "accounts"
fields = ["account_id"]

[env.yard.sources.accounts]
connector = "mysql"
url = "{server.url}"
tables = [{{ name = "accounts", columns = ["id", "points", "{column}"] }}]
""")
    with connected(server.url, autocommit=True) as owner:
        with owner.cursor() as cursor:
            cursor.execute(
                f"CREATE TABLE accounts (id int PRIMARY KEY, points int NOT NULL, {stamp}) {kept}"
            )
        for account in ids:
            add(owner, account, points)
    return server


def accounts_of(yard: Yard, ids: Iterable[int]) -> RunningServer:
    """The same with the times at which accounts were made."""
    return table_of_accounts(yard, "created_at timestamp(6) NOT NULL DEFAULT now(6)", ids)


def add(writer: pymysql.Connection, account: int, points: int = 1) -> None:
    """One more account, committed when this returns if the connection commits by itself."""
    with writer.cursor() as cursor:
        cursor.execute("INSERT INTO accounts (id, points) VALUES (%s, %s)", (account, points))
