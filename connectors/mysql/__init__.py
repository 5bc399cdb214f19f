"""MySQL and MariaDB: rows around T, open transactions and lock waits now, any row by its key."""

from __future__ import annotations

from connectors.mysql.connector import MySQLConnector
from connectors.mysql.options import MySQLOptions

__all__ = ["MySQLConnector", "MySQLOptions"]
