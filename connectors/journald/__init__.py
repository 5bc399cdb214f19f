"""systemd's journal, through the person's own journalctl or from files it exported."""

from __future__ import annotations

from connectors.journald.connector import JournaldConnector
from connectors.journald.options import JournaldOptions

__all__ = ["JournaldConnector", "JournaldOptions"]
