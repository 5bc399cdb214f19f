"""An SMTP server that only counts what it accepts, and may refuse for a while: the mail gateway."""

from __future__ import annotations

import socketserver
import threading
from collections import Counter
from types import TracebackType
from typing import Self

LOOPBACK = "127.0.0.1"


class MailSink:
    """Listens on a free port of loopback while its block lasts; `received` counts by recipient.

    While `refusing` it answers every mail with 451, which asks the sender to come again later.
    """

    def __init__(self) -> None:
        self.received: Counter[str] = Counter()
        self._server = _Server(self.received)

    @property
    def refusing(self) -> bool:
        return self._server.refusing

    @refusing.setter
    def refusing(self, refuse: bool) -> None:
        self._server.refusing = refuse

    @property
    def port(self) -> int:
        return int(self._server.server_address[1])

    def __enter__(self) -> Self:
        threading.Thread(target=self._server.serve_forever, name="mail", daemon=True).start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._server.shutdown()
        self._server.server_close()


class _Server(socketserver.ThreadingTCPServer):
    daemon_threads = True

    def __init__(self, received: Counter[str]) -> None:
        super().__init__((LOOPBACK, 0), _Session)
        self.received = received
        self.refusing = False


class _Session(socketserver.StreamRequestHandler):
    """One conversation, after RFC 5321: enough of it for one mail at a time."""

    def handle(self) -> None:
        self._say("220 sink ready")
        recipient = ""
        while line := self.rfile.readline().decode(errors="replace").strip():
            verb = line.split(":")[0].split(" ")[0].upper()
            assert isinstance(self.server, _Server)
            if verb == "MAIL" and self.server.refusing:
                self._say("451 4.3.2 Mail system is full, try again later")
                continue
            if verb == "RCPT":
                recipient = line.partition("<")[2].partition(">")[0]
            if verb == "DATA":
                self._say("354 go on")
                while self.rfile.readline().strip() != b".":
                    pass
                self.server.received[recipient] += 1
            self._say("221 bye" if verb == "QUIT" else "250 ok")
            if verb == "QUIT":
                return

    def _say(self, line: str) -> None:
        self.wfile.write(f"{line}\r\n".encode())
