"""RQ (Redis Queue): jobs, attempts, workers and depth, read from its Redis keys."""

from __future__ import annotations

from connectors.rq.connector import RQConnector
from connectors.rq.options import RQOptions

__all__ = ["RQConnector", "RQOptions"]
