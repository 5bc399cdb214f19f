"""`statement-mailer`: accepts statements, then renders and mails them, and keeps what it rendered.

`python -m shop.statements`; ends on SIGTERM. It says 202 before it begins; what goes wrong then
stands in its own log and nowhere else. Its memory is bounded by RLIMIT_AS.
"""

from __future__ import annotations

import hashlib
import json
import logging
import os
import resource
import signal
import smtplib
import sys
import time
from email.message import EmailMessage
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import psycopg

from .mailer import log_lines
from .measured import Measured
from .settings import Settings

log = logging.getLogger("statement-mailer")
LIMIT_BYTES = 448 * 2**20
PAGE_BYTES = 640 * 2**10
"""A rendered statement, kept in case somebody asks for it again; nobody ever does."""
SIGNING_ROUNDS = 10_000
SICK_AFTER = 25
"""So many statements in a row that could not be rendered, and it calls itself unhealthy."""
STARTED_S = time.time()


class Mailer:
    """Renders and sends; remembers every page."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.database = psycopg.connect(settings.database_url, autocommit=True)
        self.measured = Measured(settings.measured)
        self.pages: dict[tuple[int, str], bytes] = {}
        self.handled = 0
        self.failed_in_a_row = 0

    def handle(self, user: int, batch: str) -> None:
        """Send one statement; whatever goes wrong is logged here."""
        self.handled += 1
        try:
            self._send(user, batch)
        except MemoryError:
            self.failed_in_a_row += 1
            self.measured.note("not_mailed", user=user, batch=batch, why="memory")
            log.error("statement of user_id=%s not rendered: out of memory", user)
        except (LookupError, smtplib.SMTPException) as error:
            self.measured.note("not_mailed", user=user, batch=batch, why="address")
            log.error("statement of user_id=%s not sent: %s", user, error)
        else:
            self.failed_in_a_row = 0
            self.measured.note("mailed", user=user, batch=batch, at=time.time_ns())
            log.info("statement of user_id=%s mailed", user)

    def _send(self, user: int, batch: str) -> None:
        row = self.database.execute("SELECT email FROM users WHERE id = %s", (user,)).fetchone()
        if row is None or row[0] is None:
            raise LookupError("no address")
        seal = hashlib.pbkdf2_hmac("sha256", str(user).encode(), b"statement", SIGNING_ROUNDS)
        self.pages[user, batch] = seal * (PAGE_BYTES // len(seal))
        message = EmailMessage()
        message["From"], message["To"] = "office@example.org", row[0]
        message["Subject"] = "Your statement"
        message.set_content(seal.hex())
        with smtplib.SMTP("127.0.0.1", self.settings.smtp_port, timeout=5) as server:
            server.send_message(message)

    def metrics(self) -> str:
        """What the Prometheus client libraries tell of a process, under their names."""
        pages = int(Path("/proc/self/statm").read_text().split()[1])
        return (
            f"process_resident_memory_bytes {pages * os.sysconf('SC_PAGE_SIZE')}\n"
            f"process_virtual_memory_max_bytes {LIMIT_BYTES}\n"
            f"process_start_time_seconds {STARTED_S:.3f}\n"
            f"statements_handled_total {self.handled}\n"
        )


class Handler(BaseHTTPRequestHandler):
    """`POST /statements` accepts one; `/health` and `/metrics` are for machines."""

    server: MailerServer

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self._answer(HTTPStatus.ACCEPTED, "")
        self.wfile.flush()
        self.connection.close()
        self.server.mailer.handle(body["user_id"], body["batch_id"])

    def do_GET(self) -> None:
        mailer = self.server.mailer
        sick = self.path == "/health" and mailer.failed_in_a_row >= SICK_AFTER
        status = HTTPStatus.SERVICE_UNAVAILABLE if sick else HTTPStatus.OK
        self._answer(status, mailer.metrics() if self.path == "/metrics" else "")

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  # the base class's name
        """The service's own log says it already."""

    def _answer(self, status: HTTPStatus, text: str) -> None:
        content = text.encode()
        self.send_response(status)
        self.send_header("Content-Type", "text/plain; version=0.0.4")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)


class MailerServer(HTTPServer):
    """One request after the other."""

    request_queue_size = 64

    def __init__(self, mailer: Mailer) -> None:
        super().__init__(("127.0.0.1", mailer.settings.http_port), Handler)
        self.mailer = mailer


def main() -> None:
    settings = Settings.from_environment()
    log_lines(settings, log)
    server = MailerServer(Mailer(settings))
    resource.setrlimit(resource.RLIMIT_AS, (LIMIT_BYTES, LIMIT_BYTES))
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    log.info("listening on port %d", settings.http_port)
    server.serve_forever()


if __name__ == "__main__":
    main()
