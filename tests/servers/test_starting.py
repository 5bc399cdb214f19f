"""What goes wrong around a server: early exits, slow starts, foreign pids, missing programs."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest
from redis import Redis

from tests.servers.accounts import reachable_by_all
from tests.servers.catalog import running_at
from tests.servers.process import (
    RunningServer,
    ServerFailed,
    ServerMissing,
    free_port,
    process_start_mark,
    start,
)
from tests.servers.pytest_fixtures import provided, skip_or_fail
from tests.servers.running_set import current_set

MISSING = ServerMissing("Redis", "apt-get install redis-server")


def never_ready(url: str) -> str:
    raise ConnectionError(f"{url} does not answer")


def start_shell(script: str, folder: Path, timeout_seconds: float) -> RunningServer:
    return start(
        "Stub",
        ["/bin/sh", "-c", script],
        url="stub://",
        folder=folder,
        probe=never_ready,
        timeout_seconds=timeout_seconds,
    )


def test_a_server_that_exits_early_shows_its_code_and_the_end_of_its_log(tmp_path: Path) -> None:
    folder = tmp_path / "server"
    folder.mkdir()
    with pytest.raises(ServerFailed, match=r"Stub exited with code 3; .*\nno space left"):
        start_shell("echo no space left; exit 3", folder, timeout_seconds=10)
    assert not folder.exists()


def test_a_server_that_is_never_ready_is_ended(tmp_path: Path) -> None:
    folder, pid_file = tmp_path / "server", tmp_path / "pid"
    folder.mkdir()
    with pytest.raises(ServerFailed, match=r"not ready after 1 s \(stub:// does not answer\)"):
        start_shell(f"echo $$ > {pid_file}; exec sleep 60", folder, timeout_seconds=1)
    assert process_start_mark(int(pid_file.read_text())) is None


def test_a_program_that_cannot_run_is_a_failure_with_its_reason(tmp_path: Path) -> None:
    with pytest.raises(ServerFailed, match="could not be started"):
        start(
            "Stub",
            [tmp_path / "no-such-program"],
            url="stub://",
            folder=tmp_path,
            probe=never_ready,
            timeout_seconds=1,
        )


def test_a_pid_that_was_taken_by_another_process_is_left_alone() -> None:
    stranger = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
    try:
        stale = RunningServer("Stub", "1", "stub://", pid=stranger.pid, start_mark="1")
        stale.stop()
        stale.kill()
        assert stranger.poll() is None
    finally:
        stranger.kill()
        stranger.wait()


def test_a_port_in_use_is_not_offered() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        assert free_port([port, 0]) != port
        with pytest.raises(OSError, match="no free port"):
            free_port([port])


def test_a_folder_closed_to_others_is_not_reachable(tmp_path: Path) -> None:
    closed = tmp_path / "home"
    closed.mkdir(mode=0o700)
    assert not reachable_by_all(closed / "program")
    assert reachable_by_all(Path("/bin/sh"))


def test_a_missing_server_skips_and_where_required_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("HALFAWAKE_REQUIRE_SERVERS", raising=False)
    with pytest.raises(pytest.skip.Exception, match="apt-get install redis-server"):
        skip_or_fail(MISSING)
    monkeypatch.setenv("HALFAWAKE_REQUIRE_SERVERS", "1")
    with pytest.raises(pytest.fail.Exception, match="HALFAWAKE_REQUIRE_SERVERS=1"):
        skip_or_fail(MISSING)


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "tests.servers", *arguments],
        cwd=Path(__file__).parents[2],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


@pytest.mark.servers
def test_a_set_outlives_its_command_and_is_stopped_by_another(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("HALFAWAKE_SERVERS_STATE", str(tmp_path))
    monkeypatch.delenv("HALFAWAKE_REQUIRE_SERVERS", raising=False)
    try:
        started = run("start", "redis")
        if "not found" in started.stderr:
            skip_or_fail(MISSING)
        exported = dict(re.findall(r"^export (\w+)='(.*)'$", started.stdout, re.MULTILINE))
        assert set(exported) == {"REDIS_URL", "HALFAWAKE_TEST_REDIS_URL"}
        with Redis.from_url(exported["REDIS_URL"]) as client:
            client.set("seen", "by the fixture")
        assert run("start", "redis").stdout == started.stdout, "a second start keeps the set"

        monkeypatch.setenv("HALFAWAKE_TEST_REDIS_URL", exported["REDIS_URL"])
        with provided("redis", {}) as server, Redis.from_url(server.url) as client:
            assert client.get("seen") == b"by the fixture"
            assert (server.name, server.pid) == ("Redis", None)
        (recorded,) = current_set().values()
        assert recorded.is_running(), "a fixture leaves alone what it did not start"
        assert run("status").returncode == 0
    finally:
        stopped = run("stop")
    assert "stopped 1: Redis" in stopped.stderr
    assert not recorded.is_running()
    assert recorded.folder is not None
    assert not recorded.folder.exists()


@pytest.mark.servers
def test_status_tells_a_server_that_died(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("HALFAWAKE_SERVERS_STATE", str(tmp_path))
    monkeypatch.delenv("HALFAWAKE_REQUIRE_SERVERS", raising=False)
    try:
        if "not found" in run("start", "redis").stderr:
            skip_or_fail(MISSING)
        (recorded,) = current_set().values()
        assert recorded.pid is not None
        os.kill(recorded.pid, signal.SIGKILL)
        while recorded.is_running():
            pass
        status = run("status")
        assert status.returncode == 1
        assert "DIED" in status.stderr
    finally:
        assert "none ran" in run("stop").stderr


def test_a_running_server_that_does_not_answer_is_an_error_not_a_skip() -> None:
    with pytest.raises(Exception, match="refused"):
        running_at("redis", f"redis://127.0.0.1:{free_port()}/0")
