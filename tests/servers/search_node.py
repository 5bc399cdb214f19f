"""What Elasticsearch and OpenSearch nodes share: the cache of programs, a JDK, settings, readiness.

Programs come from ``.ci/install-servers``, which fetches them into a folder outside the
repository; nothing is fetched here.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Mapping
from functools import cache
from pathlib import Path

import httpx

from tests.servers.process import LOOPBACK, ServerMissing

CACHE_VARIABLE = "HALFAWAKE_SERVERS_CACHE"
CACHE_FOLDER = "halfawake-servers"
SYSTEM_CACHE = Path("/var/cache") / CACHE_FOLDER
"""Where root installs to: nodes run as another user, who cannot enter root's home folder."""

INSTALL_SCRIPT = ".ci/install-servers"
HEAP = ("-Xms512m", "-Xmx512m")
"""Left alone, a node takes half the machine's memory; 512 MiB serves some 100 000 small rows."""

READY_SECONDS = 120.0
"""Seven to twelve seconds measured on two idle cores; ten times that for a busy machine."""

HEALTH_WAIT = "1s"


def cached_programs(pattern: str) -> dict[str, Path]:
    """Folders in the caches whose name matches ``pattern`` (``elasticsearch-8.*``), by version.

    Newest version first. The caches: $HALFAWAKE_SERVERS_CACHE alone when it is set, else the
    user's own and the system's.
    """
    found = {
        path.name.rpartition("-")[2]: path
        for folder in _cache_folders()
        for path in folder.glob(pattern)
        if path.is_dir()
    }
    return dict(sorted(found.items(), key=lambda item: _number(item[0]), reverse=True))


def java_home(name: str, minimum: int) -> Path:
    """The oldest JDK here that is at least ``minimum``; raises ServerMissing.

    The oldest, because a server is proven on the versions that were current at its release.
    """
    fitting = {major: home for home, major in _installed_jdks().items() if major >= minimum}
    if not fitting:
        raise ServerMissing(name, f"a JDK {minimum} or newer (apt-get install openjdk-17-jdk)")
    return fitting[min(fitting)]


def node_settings(cluster_name: str, transport_port: int) -> dict[str, str]:
    """One node on loopback that never stops allocating because the disk is nearly full."""
    return {
        "cluster.name": cluster_name,
        "network.host": LOOPBACK,
        "transport.port": str(transport_port),
        "discovery.type": "single-node",
        "cluster.routing.allocation.disk.threshold_enabled": "false",
    }


def write_settings(path: Path, settings: Mapping[str, str]) -> None:
    """Write a settings file of ``key: value`` lines."""
    path.write_text("".join(f"{key}: {value}\n" for key, value in settings.items()))


def server_version(url: str, log_in: tuple[str, str] | None = None) -> str:
    """The version of the node at ``url``, once its cluster can serve; raises httpx.HTTPError.

    Not from ``GET /``, which Elastic's stripped build answers with 405 since it became a module
    of its own (elastic/elasticsearch#95881); the nodes API is in every build.
    """
    with httpx.Client(base_url=url, timeout=10, auth=log_in) as client:
        wait = {"wait_for_status": "yellow", "timeout": HEALTH_WAIT}
        client.get("/_cluster/health", params=wait).raise_for_status()
        answer = client.get("/_nodes/_local", params={"filter_path": "nodes.*.version"})
        answer.raise_for_status()
        (node,) = answer.json()["nodes"].values()
    return str(node["version"])


def cluster_name_at(url: str) -> str:
    """The name of the cluster that answers, to tell our node from another on the same port."""
    answer = httpx.get(f"{url}/_cluster/health", timeout=10)
    answer.raise_for_status()
    return str(answer.json()["cluster_name"])


def _cache_folders() -> tuple[Path, ...]:
    if chosen := os.environ.get(CACHE_VARIABLE):
        return (Path(chosen),)
    own = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return (SYSTEM_CACHE, Path(own) / CACHE_FOLDER)


@cache
def _installed_jdks() -> dict[Path, int]:
    homes = {path.parent.parent.resolve() for path in Path("/usr/lib/jvm").glob("*/bin/java")}
    if chosen := os.environ.get("JAVA_HOME"):
        homes.add(Path(chosen).resolve())
    if on_path := shutil.which("java"):
        homes.add(Path(on_path).resolve().parent.parent)
    versions = {home: _java_major(home) for home in sorted(homes)}
    return {home: major for home, major in versions.items() if major is not None}


def _java_major(home: Path) -> int | None:
    try:
        shown = subprocess.run(
            [home / "bin" / "java", "-version"], capture_output=True, text=True, check=True
        ).stderr
    except (OSError, subprocess.CalledProcessError):
        return None
    version = re.search(r'version "(\d+)', shown)
    return int(version[1]) if version else None


def _number(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in re.findall(r"\d+", version))
