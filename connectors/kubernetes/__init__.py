"""Kubernetes through the person's own kubectl: logs, events, and what became of containers."""

from __future__ import annotations

from connectors.kubernetes.connector import KubernetesConnector
from connectors.kubernetes.options import KubernetesOptions

__all__ = ["KubernetesConnector", "KubernetesOptions"]
