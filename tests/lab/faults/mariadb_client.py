"""A connection to MariaDB as a service makes it."""

from __future__ import annotations

from urllib.parse import urlsplit

import pymysql


def connected(url: str, *, autocommit: bool = False) -> pymysql.Connection:
    """A connection to MariaDB, by default as PyMySQL and the DB API make it: in a transaction from
    the first statement to the next commit."""
    parts = urlsplit(url)
    return pymysql.connect(
        host=parts.hostname or "",
        port=parts.port or 0,
        user=parts.username,
        password=parts.password or "",
        database=parts.path.lstrip("/"),
        autocommit=autocommit,
    )
