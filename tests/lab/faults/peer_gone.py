"""A service is gone, and its only client asks again at once, ten times for each request.

The real urllib3 counts and words its own attempts.
"""

from __future__ import annotations

import logging
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import urllib3
from urllib3.exceptions import HTTPError

from tests.lab.faults.wrong import Wrong
from tests.lab.yard import Yard

CLIENTS, EACH = 3, 10
WELL_S, GONE_S = 4.0, 4.0


class Stock(BaseHTTPRequestHandler):
    """How many are left; it does not matter here."""

    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *words: object) -> None:
        """Its log is not read."""


def break_it(yard: Yard) -> Wrong:
    log, done = yard.service("web"), threading.Event()
    library = logging.getLogger("urllib3.connectionpool")
    library.addHandler(log.handlers[0])
    server = ThreadingHTTPServer(("127.0.0.1", 0), Stock)
    host, port = "127.0.0.1", server.server_address[1]
    threading.Thread(target=server.serve_forever, daemon=True).start()

    def serve(client: int) -> None:
        pool = urllib3.HTTPConnectionPool(host, port, timeout=1, retries=EACH)
        number = 0
        while not done.wait(0.1):
            number += 1
            try:
                pool.request("GET", f"/stock/{number}", headers={"Connection": "close"})
                log.info("GET /stock/%s 200 request_id=w%s-%04d", number, client, number)
            except HTTPError as error:
                log.error(
                    "GET /stock/%s 502 request_id=w%s-%04d: %s", number, client, number, error
                )

    threads = [threading.Thread(target=serve, args=(number,)) for number in range(CLIENTS)]
    for thread in threads:
        thread.start()
    time.sleep(WELL_S)
    server.shutdown()
    server.server_close()
    time.sleep(GONE_S)
    done.set()
    for thread in threads:
        thread.join(10)
    library.removeHandler(log.handlers[0])
    return Wrong("network-hiccup", (f"{host}:{port}",), frozenset(("retry-storm",)))
