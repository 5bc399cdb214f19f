"""RabbitMQ of the Debian package with its management API: one node, loopback only.

Stock settings but for ports, folders and the administrator. The node brings its own epmd (Erlang's
port mapper, which would otherwise be started as a daemon and stay), on a port of its own, and both
end together.
"""

from __future__ import annotations

import secrets
from pathlib import Path
from urllib.parse import urlsplit

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

NAME = "RabbitMQ"
INSTALL_LINE = "apt-get install rabbitmq-server"
PROGRAM = Path("/usr/lib/rabbitmq/bin/rabbitmq-server")
"""The real start script: the one on PATH changes to the account and folder of the package."""
READY_SECONDS = 120.0
"""Five to ten seconds on two idle cores; ten times that for a busy machine."""
CONFIG = "rabbitmq.conf"
"""Its first line is where AMQP is spoken."""
PLUGINS = "[rabbitmq_management]."
NODE_WITH_ITS_EPMD = """
epmd -address 127.0.0.1 -port "$ERL_EPMD_PORT" & epmd=$!
"$0" & node=$!
trap 'kill -TERM $node' TERM INT
while kill -0 $node 2>/dev/null; do wait $node; code=$?; done
kill $epmd
exit $code
"""
"""A signal ends `wait` early, hence the loop: the shell goes last, after the node it stands for."""


def rabbitmq(settings: str = "") -> RunningServer:
    """Start an empty node; the URL is the management API's and carries the administrator.

    `settings` are further lines of rabbitmq.conf. Raises ServerMissing, ServerFailed.
    """
    if not PROGRAM.exists():
        raise ServerMissing(NAME, INSTALL_LINE)
    account = unprivileged_account()
    folder = new_folder("rabbitmq", account)
    management, password = free_port(), secrets.token_hex(8)
    config, plugins = folder / CONFIG, folder / "enabled_plugins"
    config.write_text(
        f"listeners.tcp.1 = {LOOPBACK}:{free_port()}\n"
        f"management.tcp.ip = {LOOPBACK}\n"
        f"management.tcp.port = {management}\n"
        f"default_user = admin\ndefault_pass = {password}\n{settings}"
    )
    plugins.write_text(PLUGINS)
    if account is not None:
        account.own(config, plugins)
    return start(
        NAME,
        ["/bin/sh", "-c", NODE_WITH_ITS_EPMD, PROGRAM],
        url=f"http://admin:{password}@{LOOPBACK}:{management}",
        folder=folder,
        probe=server_version,
        timeout_seconds=READY_SECONDS,
        account=account,
        environment={
            "HOME": str(folder),
            "XDG_CONFIG_HOME": str(folder),  # Erlang looks for its cookie there as well
            "ERL_EPMD_PORT": str(free_port()),
            "ERL_EPMD_ADDRESS": LOOPBACK,
            "RABBITMQ_NODENAME": f"halfawake-{secrets.token_hex(4)}@localhost",
            "RABBITMQ_DIST_PORT": str(free_port()),
            "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS": "-kernel inet_dist_use_interface {127,0,0,1}",
            "RABBITMQ_CONF_ENV_FILE": str(folder / "none.conf"),
            "RABBITMQ_CONFIG_FILE": str(config),
            "RABBITMQ_ENABLED_PLUGINS_FILE": str(plugins),
            "RABBITMQ_MNESIA_BASE": str(folder / "mnesia"),
            "RABBITMQ_LOG_BASE": str(folder / "log"),
            "RABBITMQ_PID_FILE": str(folder / "node.pid"),
        },
    )


def server_version(url: str) -> str:
    """The version the management API states; raises httpx.HTTPError while it is not ready."""
    answer = httpx.get(f"{url}/api/overview", timeout=10)
    answer.raise_for_status()
    return str(answer.json()["rabbitmq_version"])


def amqp_url(server: RunningServer) -> str:
    """Where the same node speaks AMQP, with the same account."""
    parts = urlsplit(server.url)
    if server.folder is not None:
        port = (server.folder / CONFIG).read_text().partition("\n")[0].rpartition(":")[2]
    else:  # a node without statistics would not tell
        listeners = httpx.get(f"{server.url}/api/overview", timeout=10).json()["listeners"]
        (port,) = {found["port"] for found in listeners if found["protocol"] == "amqp"}
    return f"amqp://{parts.username}:{parts.password}@{parts.hostname}:{port}/%2F"


def create_reader(server: RunningServer, tags: str = "monitoring") -> str:
    """Create an account that sees the virtual host `/` and may do nothing in it; its URL."""
    reader, password = f"halfawake_{secrets.token_hex(3)}", secrets.token_hex(8)
    with httpx.Client(base_url=server.url, timeout=10) as admin:
        account = {"password": password, "tags": tags}
        admin.put(f"/api/users/{reader}", json=account).raise_for_status()
        nothing = {"configure": "^$", "write": "^$", "read": "^$"}
        admin.put(f"/api/permissions/%2F/{reader}", json=nothing).raise_for_status()
    parts = urlsplit(server.url)
    return f"http://{reader}:{password}@{parts.hostname}:{parts.port}"
