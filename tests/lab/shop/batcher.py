"""`batcher`: hands the statements of a batch over to `statement-mailer`, one after the other.

`python -m shop.batcher MAILER_PORT`; ends on SIGTERM. It believes what it is told: 202 is done. A
run goes over everybody who has no statement yet, and nothing keeps a second run from the same.
"""

from __future__ import annotations

import http.client
import json
import logging
import signal
import sys
import threading
import time
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import psycopg

from .mailer import log_lines
from .measured import Measured
from .settings import Settings

log = logging.getLogger("batcher")
MAILER_WITHIN_S = 10.0
PAUSE_S = 0.07
"""Between two statements: the mail gateway takes no more than some dozen a second."""


def run(settings: Settings, mailer_port: int, batch: str, public_ids: list[str]) -> None:
    """One run of a batch, to its end or to the first user that could not be handed over."""
    measured = Measured(settings.measured)
    with psycopg.connect(settings.database_url, autocommit=True) as connection:
        users = connection.execute(
            "SELECT id FROM users WHERE (cardinality(%(ids)s::text[]) = 0"
            " OR public_id::text = ANY(%(ids)s)) AND NOT EXISTS"
            " (SELECT FROM statements WHERE user_id = users.id) ORDER BY id",
            {"ids": public_ids},
        ).fetchall()
        measured.note("run_began", batch=batch, users=len(users), at=time.time_ns())
        log.info("batch_id=%s starting: sending %d statements", batch, len(users))
        for (user,) in users:
            try:
                _hand_over(mailer_port, user, batch)
            except OSError as error:
                measured.note("run_stopped", batch=batch, user=user, at=time.time_ns())
                log.error("batch_id=%s stopped at user_id=%s: %s", batch, user, error)
                return
            measured.note("handed", batch=batch, user=user, at=time.time_ns())
            connection.execute(
                "INSERT INTO statements (user_id, batch) VALUES (%s, %s)", (user, batch)
            )
            log.info("batch_id=%s statement of user_id=%s sent", batch, user)
            time.sleep(PAUSE_S)
    measured.note("run_ended", batch=batch, at=time.time_ns())
    log.info("batch_id=%s finished", batch)


def _hand_over(port: int, user: int, batch: str) -> None:
    """Raises OSError when the mailer does not accept it."""
    mailer = http.client.HTTPConnection("127.0.0.1", port, timeout=MAILER_WITHIN_S)
    try:
        mailer.request("POST", "/statements", json.dumps({"user_id": user, "batch_id": batch}))
        status = mailer.getresponse().status
    except http.client.HTTPException as error:
        raise OSError(f"statement-mailer: {type(error).__name__}") from error
    finally:
        mailer.close()
    if status != HTTPStatus.ACCEPTED:
        raise OSError(f"statement-mailer answered {status}")


class Handler(BaseHTTPRequestHandler):
    """`POST /runs` begins a run and does not wait for it."""

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        settings = Settings.from_environment()
        batch, users = body["batch_id"], body["users"]
        arguments = (settings, int(sys.argv[1]), batch, users)
        threading.Thread(target=run, args=arguments, daemon=True).start()
        log.info('"POST /runs HTTP/1.1" 202 batch_id=%s', batch)
        self.send_response(HTTPStatus.ACCEPTED)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  # the base class's name
        """The service's own log says it already."""


def main() -> None:
    settings = Settings.from_environment()
    log_lines(settings, log)
    server = ThreadingHTTPServer(("127.0.0.1", settings.http_port), Handler)
    log.info("listening on port %d", settings.http_port)
    signal.signal(signal.SIGTERM, lambda *_: threading.Thread(target=server.shutdown).start())
    server.serve_forever()
    log.info("stopped")


if __name__ == "__main__":
    main()
