"""A service becomes slower than its callers wait. Each asks again at once, four times, and what it
has given up is still being worked on: most of the load is repetition.

The real urllib3 repeats and words it.
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

CLIENTS, AGAIN, WAITS_S = 6, 4, 0.4
WELL, SLOW_S = 60, 27.0
"""Quotes that were well, and how long none is: half a minute of repetition is no mere backoff."""


class Quotes(BaseHTTPRequestHandler):
    """A quote takes `takes_s`, and two are made at a time."""

    log: logging.Logger
    takes_s = 0.02
    room = threading.Semaphore(2)

    def do_GET(self) -> None:
        with self.room:
            time.sleep(self.takes_s)
        self.log.info("GET %s 200 request_id=%s", self.path, self.headers["X-Request-Id"])
        try:
            self.send_response(200)
            self.send_header("Content-Length", "0")
            self.end_headers()
        except ConnectionError:
            pass

    def log_message(self, *words: object) -> None:
        """Said by `log`."""


def break_it(yard: Yard) -> Wrong:
    log, done = yard.service("web"), threading.Event()
    Quotes.log, Quotes.takes_s = yard.service("quotes"), 0.02
    library = logging.getLogger("urllib3.connectionpool")
    library.addHandler(log.handlers[0])
    server = ThreadingHTTPServer(("127.0.0.1", 0), Quotes)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    asked, failed = [0], list[str]()

    def visit(client: int) -> None:
        pool = urllib3.HTTPConnectionPool(
            "127.0.0.1", server.server_port, timeout=WAITS_S, retries=AGAIN
        )
        number = 0
        while not done.wait(0.1):
            number += 1
            asked[0] += 1
            request = f"w{client}-{number:04}"
            try:
                pool.request("GET", f"/quotes/{number}", headers={"X-Request-Id": request})
                log.info("GET /quotes/%s 200 request_id=%s", number, request)
            except HTTPError as error:
                failed.append(request)
                log.error("GET /quotes/%s 504 request_id=%s: %s", number, request, error)

    threads = [threading.Thread(target=visit, args=(n,)) for n in range(CLIENTS)]
    for thread in threads:
        thread.start()
    yard.until(lambda: asked[0] >= WELL, "quotes are given")
    Quotes.takes_s = 0.5
    time.sleep(SLOW_S)
    done.set()
    for thread in threads:
        thread.join(10)
    server.shutdown()
    server.server_close()
    library.removeHandler(log.handlers[0])
    said = (yard.logs / "web.log").read_text()
    assert said.count("Retrying") > 3 * len(failed) > 12
    return Wrong("retry-storm", (), frozenset(("network-hiccup",)))
