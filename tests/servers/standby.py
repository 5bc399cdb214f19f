"""A hot standby of a running PostgreSQL, by pg_basebackup and streaming replication."""

from __future__ import annotations

import os
import signal
import subprocess
from pathlib import Path
from urllib.parse import urlsplit

from tests.servers.accounts import unprivileged_account
from tests.servers.postgresql import INSTALL_LINE, find_bin_folder, server_version
from tests.servers.process import RunningServer, ServerMissing, free_port, new_folder, start

NAME = "PostgreSQL standby"
READY_SECONDS = 30


def standby_of(primary: RunningServer, **settings: str) -> RunningServer:
    """Start a standby of `primary`; the URL has the same account and database.

    Raises ServerMissing where pg_basebackup is not part of this PostgreSQL, ServerFailed.
    """
    programs = find_bin_folder()
    if not (programs / "pg_basebackup").exists():
        raise ServerMissing(NAME, INSTALL_LINE)
    account = unprivileged_account()
    folder, port = new_folder("standby", account), free_port()
    _copy(programs / "pg_basebackup", primary, folder / "data")
    parts = urlsplit(primary.url)
    login = f"{parts.username}:{parts.password}@127.0.0.1:{port}"
    return start(
        NAME,
        [
            programs / "postgres",
            *("-D", folder / "data", "-p", str(port), "-k", folder),
            *(word for key, value in settings.items() for word in ("-c", f"{key}={value}")),
        ],
        url=parts._replace(netloc=login).geturl(),
        folder=folder,
        probe=server_version,
        timeout_seconds=READY_SECONDS,
        account=account,
        stop_signal=signal.SIGINT,
    )


def _copy(program: Path, primary: RunningServer, data: Path) -> None:
    account = unprivileged_account()
    source = urlsplit(primary.url)._replace(path="").geturl()
    subprocess.run(
        [program, "-R", "-c", "fast", "-D", data, "-d", source],
        check=True,
        capture_output=True,
        cwd=data.parent,
        env={**os.environ, "LC_ALL": "C"},
        user=account.uid if account else None,
        group=account.gid if account else None,
        extra_groups=[] if account else None,
    )
