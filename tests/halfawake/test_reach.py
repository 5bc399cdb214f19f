"""Tunnels are the engineer's own processes: opened once, shared, redirected to, ended by pid."""

from __future__ import annotations

import socket
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from halfawake.config import SourceConfig
from halfawake.reach import Reach, address_of, redirected, tunnel_argv
from timeline.problems import AccessRefused, Misconfigured, Unreachable

FORWARDER = """
import socket, sys, threading
def pump(a, b):
    while data := a.recv(4096):
        b.sendall(data)
server = socket.create_server(("127.0.0.1", int(sys.argv[1])))
while True:
    near, _ = server.accept()
    far = socket.create_connection((sys.argv[2], int(sys.argv[3])))
    for pair in ((near, far), (far, near)):
        threading.Thread(target=pump, args=pair, daemon=True).start()
"""


@pytest.fixture
def greeter() -> Iterator[int]:
    """A server that says hello; its port."""
    server = socket.create_server(("127.0.0.1", 0))

    def greet() -> None:
        while True:
            try:
                client, _ = server.accept()
            except OSError:
                return
            with client:
                client.sendall(b"hello")

    threading.Thread(target=greet, daemon=True).start()
    yield server.getsockname()[1]
    server.close()


@pytest.fixture
def reach() -> Iterator[Reach]:
    opened = Reach()
    yield opened
    opened.close()


def forwarder(tmp_path: Path) -> str:
    script = tmp_path / "forward.py"
    script.write_text(FORWARDER, encoding="utf-8")
    return f"{sys.executable} {script} {{local_port}} {{host}} {{port}}"


def test_a_source_is_reached_through_its_tunnel(tmp_path: Path, greeter: int, reach: Reach) -> None:
    settings = SourceConfig(
        connector="rq", via=forwarder(tmp_path), url=f"redis://u:p@127.0.0.1:{greeter}/3"
    )
    options = reach.options_for("queue", settings)
    tunnel = reach.used_by["queue"]
    assert options["url"] == f"redis://u:p@127.0.0.1:{tunnel.local_port}/3"
    with socket.create_connection(("127.0.0.1", tunnel.local_port), timeout=5) as client:
        assert client.recv(5) == b"hello"


def test_sources_behind_one_address_share_a_tunnel_and_it_ends_by_pid(
    tmp_path: Path, greeter: int, reach: Reach
) -> None:
    settings = SourceConfig(
        connector="rq", via=forwarder(tmp_path), url=f"redis://127.0.0.1:{greeter}"
    )
    reach.options_for("one", settings)
    reach.options_for("two", settings)
    assert reach.used_by["one"] is reach.used_by["two"]
    process = reach.used_by["one"].process
    reach.close()
    assert process.poll() is not None


def test_a_tunnel_that_dies_says_why(reach: Reach) -> None:
    dying = f"{sys.executable} -c \"import sys; sys.exit('no route to bastion')\" {{local_port}}"
    settings = SourceConfig(connector="rq", via=dying, url="redis://10.0.0.1")
    with pytest.raises(Unreachable, match="exit code 1: no route to bastion"):
        reach.options_for("queue", settings)


def test_short_forms_are_completed() -> None:
    assert tunnel_argv("ssh -J jump bastion", 5000, "db", 5432) == [
        *("ssh", "-N", "-o", "ExitOnForwardFailure=yes"),
        *("-L", "127.0.0.1:5000:db:5432", "-J", "jump", "bastion"),
    ]
    assert tunnel_argv("kubectl -n shop port-forward svc/pg 5432", 5000, "pg", 5432)[-2:] == [
        "svc/pg",
        "5000:5432",
    ]
    with pytest.raises(Misconfigured, match="local port goes"):
        tunnel_argv("aws ssm start-session --target i-1", 5000, "db", 5432)


def test_tls_still_checks_the_real_name() -> None:
    changed = redirected({"url": "https://search.example:9243/logs"}, 5000)
    assert changed == {"url": "https://127.0.0.1:5000/logs", "tls_server_name": "search.example"}
    dsn = redirected({"dsn": "postgresql://u@db.example/shop?sslmode=verify-full"}, 5000)["dsn"]
    assert dsn == "postgresql://u@db.example:5000/shop?sslmode=verify-full&hostaddr=127.0.0.1"


def test_an_address_is_needed() -> None:
    assert address_of({"url": "rediss://cache.example"}, "q") == ("cache.example", 6379)
    with pytest.raises(Misconfigured, match="needs an address"):
        address_of({"paths": ["a.log"]}, "web")


def test_a_password_command_runs_once_and_never_leaks(tmp_path: Path, reach: Reach) -> None:
    count = tmp_path / "count"
    script = tmp_path / "password.py"
    script.write_text(f"open({str(count)!r}, 'a').write('x'); print('s3cret')", encoding="utf-8")
    command = f"{sys.executable} {script}"
    for source in ("one", "two"):
        settings = SourceConfig(connector="rq", url="redis://h", password_command=command)
        assert reach.options_for(source, settings)["password"] == "s3cret"
    assert count.read_text(encoding="utf-8") == "x"
    failing = f"{sys.executable} -c \"import sys; print('s3cret'); sys.exit(3)\""
    settings = SourceConfig(connector="rq", url="redis://h", password_command=failing)
    with pytest.raises(AccessRefused) as caught:
        reach.options_for("three", settings)
    assert "exit code 3" in caught.value.sentence()
    assert "s3cret" not in caught.value.sentence()
