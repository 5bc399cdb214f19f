"""The customers and the mail sink: a wave comes when it is foretold, every mail is counted."""

from __future__ import annotations

import json
import smtplib
import threading
import time
from collections.abc import Iterator
from email.message import EmailMessage
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from tests.lab import traffic
from tests.lab.mail_sink import LOOPBACK, MailSink
from tests.lab.traffic import Traffic


class Counter(BaseHTTPRequestHandler):
    """Answers everything and remembers when a sign-up came."""

    sign_ups: list[tuple[float, str]]

    def do_GET(self) -> None:
        self._answer()

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        if self.path == "/signups":
            self.sign_ups.append((time.monotonic(), body["email"]))
        self._answer()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  # as in the base
        """Silent."""

    def _answer(self) -> None:
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()


@pytest.fixture
def shop() -> Iterator[tuple[int, list[tuple[float, str]]]]:
    sign_ups: list[tuple[float, str]] = []
    server = ThreadingHTTPServer((LOOPBACK, 0), type("Handler", (Counter,), {"sign_ups": sign_ups}))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield int(server.server_address[1]), sign_ups
    server.shutdown()
    server.server_close()


def test_the_next_wave_comes_when_it_is_foretold(
    shop: tuple[int, list[tuple[float, str]]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(traffic, "ORDER_S", 1.2)
    port, sign_ups = shop
    with Traffic(port, cycle_s=1.5) as customers:
        wave = customers.next_wave(time.monotonic() + 0.2)
        assert wave >= time.monotonic() + 0.2
        time.sleep(max(0.0, wave + 1.0 - time.monotonic()))
    came = [at - wave for at, _ in sign_ups if at >= wave - 0.1]
    assert len(came) == len(traffic.WAVE_S)
    assert all(abs(at - due) < 0.2 for at, due in zip(came, traffic.WAVE_S, strict=True))
    addresses = [email for _, email in sign_ups]
    assert len(set(addresses)) == len(addresses), "every customer signs up once"
    assert set(customers.statuses) == {200}


def test_a_shop_that_is_down_is_counted_and_disturbs_nobody() -> None:
    with Traffic(port=1) as customers:
        time.sleep(0.4)
    assert set(customers.statuses) == {0}


def test_the_mail_sink_counts_by_recipient() -> None:
    message = EmailMessage()
    message["From"], message["To"], message["Subject"] = "a@example.org", "b@example.org", "hello"
    message.set_content(".a line that begins with a full stop\n..\n")
    with MailSink() as sink:
        for _ in range(2):
            with smtplib.SMTP(LOOPBACK, sink.port, timeout=5) as client:
                client.send_message(message)
        assert dict(sink.received) == {"b@example.org": 2}
