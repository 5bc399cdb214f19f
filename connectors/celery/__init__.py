"""Celery on Redis: waiting and unacknowledged tasks, redeliveries, and results by their ids."""

from __future__ import annotations

from connectors.celery.connector import CeleryConnector
from connectors.celery.options import CeleryOptions

__all__ = ["CeleryConnector", "CeleryOptions"]
