"""SQLite: rows around T and any row by its key, from one database file, without touching it."""

from __future__ import annotations

from connectors.sqlite.connector import SQLiteConnector
from connectors.sqlite.options import SQLiteOptions

__all__ = ["SQLiteConnector", "SQLiteOptions"]
