"""The real kubectl, against a stub of the API: it takes every argument, every request is a read.

Skipped where kubectl is not installed.
"""

from __future__ import annotations

import asyncio
import shutil
import time
from pathlib import Path

import pytest

from connectors.kubernetes import KubernetesConnector, KubernetesOptions
from tests.conformance.collecting import drained, fetched
from tests.connectors.recorded_cluster import Cluster
from tests.connectors.stub_kubernetes_api import api_of
from timeline.keys import KeyRules
from timeline.window import SECOND_NS, Budget, Window

pytestmark = [
    pytest.mark.servers,
    pytest.mark.skipif(shutil.which("kubectl") is None, reason="kubectl is not installed"),
]


def _kubeconfig(path: Path, server: str) -> Path:
    path.write_text(
        "apiVersion: v1\nkind: Config\ncurrent-context: shop-prod\n"
        f"clusters:\n- name: c\n  cluster: {{server: '{server}'}}\n"
        "users:\n- name: u\n  user: {}\n"
        "contexts:\n- name: shop-prod\n  context: {cluster: c, user: u, namespace: shop}\n"
    )
    return path


def test_the_same_events_as_from_the_recorded_program(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))  # kubectl caches what it discovers below it
    pin = (time.time_ns() // SECOND_NS - 600) * SECOND_NS
    window = Window(pin, pin - 120 * SECOND_NS, pin + 60 * SECOND_NS)
    cluster = Cluster(tmp_path / "cluster", pin)
    recorded = KubernetesOptions.model_validate({"kubectl": cluster.program})
    expected = fetched(KubernetesConnector("k8s", recorded, KeyRules()), window)
    with api_of(cluster) as (address, asked):
        config = _kubeconfig(tmp_path / "config", address)
        real = KubernetesConnector("k8s", KubernetesOptions(kubeconfig=config), KeyRules())

        async def both() -> tuple[object, object]:
            return await real.check(), await drained(real.fetch(window, Budget()))

        report, collected = asyncio.run(both())
    refs = sorted(event.ref for event in expected.events)
    assert len(refs) > 200
    assert sorted(event.ref for event in collected.events) == refs  # type: ignore[attr-defined]
    assert report.system == "Kubernetes v1.31.2"  # type: ignore[attr-defined]
    assert report.writes_refused is True  # type: ignore[attr-defined]
    posts = {path for method, path in asked if method != "GET"}
    assert posts == {"/apis/authorization.k8s.io/v1/selfsubjectaccessreviews"}
