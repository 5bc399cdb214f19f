"""PgBouncer in transaction mode in front of a given PostgreSQL.

A pool of one server connection makes session state that leaks between clients visible at once.
"""

from __future__ import annotations

import shutil
from pathlib import Path
from urllib.parse import urlsplit

import psycopg

from tests.servers.accounts import unprivileged_account
from tests.servers.process import (
    LOOPBACK,
    RunningServer,
    ServerMissing,
    free_port,
    new_folder,
    start,
)

NAME = "PgBouncer"
INSTALL_LINE = "apt-get install pgbouncer"
READY_SECONDS = 15.0
STOCK_POOL_SIZE = 20

CONFIGURATION = """\
[databases]
* = host={host} port={server_port}
[pgbouncer]
listen_addr = {loopback}
listen_port = {port}
unix_socket_dir =
pool_mode = transaction
default_pool_size = {pool_size}
auth_type = scram-sha-256
auth_file = {users}
auth_user = {user}
admin_users = {user}
"""
"""Everything not named is stock. Roles other than the superuser are looked up by auth_user."""


def pgbouncer(server: RunningServer, *, pool_size: int = STOCK_POOL_SIZE) -> RunningServer:
    """Start a bouncer with ``pool_size`` connections to each database and role of ``server``.

    The URL is the server's, with the bouncer's port. Raises ServerMissing, ServerFailed.
    """
    program = find_program()
    account = unprivileged_account()
    folder = new_folder("bouncer", account)
    upstream, port = urlsplit(server.url), free_port()
    users, configuration = folder / "users.txt", folder / "pgbouncer.ini"
    users.write_text(f'"{upstream.username}" "{upstream.password}"\n')
    configuration.write_text(
        CONFIGURATION.format(
            host=upstream.hostname,
            server_port=upstream.port,
            loopback=LOOPBACK,
            port=port,
            pool_size=pool_size,
            users=users,
            user=upstream.username,
        )
    )
    users.chmod(0o600)
    if account is not None:
        account.own(users, configuration)
    login = f"{upstream.username}:{upstream.password}"
    return start(
        NAME,
        [program, configuration],
        url=f"postgresql://{login}@{LOOPBACK}:{port}{upstream.path}",
        folder=folder,
        probe=server_version,
        timeout_seconds=READY_SECONDS,
        account=account,
    )


def server_version(url: str) -> str:
    """What the bouncer says it is, such as ``1.18.0``, from its admin console; for admins only.

    Raises psycopg.Error while it is not ready.
    """
    console = urlsplit(url)._replace(path="/pgbouncer").geturl()
    with psycopg.connect(console, autocommit=True, connect_timeout=5) as connection:
        row = connection.execute("SHOW VERSION").fetchone()
    assert row is not None
    return str(row[0]).split()[-1]


def find_program() -> Path:
    """The local pgbouncer; raises ServerMissing. Debian puts it outside a plain user's PATH."""
    if local := shutil.which("pgbouncer") or shutil.which("pgbouncer", path="/usr/sbin"):
        return Path(local)
    raise ServerMissing(NAME, INSTALL_LINE)
