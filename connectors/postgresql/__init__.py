"""PostgreSQL: rows around T, open transactions and lock waits now, and any row by its key."""

from __future__ import annotations

from connectors.postgresql.connector import PostgreSQLConnector
from connectors.postgresql.options import PostgreSQLOptions, TableOptions

__all__ = ["PostgreSQLConnector", "PostgreSQLOptions", "TableOptions"]
