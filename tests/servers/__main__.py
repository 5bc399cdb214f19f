"""``python -m tests.servers start|stop|status``: a set of servers for a shell or a test run.

``eval "$(python -m tests.servers start)"`` starts all that is installed and names it to halfawake
and to the fixtures. Standard output carries only the export lines; all else goes to stderr.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence

from tests.servers.catalog import KINDS, REQUIRE_VARIABLE
from tests.servers.process import ServerFailed
from tests.servers.running_set import current_set, start_set, stop_set


def main(arguments: Sequence[str] | None = None) -> int:
    """Exit status: 0 done, 1 a server failed to start, has died, or is missing but required."""
    parser = argparse.ArgumentParser(prog="python -m tests.servers", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    start = commands.add_parser("start", help="start servers and print export lines")
    start.add_argument("keys", nargs="*", metavar="NAME", help=f"of: {', '.join(KINDS)}")
    commands.add_parser("stop", help="stop them and remove their data")
    commands.add_parser("status", help="list them; 1 if one has died")
    options = parser.parse_args(arguments)
    if options.command == "start":
        if unknown := set(options.keys) - set(KINDS):
            parser.error(f"no server {', '.join(sorted(unknown))}; there are {', '.join(KINDS)}")
        return _start(options.keys or list(KINDS))
    return _stop() if options.command == "stop" else _status()


def _start(keys: Sequence[str]) -> int:
    result = start_set(keys)
    for line in result.export_lines():
        sys.stdout.write(f"{line}\n")
    for error in result.lacking.values():
        _say(str(error))
    failed = any(isinstance(error, ServerFailed) for error in result.lacking.values())
    required = os.environ.get(REQUIRE_VARIABLE) == "1"
    return 1 if failed or (required and result.lacking) else 0


def _stop() -> int:
    stopped = stop_set()
    _say(f"stopped {len(stopped)}: {', '.join(server.name for server in stopped) or 'none ran'}")
    return 0


def _status() -> int:
    servers = current_set()
    for server in servers.values():
        state = "running" if server.is_running() else "DIED"
        place = f"pid {server.pid}  log {server.log_path}"
        _say(f"{state:8} {server.name} {server.version}  {server.url}  {place}")
    if not servers:
        _say("no servers started; start them with: python -m tests.servers start")
    return 0 if all(server.is_running() for server in servers.values()) else 1


def _say(line: str) -> None:
    sys.stderr.write(f"{line}\n")


if __name__ == "__main__":
    sys.exit(main())
