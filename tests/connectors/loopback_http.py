"""An HTTP server on loopback that records what arrives, and answers as told or passes it on."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TypeAlias

import httpx


@dataclass(frozen=True)
class Seen:
    """One request as it arrived. Header names are in lower case."""

    method: str
    target: str
    headers: Mapping[str, str]
    body: bytes

    @property
    def path(self) -> str:
        return self.target.partition("?")[0]


@dataclass(frozen=True)
class Told:
    """One answer."""

    status: int = 200
    body: bytes = b"{}"
    headers: Mapping[str, str] = field(default_factory=dict)


Answering: TypeAlias = Callable[[Seen], Told]


@dataclass
class Loopback:
    """The running server: where it is and what it saw."""

    url: str
    seen: list[Seen] = field(default_factory=list)


def as_json(value: object, status: int = 200, **headers: str) -> Told:
    return Told(status, json.dumps(value).encode(), {"content-type": "application/json", **headers})


def passing_on(upstream: str, prefix: str = "") -> Answering:
    """Sends requests below `prefix` to `upstream` without it, and answers 404 to the others."""

    def answer(seen: Seen) -> Told:
        if not seen.target.startswith(prefix):
            return Told(404, b"not below the prefix")
        dropped = {"host", "content-length", "connection", "accept-encoding"}
        headers = {name: value for name, value in seen.headers.items() if name not in dropped}
        with httpx.Client(base_url=upstream, timeout=30) as client:
            given = client.request(
                seen.method, seen.target.removeprefix(prefix), headers=headers, content=seen.body
            )
        kept = {"content-encoding", "content-length", "transfer-encoding", "connection"}
        passed = {name: value for name, value in given.headers.items() if name not in kept}
        return Told(given.status_code, given.content, passed)

    return answer


@contextmanager
def loopback(answering: Answering) -> Iterator[Loopback]:
    """Serves until the block ends."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def _answer(self) -> None:
            body = self.rfile.read(int(self.headers.get("content-length", 0)))
            headers = {name.lower(): value for name, value in self.headers.items()}
            seen = Seen(self.command, self.path, headers, body)
            running.seen.append(seen)
            told = answering(seen)
            self.send_response_only(told.status)
            for name, value in {**told.headers, "content-length": str(len(told.body))}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(told.body)

        do_GET = do_POST = do_PUT = do_DELETE = do_HEAD = _answer

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002  # as overridden
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    running = Loopback(f"http://127.0.0.1:{server.server_address[1]}")
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    try:
        yield running
    finally:
        server.shutdown()
        server.server_close()
        thread.join(5)
