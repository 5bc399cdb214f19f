"""Grafana Loki: log lines by LogQL over its HTTP API."""

from __future__ import annotations

from connectors.loki.connector import LokiConnector
from connectors.loki.options import LokiOptions

__all__ = ["LokiConnector", "LokiOptions"]
