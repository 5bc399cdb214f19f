"""The proxy against a plain echo server: what passes, waits, is lost, and how long it takes."""

from __future__ import annotations

import socket
import socketserver
import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager

import pytest

from tests.lab.proxy import LOOPBACK, Link, Proxy

SLACK_S = 0.25
"""Scheduling noise of a busy machine; every bound below is several times as wide."""


class EchoServer(socketserver.ThreadingTCPServer):
    daemon_threads = True
    allow_reuse_address = True

    def __init__(self) -> None:
        super().__init__((LOOPBACK, 0), EchoHandler)
        self.received: list[bytes] = []


class EchoHandler(socketserver.BaseRequestHandler):
    def handle(self) -> None:
        assert isinstance(self.server, EchoServer)
        while data := self.request.recv(65_536):
            self.server.received.append(data)
            self.request.sendall(data)


@pytest.fixture
def echo() -> Iterator[EchoServer]:
    with EchoServer() as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server
        server.shutdown()


@contextmanager
def proxied(echo: EchoServer, link: Link | None = None) -> Iterator[Proxy]:
    with Proxy(LOOPBACK, int(echo.server_address[1]), link) as proxy:
        yield proxy


def connected(proxy: Proxy, timeout: float = 5.0) -> socket.socket:
    return socket.create_connection((LOOPBACK, proxy.port), timeout=timeout)


def wait_for(condition: object, within: float = 2.0) -> None:
    assert callable(condition)
    deadline = time.monotonic() + within
    while not condition():
        assert time.monotonic() < deadline, "it did not happen"
        time.sleep(0.01)


def test_bytes_and_the_end_of_a_connection_pass_both_ways(echo: EchoServer) -> None:
    with proxied(echo) as proxy:
        with closing(connected(proxy)) as client:
            client.sendall(b"hello")
            assert client.recv(10) == b"hello"
            client.shutdown(socket.SHUT_WR)
            assert client.recv(10) == b""
        wait_for(lambda: proxy.connections == 0)
        assert (proxy.bytes_to_server, proxy.bytes_to_client) == (5, 5)


def test_a_stalled_request_is_delivered_when_the_stall_ends(echo: EchoServer) -> None:
    with proxied(echo) as proxy, closing(connected(proxy)) as client:
        client.sendall(b"before")
        assert client.recv(10) == b"before"
        began = proxy.stall()
        client.sendall(b"during")
        client.settimeout(0.2)
        with pytest.raises(TimeoutError):
            client.recv(10)
        assert echo.received == [b"before"]
        ended, released = proxy.resume()
        client.settimeout(2)
        assert client.recv(10) == b"during"
        (held,) = released
        assert held.delivered
        assert held.request_bytes == 6
        assert began <= held.held_since_ns <= ended


def test_a_request_of_a_client_that_gave_up_is_still_delivered(echo: EchoServer) -> None:
    """The reason why a time-out does not mean that nothing happened."""
    with proxied(echo) as proxy:
        client = connected(proxy)
        client.sendall(b"x")
        assert client.recv(1) == b"x"
        proxy.stall()
        client.sendall(b"enqueue")
        client.close()
        time.sleep(0.1)
        proxy.resume()
        wait_for(lambda: echo.received == [b"x", b"enqueue"])


def test_a_request_that_is_not_delivered_is_lost_with_its_connection(echo: EchoServer) -> None:
    with proxied(echo) as proxy, closing(connected(proxy)) as client:
        client.sendall(b"x")
        assert client.recv(1) == b"x"
        proxy.stall()
        client.sendall(b"enqueue")
        time.sleep(0.1)
        _, (held,) = proxy.resume(deliver=lambda flow: False)
        assert not held.delivered
        with pytest.raises(ConnectionResetError):
            client.recv(10)
        assert echo.received == [b"x"]


def test_a_connection_begun_during_a_stall_times_out_and_a_later_one_passes(
    echo: EchoServer,
) -> None:
    with proxied(echo) as proxy:
        proxy.stall()
        with pytest.raises(TimeoutError):
            connected(proxy, timeout=0.5)
        proxy.resume()
        with closing(connected(proxy)) as client:
            client.sendall(b"after")
            assert client.recv(10) == b"after"
        assert echo.received == [b"after"]


def test_with_only_responses_stalled_the_request_is_executed_and_nobody_hears_of_it(
    echo: EchoServer,
) -> None:
    with proxied(echo) as proxy, closing(connected(proxy)) as client:
        proxy.stall(requests=False)
        client.sendall(b"enqueue")
        wait_for(lambda: echo.received == [b"enqueue"])
        client.settimeout(0.2)
        with pytest.raises(TimeoutError):
            client.recv(10)
        proxy.resume()
        client.settimeout(2)
        assert client.recv(10) == b"enqueue"


def test_a_cut_resets_the_chosen_connections_only(echo: EchoServer) -> None:
    with proxied(echo) as proxy, closing(connected(proxy)) as old, closing(connected(proxy)) as new:
        for client in (old, new):
            client.sendall(b"x")
            assert client.recv(1) == b"x"
        assert proxy.cut(lambda flow: flow.number == 1) == 1
        with pytest.raises(ConnectionResetError):
            old.recv(1)
        new.sendall(b"y")
        assert new.recv(1) == b"y"


def test_only_the_idlest_connection_is_cut_and_only_when_it_was_idle(echo: EchoServer) -> None:
    with (
        proxied(echo) as proxy,
        closing(connected(proxy)) as idle,
        closing(connected(proxy)) as busy,
    ):
        for client in (idle, busy):
            client.sendall(b"x")
            assert client.recv(1) == b"x"
        assert proxy.cut_idlest(5.0) == 0
        time.sleep(0.2)
        busy.sendall(b"y")
        assert busy.recv(1) == b"y"
        assert proxy.cut_idlest(0.1) == 1
        with pytest.raises(ConnectionResetError):
            idle.recv(1)
        busy.sendall(b"z")
        assert busy.recv(1) == b"z"


def test_when_it_breaks_for_good_connections_end_and_new_ones_are_refused(echo: EchoServer) -> None:
    with proxied(echo) as proxy, closing(connected(proxy)) as client:
        client.sendall(b"x")
        assert client.recv(1) == b"x"
        port = proxy.port
        proxy.break_for_good()
        assert client.recv(1) == b""
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection((LOOPBACK, port), timeout=2)


def test_a_round_trip_takes_the_delay_of_the_link(echo: EchoServer) -> None:
    with proxied(echo, Link(round_trip_s=0.2)) as proxy, closing(connected(proxy)) as client:
        began = time.monotonic()
        client.sendall(b"ping")
        assert client.recv(10) == b"ping"
        assert 0.2 <= time.monotonic() - began < 0.2 + SLACK_S


def test_a_narrow_link_takes_the_time_of_its_bits(echo: EchoServer) -> None:
    size, rate = 250_000, 4_000_000
    with proxied(echo, Link(bits_per_second=rate)) as proxy, closing(connected(proxy)) as client:
        sender = threading.Thread(target=client.sendall, args=(bytes(size),))
        began = time.monotonic()
        sender.start()
        received = 0
        while received < size:
            received += len(client.recv(65_536))
        sender.join()
        expected = size * 8 / rate
        assert expected <= time.monotonic() - began < 2 * expected + SLACK_S


def test_a_dead_target_resets_its_clients(echo: EchoServer) -> None:
    with socket.socket() as unused:
        unused.bind((LOOPBACK, 0))
        port = unused.getsockname()[1]
    with (
        Proxy(LOOPBACK, port) as proxy,
        pytest.raises(ConnectionResetError),  # as early as while connecting
        closing(connected(proxy)) as client,
    ):
        client.recv(1)
