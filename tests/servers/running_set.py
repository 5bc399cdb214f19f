"""Servers that outlive the command that started them, written down in a state file.

The state file is how ``stop`` finds them: by pid, and only while that pid is still the process
that was started. One set per user; a set of which one server has died is started anew.
"""

from __future__ import annotations

import fcntl
import json
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.servers.catalog import KINDS, start_server
from tests.servers.process import RunningServer, ServerFailed, ServerMissing

STATE_VARIABLE = "HALFAWAKE_SERVERS_STATE"
STATE_FILE = "running.json"


@dataclass(frozen=True)
class RunningSet:
    """What runs, by key, and why the others do not."""

    servers: dict[str, RunningServer]
    lacking: dict[str, ServerMissing | ServerFailed]

    def export_lines(self) -> list[str]:
        """Shell lines that name the servers to halfawake and to the fixtures."""
        return [
            f"export {variable}='{server.url}'"
            for key, server in self.servers.items()
            for variable in (KINDS[key].product_variable, KINDS[key].test_variable)
            if variable is not None
        ]


def start_set(keys: Sequence[str]) -> RunningSet:
    """Start the named servers one after another, keeping those of a healthy set that run."""
    with _locked_state() as state:
        servers = _load(state)
        if any(not server.is_running() for server in servers.values()):
            _discard_all(servers)
            servers = {}
        lacking: dict[str, ServerMissing | ServerFailed] = {}
        for key in (key for key in KINDS if key in keys and key not in servers):
            try:
                servers[key] = start_server(key, servers)
            except (ServerMissing, ServerFailed) as error:
                lacking[key] = error
            # After each, so that an interrupted start leaves nothing that stop cannot find.
            _save(state, servers)
        return RunningSet(servers, lacking)


def stop_set() -> list[RunningServer]:
    """Stop every server of the set, remove their folders, and return those that were running."""
    with _locked_state() as state:
        servers = _load(state)
        running = [server for server in servers.values() if server.is_running()]
        _discard_all(servers)
        state.unlink(missing_ok=True)
        return running


def current_set() -> dict[str, RunningServer]:
    """The servers written down, whether or not they still run."""
    with _locked_state() as state:
        return _load(state)


@contextmanager
def _locked_state() -> Iterator[Path]:
    base = os.environ.get("XDG_STATE_HOME") or Path.home() / ".local" / "state"
    folder = Path(os.environ.get(STATE_VARIABLE) or Path(base) / "halfawake-servers")
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield folder / STATE_FILE


def _discard_all(servers: dict[str, RunningServer]) -> None:
    for server in reversed(servers.values()):
        server.discard()


def _save(state: Path, servers: dict[str, RunningServer]) -> None:
    rows = {
        key: {
            "name": server.name,
            "version": server.version,
            "url": server.url,
            "pid": server.pid,
            "folder": str(server.folder),
            "log_path": str(server.log_path),
            "stop_signal": int(server.stop_signal),
            "start_mark": server.start_mark,
        }
        for key, server in servers.items()
    }
    state.touch(mode=0o600)
    state.write_text(json.dumps(rows, indent=1))


def _load(state: Path) -> dict[str, RunningServer]:
    if not state.exists():
        return {}
    return {
        key: RunningServer(
            **{**row, "folder": Path(row["folder"]), "log_path": Path(row["log_path"])}
        )
        for key, row in json.loads(state.read_text() or "{}").items()
    }
