"""The price service fails for some products; the basket catches that and answers 200 all the same.

Both are real HTTP servers. The failing one logs its own exception, the other one nothing of it.
"""

from __future__ import annotations

import logging
import secrets
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import httpx

from tests.lab.faults.wrong import Wrong
from tests.lab.yard import Yard

PRODUCTS, WITHOUT_PACK = 36, 4
"""Every fourth product has a pack size of nothing, by which its price is divided."""


class Prices(BaseHTTPRequestHandler):
    """What a product costs."""

    log: logging.Logger

    def do_GET(self) -> None:
        product, request = int(self.path.rpartition("/")[2]), self.headers["X-Request-Id"]
        try:
            price = 1_200 // (product % WITHOUT_PACK)
            status = 200
            self.log.info("GET %s 200 request_id=%s price=%d", self.path, request, price)
        except ZeroDivisionError:
            status = 500
            self.log.exception("GET %s 500 request_id=%s", self.path, request)
        self.send_response(status)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *words: object) -> None:
        """Said by `log`, as the service wants it."""


def break_it(yard: Yard) -> Wrong:
    basket, failed = yard.service("basket"), list[str]()
    Prices.log = yard.service("prices")
    with ThreadingHTTPServer(("127.0.0.1", 0), Prices) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        with httpx.Client(base_url=f"http://127.0.0.1:{server.server_address[1]}") as client:
            for product in range(1, PRODUCTS + 1):
                request = secrets.token_hex(8)
                answer = client.get(f"/prices/{product}", headers={"X-Request-Id": request})
                if answer.is_error:
                    failed.append(request)
                basket.info("POST /basket 200 request_id=%s product_id=%s", request, product)
                time.sleep(0.12)
        server.shutdown()
    assert len(failed) == PRODUCTS // WITHOUT_PACK
    return Wrong("swallowed-error", (failed[0], failed[-1]))
