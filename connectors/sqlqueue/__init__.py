"""Job queues that live in PostgreSQL tables: one connector, one description for each system."""

from __future__ import annotations

from connectors.sqlqueue.connector import SqlQueueConnector
from connectors.sqlqueue.options import SqlQueueOptions

__all__ = ["SqlQueueConnector", "SqlQueueOptions"]
