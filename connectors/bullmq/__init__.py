"""BullMQ: jobs, attempts, stalls and depth, read from its Redis keys and its events stream."""

from __future__ import annotations

from connectors.bullmq.connector import BullMQConnector
from connectors.bullmq.options import BullMQOptions

__all__ = ["BullMQConnector", "BullMQOptions"]
