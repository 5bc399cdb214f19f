"""Elasticsearch from Elastic's stripped build (integ-test-zip), one node, security off as a rule.

The build holds the server, the HTTP transport and x-pack core only. Absent: Painless scripts,
ES|QL, data streams, the analysis module, and from 8.9 on ``GET /`` (405, with the product header).
"""

from __future__ import annotations

import os
import secrets
import shutil
import subprocess
from collections.abc import Callable
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
    java_home,
    node_settings,
    server_version,
    write_settings,
)

NAME = "Elasticsearch"
MINIMUM_JAVA = 17
"""8.x needs 17 (7.17 would do with 11, but ran on 17 as well)."""

DEFAULT_SERIES = "8"

ADMIN, READER = "admin", "reader"
"""The two users of a secured node, both in its file realm: one may do everything, the other has
the role that docs/connectors/elasticsearch.md recommends, for the indices `logs-*`."""
READER_ROLE = """
halfawake:
  cluster: [ monitor ]
  indices:
    - names: [ 'logs-*' ]
      privileges: [ read, view_index_metadata ]
"""
"""In roles.yml, because this build has no analyzer for the index that holds roles made by API."""
TOOL_SECONDS = 60.0
"""A JVM that writes one line of a file: four seconds measured, and a busy machine."""


def elasticsearch(series: str = DEFAULT_SERIES, password: str = "") -> RunningServer:
    """Start the newest cached version of a series (``"8"``, ``"7"``); plain HTTP.

    Without `password` there is no log-in; with it, security is on and it is the password of both
    ``ADMIN`` and ``READER``. Raises ServerMissing, ServerFailed.
    """
    program = find_program(series)
    java = java_home(NAME, MINIMUM_JAVA)
    account = unprivileged_account()
    folder = new_folder("es", account)
    port = free_port()
    configuration = folder / "config"
    shutil.copytree(program / "config", configuration)
    _without_log_in_the_program_folder(configuration / "jvm.options")
    write_settings(
        configuration / "elasticsearch.yml",
        {
            **node_settings(f"halfawake-{secrets.token_hex(4)}", free_port()),
            "http.port": str(port),
            "path.data": str(folder / "data"),
            "path.logs": str(folder / "logs"),
            "xpack.security.enabled": "true" if password else "false",
        },
    )
    if password:
        _secure(program, java, configuration, password)
    if account is not None:
        account.own_tree(configuration)
    return start(
        NAME,
        [program / "bin" / "elasticsearch"],
        url=f"http://{LOOPBACK}:{port}",
        folder=folder,
        probe=_probe(password),
        timeout_seconds=READY_SECONDS,
        account=account,
        environment={
            "ES_JAVA_HOME": str(java),
            "ES_JAVA_OPTS": " ".join(HEAP),
            "ES_PATH_CONF": str(configuration),
        },
    )


def _probe(password: str) -> Callable[[str], str]:
    log_in = (ADMIN, password) if password else None
    return lambda url: server_version(url, log_in)


def _secure(program: Path, java: Path, configuration: Path, password: str) -> None:
    """Write both users and the reader's role; files are read before the cluster has formed."""
    subprocess.run(
        [program / "bin" / "elasticsearch-users", "useradd", ADMIN, "-p", password],
        env={"ES_JAVA_HOME": str(java), "ES_PATH_CONF": str(configuration), "PATH": os.defpath},
        check=True,
        capture_output=True,
        timeout=TOOL_SECONDS,
    )
    users = configuration / "users"
    hashed = users.read_text().strip().partition(":")[2]
    users.write_text(f"{ADMIN}:{hashed}\n{READER}:{hashed}\n")
    (configuration / "users_roles").write_text(f"superuser:{ADMIN}\nhalfawake:{READER}\n")
    (configuration / "roles.yml").write_text(READER_ROLE)


def find_program(series: str = DEFAULT_SERIES) -> Path:
    """The newest unpacked build of a series in the cache; raises ServerMissing."""
    for program in cached_programs(f"elasticsearch-{series}.*").values():
        if (program / "bin" / "elasticsearch").exists():
            return program
    raise ServerMissing(f"{NAME} {series}", INSTALL_SCRIPT)


def _without_log_in_the_program_folder(jvm_options: Path) -> None:
    """7.17 opens logs/gc.log below its own folder, which a shared cache does not let it write."""
    lines = jvm_options.read_text().splitlines(keepends=True)
    jvm_options.write_text("".join(line for line in lines if "logs/" not in line))
