"""PostgreSQL on stock settings: a local installation, else the binaries of the wheel pgserver.

Only port, socket folder and (when asked) statement logging differ from what initdb writes.
Password log-in (scram-sha-256), because any local user can reach a loopback port.
"""

from __future__ import annotations

import csv
import importlib.util
import os
import secrets
import shutil
import signal
import subprocess
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import urlsplit

import psycopg

from tests.servers.accounts import Account, reachable_by_all, unprivileged_account
from tests.servers.process import (
    LOOPBACK,
    RunningServer,
    ServerFailed,
    ServerMissing,
    free_port,
    new_folder,
    start,
)

NAME = "PostgreSQL"
INSTALL_LINE = "apt-get install postgresql, or pip install pgserver"
SUPERUSER = "postgres"
READY_SECONDS = 30.0
STATEMENT_LOG = "statements.csv"

CSVLOG_APPLICATION_NAME, CSVLOG_MESSAGE = 22, 13
"""Columns of csvlog, from 0; the same in all versions since 9.0 (manual, 20.8.4)."""

LOG_STATEMENTS = {
    "log_statement": "all",
    "logging_collector": "on",
    "log_destination": "csvlog",
    "log_directory": "..",
    "log_filename": STATEMENT_LOG.replace(".csv", ".log"),
}
"""Every statement into one CSV file in the server's folder; csvlog swaps the .log ending."""


def postgresql(
    *, log_statements: bool = False, settings: Mapping[str, str] | None = None
) -> RunningServer:
    """Start a new cluster; the URL is the superuser's, for the database ``postgres``.

    With ``log_statements`` every statement is logged; read them back with
    :func:`logged_statements`. Further ``settings`` are given on the command line. Raises
    ServerMissing, ServerFailed.
    """
    account = unprivileged_account()
    installed = find_bin_folder()
    folder = new_folder("pg", account)
    bin_folder = _usable_by(account, installed, folder)
    password = secrets.token_hex(8)
    data = _initialised_cluster(bin_folder, folder, password, account)
    port = free_port()
    settings = {**(LOG_STATEMENTS if log_statements else {}), **(settings or {})}
    return start(
        NAME,
        [
            bin_folder / "postgres",
            *("-D", data, "-p", str(port), "-k", folder),
            *(word for key, value in settings.items() for word in ("-c", f"{key}={value}")),
        ],
        url=f"postgresql://{SUPERUSER}:{password}@{LOOPBACK}:{port}/postgres",
        folder=folder,
        probe=server_version,
        timeout_seconds=READY_SECONDS,
        account=account,
        # SIGTERM would wait for every client to leave; SIGINT is the fast shutdown.
        stop_signal=signal.SIGINT,
    )


def server_version(url: str) -> str:
    """What the server says it is, such as ``15.18``; raises psycopg.Error while it is not ready."""
    with psycopg.connect(url, connect_timeout=5) as connection:
        row = connection.execute("SHOW server_version").fetchone()
    assert row is not None
    return str(row[0]).split()[0]


def url_for(server: RunningServer, *, user: str, password: str, database: str = "postgres") -> str:
    """The same server for another role or database; works for PgBouncer's URL too."""
    parts = urlsplit(server.url)
    return f"postgresql://{user}:{password}@{parts.hostname}:{parts.port}/{database}"


def logged_statements(server: RunningServer, application_name: str | None = None) -> list[str]:
    """Statements as the server logged them, oldest first, for a ``log_statements`` server.

    Both protocols are read: ``statement: …`` and ``execute NAME: …``. Give an application name
    to leave out other clients.
    """
    if server.folder is None or not (server.folder / STATEMENT_LOG).exists():
        raise ValueError("this server was not started with log_statements=True")
    with (server.folder / STATEMENT_LOG).open(newline="") as file:
        rows = [row for row in csv.reader(file) if len(row) > CSVLOG_APPLICATION_NAME]
    return [
        statement
        for row in rows
        if application_name in (None, row[CSVLOG_APPLICATION_NAME])
        if (statement := _statement(row[CSVLOG_MESSAGE])) is not None
    ]


def find_bin_folder() -> Path:
    """The newest local server's programs, else those in the wheel; raises ServerMissing."""
    for program in (*_local_programs(), *_wheel_programs()):
        if program.exists() and (program.parent / "initdb").exists():
            return program.parent
    raise ServerMissing(NAME, INSTALL_LINE)


def _local_programs() -> list[Path]:
    """Debian keeps one folder per major version, outside the PATH."""
    by_version = {
        int(program.parts[-3]): program
        for program in Path("/usr/lib/postgresql").glob("*/bin/postgres")
        if program.parts[-3].isdigit()
    }
    newest_first = [by_version[version] for version in sorted(by_version, reverse=True)]
    on_path = shutil.which("postgres")
    return [*newest_first, *([Path(on_path).resolve()] if on_path else [])]


def _wheel_programs() -> list[Path]:
    wheel = importlib.util.find_spec("pgserver")
    if wheel is None or wheel.origin is None:
        return []
    return [Path(wheel.origin).parent / "pginstall" / "bin" / "postgres"]


def _usable_by(account: Account | None, bin_folder: Path, folder: Path) -> Path:
    """The programs where the account can run them: a wheel under root's home has to be copied.

    Together with its libraries, which a wheel keeps in ``PACKAGE.libs`` beside the package.
    """
    if account is None or reachable_by_all(bin_folder / "postgres"):
        return bin_folder
    package, copy = bin_folder.parents[1], folder / "wheel"
    inside = bin_folder.relative_to(package.parent)
    shutil.copytree(bin_folder.parent, copy / inside.parent)
    if (libraries := package.with_name(f"{package.name}.libs")).exists():
        shutil.copytree(libraries, copy / libraries.name)
    account.own_tree(copy)
    return copy / inside


def _initialised_cluster(
    bin_folder: Path, folder: Path, password: str, account: Account | None
) -> Path:
    password_file = folder / "password"
    password_file.write_text(password)
    password_file.chmod(0o600)
    if account is not None:
        account.own(password_file)
    data = folder / "data"
    initdb = subprocess.run(
        [
            *(bin_folder / "initdb", "-D", data, "-U", SUPERUSER, "--pwfile", password_file),
            *("--auth", "scram-sha-256", "--encoding", "UTF8", "--no-locale", "--no-sync"),
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
    if initdb.returncode != 0:
        log_path = folder / "server.log"
        log_path.write_text(initdb.stdout + initdb.stderr)
        failure = ServerFailed(NAME, "could not create a cluster (initdb)", log_path)
        shutil.rmtree(folder, ignore_errors=True)
        raise failure
    password_file.unlink()
    return data


def _statement(message: str) -> str | None:
    kind, colon, statement = message.partition(": ")
    is_statement = kind == "statement" or kind.startswith("execute ")
    return statement if colon and is_statement else None
