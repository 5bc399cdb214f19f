"""Sidekiq (Ruby): jobs, retries, processes and counts per minute, read from its Redis keys."""

from __future__ import annotations

from connectors.sidekiq.connector import SidekiqConnector
from connectors.sidekiq.options import SidekiqOptions

__all__ = ["SidekiqConnector", "SidekiqOptions"]
