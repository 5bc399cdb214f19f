"""What changed around T: commits, deployments from a table, GitHub's and GitLab's deployments."""

from __future__ import annotations

from connectors.changes.connector import ChangesConnector
from connectors.changes.options import ChangesOptions

__all__ = ["ChangesConnector", "ChangesOptions"]
