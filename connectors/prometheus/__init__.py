"""Prometheus and what speaks its API (VictoriaMetrics): targets, alerts, restarts, own queries."""

from __future__ import annotations

from connectors.prometheus.connector import PrometheusConnector
from connectors.prometheus.options import PrometheusOptions

__all__ = ["PrometheusConnector", "PrometheusOptions"]
