"""MariaDB of a local installation on stock settings: a data folder of its own, loopback only.

Only port, socket, folders and (when asked) the general statement log differ from the defaults.
The administrator logs in with a password, because any local user can reach a loopback port.
"""

from __future__ import annotations

import os
import re
import secrets
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path
from urllib.parse import urlsplit

import pymysql

from tests.servers.accounts import Account, unprivileged_account
from tests.servers.process import (
    LOOPBACK,
    RunningServer,
    ServerFailed,
    ServerMissing,
    free_port,
    new_folder,
    start,
)

NAME = "MariaDB"
INSTALL_LINE = "apt-get install mariadb-server"
ADMINISTRATOR = "admin"
READY_SECONDS = 60.0
STATEMENT_LOG = "statements.log"

_ENTRY = re.compile(r"^(?:\d{6} [ \d]\d:\d{2}:\d{2})?\t+ *(\d+) ([A-Z][A-Za-z ]*?)\t(.*)$")
"""A line of the general log: perhaps the time, the connection's number, the command, its text."""


def mariadb(
    *,
    log_statements: bool = False,
    settings: Mapping[str, str] | None = None,
    environment: Mapping[str, str] | None = None,
) -> RunningServer:
    """Start an empty server; the URL is the administrator's, for the database ``test``.

    With ``log_statements`` every statement is logged; read them back with
    :func:`logged_statements`. Raises ServerMissing, ServerFailed.
    """
    program, installer = _program("mariadbd"), _program("mariadb-install-db")
    account = unprivileged_account()
    folder = new_folder("mariadb", account)
    port, password = free_port(), secrets.token_hex(8)
    _initialise(installer, folder, account)
    first = folder / "first.sql"
    first.write_text(
        # one statement a line; an anonymous user would be preferred to ours on this host
        "CREATE DATABASE IF NOT EXISTS test;\n"
        "DELETE FROM mysql.global_priv WHERE User = '';\n"
        "FLUSH PRIVILEGES;\n"
        f"CREATE USER {ADMINISTRATOR} IDENTIFIED BY '{password}';\n"
        f"GRANT ALL ON *.* TO {ADMINISTRATOR} WITH GRANT OPTION;\n"
    )
    first.chmod(0o600)
    if account is not None:
        account.own(first)
    log = {"general-log": "1", "general-log-file": str(folder / STATEMENT_LOG)}
    chosen = {**(log if log_statements else {}), **(settings or {})}
    return start(
        NAME,
        [
            *(program, "--no-defaults", f"--datadir={folder / 'data'}"),
            *(f"--port={port}", f"--bind-address={LOOPBACK}", f"--socket={folder / 's.sock'}"),
            *(f"--pid-file={folder / 'server.pid'}", f"--init-file={first}"),
            *(f"--{key}={value}" for key, value in chosen.items()),
        ],
        url=f"mysql://{ADMINISTRATOR}:{password}@{LOOPBACK}:{port}/test",
        folder=folder,
        probe=server_version,
        timeout_seconds=READY_SECONDS,
        account=account,
        environment=environment,
    )


def server_version(url: str) -> str:
    """What the server says it is, such as ``10.11.19``; raises pymysql.Error until it is ready."""
    parts = urlsplit(url)
    connection = pymysql.connect(
        host=parts.hostname,
        port=parts.port or 3306,
        user=parts.username,
        password=parts.password or "",
        database=parts.path.removeprefix("/"),
        connect_timeout=5,
        read_timeout=5,
    )
    with connection, connection.cursor() as cursor:
        cursor.execute("SELECT VERSION()")
        row = cursor.fetchone()
    assert row is not None
    return str(row[0]).split("-")[0]


def logged_statements(server: RunningServer, user: str) -> list[str]:
    """Everything that connections of ``user`` sent, oldest first, on one line each.

    For a server started with ``log_statements``. Commands that carry no text (Quit, Ping) are
    given by their name.
    """
    if server.folder is None or not (server.folder / STATEMENT_LOG).exists():
        raise ValueError("this server was not started with log_statements=True")
    connections: set[str] = set()
    said: list[str] = []
    text = (server.folder / STATEMENT_LOG).read_text(errors="replace")
    for number, command, words in _entries(text):
        if command == "Connect":
            connections.discard(number)
            if words.startswith(f"{user}@"):
                connections.add(number)
        elif number in connections:
            said.append(words if command == "Query" else f"{command} {words}".strip())
    return said


def _entries(text: str) -> Iterator[tuple[str, str, str]]:
    """Statements of several lines are put on one."""
    held: tuple[str, str, str] | None = None
    for line in text.splitlines():
        if match := _ENTRY.match(line):
            if held:
                yield held
            held = (match[1], match[2], match[3])
        elif held:
            held = (held[0], held[1], f"{held[2]} {line.strip()}")
    if held:
        yield held


def _program(name: str) -> Path:
    """On PATH or in /usr/sbin, which is not on everybody's; raises ServerMissing."""
    found = shutil.which(name) or shutil.which(name, path="/usr/sbin:/usr/local/sbin")
    if found is None:
        raise ServerMissing(NAME, INSTALL_LINE)
    return Path(found)


def _initialise(installer: Path, folder: Path, account: Account | None) -> None:
    done = subprocess.run(
        [
            *(installer, "--no-defaults", f"--datadir={folder / 'data'}", "--skip-test-db"),
            *("--auth-root-authentication-method=normal", "--skip-name-resolve"),
        ],
        cwd=folder,
        env={**os.environ, "LC_ALL": "C"},
        capture_output=True,
        text=True,
        check=False,
        user=account.uid if account else None,
        group=account.gid if account else None,
        extra_groups=[] if account else None,
    )
    if done.returncode != 0:
        log_path = folder / "server.log"
        log_path.write_text(done.stdout + done.stderr)
        failure = ServerFailed(NAME, "could not create its tables (mariadb-install-db)", log_path)
        shutil.rmtree(folder, ignore_errors=True)
        raise failure
