"""Resque (Ruby, and node-resque): queues, failures, workers and delayed jobs in its Redis keys."""

from __future__ import annotations

from connectors.resque.connector import ResqueConnector
from connectors.resque.options import ResqueOptions

__all__ = ["ResqueConnector", "ResqueOptions"]
