"""moto's server: the APIs of AWS on loopback, without AWS. Anybody's credentials will do.

It is an emulator: it shows that requests have the shape that AWS' own models describe, not what
AWS would answer. It keeps no metrics of its own queues; a test puts them there.
"""

from __future__ import annotations

import importlib.util
import sys
from importlib.metadata import version

import httpx

from tests.servers.process import LOOPBACK, RunningServer, ServerMissing, free_port, new_folder
from tests.servers.process import start as start_process

NAME = "moto"
INSTALL_LINE = "pip install 'moto[server]'"
READY_SECONDS = 60.0
"""About half a second on an idle core; it imports the models of every service it is asked for."""
SERVE = "from moto.server import main; main()"


def moto() -> RunningServer:
    """Start an empty server. Raises ServerMissing, ServerFailed."""
    if importlib.util.find_spec("moto") is None or importlib.util.find_spec("flask") is None:
        raise ServerMissing(NAME, INSTALL_LINE)
    port = free_port()
    # As the user of the tests: the virtual environment may be closed to others.
    return start_process(
        NAME,
        [sys.executable, "-c", SERVE, "-H", LOOPBACK, "-p", str(port)],
        url=f"http://{LOOPBACK}:{port}",
        folder=new_folder("moto", None),
        probe=server_version,
        timeout_seconds=READY_SECONDS,
    )


def server_version(url: str) -> str:
    """moto's version; raises httpx.HTTPError while it does not answer."""
    httpx.get(f"{url}/moto-api/data.json", timeout=10).raise_for_status()
    return version("moto")
