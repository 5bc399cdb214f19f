"""Dramatiq on Redis: waiting, held, delayed and dead messages, and workers that fell silent."""

from __future__ import annotations

from connectors.dramatiq.connector import DramatiqConnector
from connectors.dramatiq.options import DramatiqOptions

__all__ = ["DramatiqConnector", "DramatiqOptions"]
