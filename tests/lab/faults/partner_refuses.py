"""A partner outside begins to answer 429, then 503; everything else goes on.

The real httpx asks through a proxy, so that its sentences name the partner.
"""

from __future__ import annotations

import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import httpx

from tests.lab.faults.wrong import Wrong
from tests.lab.yard import Yard

PARTNER = "labels.parcel.example"
ANSWERS = (200,) * 10 + (429,) * 8 + (503,) * 6


class Proxy(BaseHTTPRequestHandler):
    """Answers one of `ANSWERS` after the other, whatever it is asked for."""

    answered = 0

    def do_GET(self) -> None:
        status = ANSWERS[min(Proxy.answered, len(ANSWERS) - 1)]
        Proxy.answered += 1
        self.send_response(status)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *words: object) -> None:
        """The partner's log is not ours to read."""


def break_it(yard: Yard) -> Wrong:
    log = yard.service("shipping")
    with ThreadingHTTPServer(("127.0.0.1", 0), Proxy) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        with httpx.Client(proxy=f"http://127.0.0.1:{server.server_address[1]}") as client:
            for number in range(len(ANSWERS)):
                try:
                    client.get(f"http://{PARTNER}/labels").raise_for_status()
                    log.info("label printed order_id=%s", 8_000 + number)
                except httpx.HTTPStatusError as error:
                    log.error("no label order_id=%s: %s", 8_000 + number, error)
                time.sleep(0.15)
        server.shutdown()
    assert Proxy.answered == len(ANSWERS)
    return Wrong("third-party", (PARTNER,))
