"""VictoriaMetrics of the Debian package: one process on loopback, empty.

`-search.latencyOffset=0s` lets samples be seen at once; by default they appear 30 s late.
"""

from __future__ import annotations

import shutil
from pathlib import Path

import httpx

from tests.servers.accounts import unprivileged_account
from tests.servers.process import (
    LOOPBACK,
    RunningServer,
    ServerMissing,
    free_port,
    new_folder,
    start,
)

NAME = "VictoriaMetrics"
INSTALL_LINE = "apt-get install victoria-metrics"
READY_SECONDS = 30.0


def victoriametrics() -> RunningServer:
    """Start an empty server. Raises ServerMissing, ServerFailed."""
    found = shutil.which("victoria-metrics")
    if found is None:
        raise ServerMissing(NAME, INSTALL_LINE)
    account = unprivileged_account()
    folder = new_folder("victoriametrics", account)
    address = f"{LOOPBACK}:{free_port()}"
    return start(
        NAME,
        [
            Path(found),
            f"-storageDataPath={folder / 'data'}",
            f"-httpListenAddr={address}",
            "-retentionPeriod=1",
            "-search.latencyOffset=0s",
            "-memory.allowedPercent=5",
        ],
        url=f"http://{address}",
        folder=folder,
        probe=server_version,
        timeout_seconds=READY_SECONDS,
        account=account,
    )


def server_version(url: str) -> str:
    """What the server says of itself in its metrics; raises HTTPError while it is not ready."""
    httpx.get(f"{url}/health", timeout=5).raise_for_status()
    metrics = httpx.get(f"{url}/metrics", timeout=5)
    metrics.raise_for_status()
    line = next(x for x in metrics.text.splitlines() if x.startswith("vm_app_version"))
    return line.partition('short_version="')[2].partition('"')[0] or "unknown"


def planted(server: RunningServer, lines: str) -> None:
    """Import samples in Prometheus' text format with time stamps in ms, and make them visible."""
    httpx.post(
        f"{server.url}/api/v1/import/prometheus", content=lines.encode(), timeout=10
    ).raise_for_status()
    httpx.get(f"{server.url}/internal/force_flush", timeout=10).raise_for_status()
