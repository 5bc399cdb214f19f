"""Prometheus of the Debian package: one process, loopback only, scraping itself by default.

History is planted by promtool (blocks from an OpenMetrics text) before the server starts.
"""

from __future__ import annotations

import shutil
import subprocess
import time
from collections.abc import Sequence
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

NAME = "Prometheus"
INSTALL_LINE = "apt-get install prometheus"
READY_SECONDS = 30.0
SELF_SCRAPE = """
global: {{scrape_interval: 1s, evaluation_interval: 1s}}
scrape_configs:
  - job_name: prometheus
    static_configs: [{{targets: ["{address}"]}}]
"""


def prometheus(
    history: str = "", config: str = SELF_SCRAPE, flags: Sequence[str] = ()
) -> RunningServer:
    """Start a server; `{address}` in the configuration is its own address.

    `history` is OpenMetrics text with time stamps in seconds, `flags` are further ones of its own
    (`--web.enable-lifecycle`). Raises ServerMissing, ServerFailed.
    """
    program = _program("prometheus")
    account = unprivileged_account()
    folder = new_folder("prometheus", account)
    address = f"{LOOPBACK}:{free_port()}"
    file, data = folder / "prometheus.yml", folder / "data"
    file.write_text(config.format(address=address))
    data.mkdir()
    if history:
        _plant(history, folder, data)
    if account is not None:
        for path in (file, data, *data.rglob("*")):
            account.own(path)
    return start(
        NAME,
        [
            program,
            f"--config.file={file}",
            f"--storage.tsdb.path={data}",
            f"--web.listen-address={address}",
            "--storage.tsdb.retention.time=30d",
            *flags,
        ],
        url=f"http://{address}",
        folder=folder,
        probe=server_version,
        timeout_seconds=READY_SECONDS,
        account=account,
    )


def server_version(url: str) -> str:
    """What the server says it is, such as ``2.42.0``; raises HTTPError while it is not ready."""
    ready = httpx.get(f"{url}/-/ready", timeout=5)
    ready.raise_for_status()
    answer = httpx.get(f"{url}/api/v1/status/buildinfo", timeout=5)
    answer.raise_for_status()
    return str(answer.json()["data"]["version"])


def await_first_scrape(server: RunningServer) -> None:
    """Prometheus looks for new targets every five seconds only."""
    until = time.monotonic() + READY_SECONDS
    while "value" not in httpx.get(f"{server.url}/api/v1/query", params={"query": "up"}).text:
        if time.monotonic() > until:
            raise TimeoutError("nothing was scraped")
        time.sleep(0.1)


def _plant(history: str, folder: Path, data: Path) -> None:
    text = folder / "history.txt"
    text.write_text(history)
    subprocess.run(
        [_program("promtool"), "tsdb", "create-blocks-from", "openmetrics", text, data],
        check=True,
        capture_output=True,
    )


def _program(name: str) -> Path:
    found = shutil.which(name)
    if found is None:
        raise ServerMissing(NAME, INSTALL_LINE)
    return Path(found)
