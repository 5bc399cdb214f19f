"""The Kubernetes connector against the conformance suite, on a recorded cluster."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from connectors.kubernetes import KubernetesConnector
from tests.conformance.subject import Subject
from tests.conformance.suite import ConnectorConformance
from tests.connectors.recorded_cluster import HOSTILE, Cluster
from timeline.window import SECOND_NS, Window


class TestKubernetes(ConnectorConformance):
    @pytest.fixture
    def subject(self, tmp_path: Path) -> Subject:
        pin = (time.time_ns() // SECOND_NS - 600) * SECOND_NS
        cluster = Cluster(tmp_path / "cluster", pin)
        return Subject(
            connector_class=KubernetesConnector,
            options={"kubectl": cluster.program},
            window=Window(pin, pin - 120 * SECOND_NS, pin + 60 * SECOND_NS),
            known_keys=("user:4711", "pod:shop/worker-77d-k1"),
            absent_key="user:999999",
            drivers=("polars", "psycopg", "redis", "httpx"),
            hostile=HOSTILE,
        )
