"""A small Loki of our own on loopback: streams, LogQL selectors with line filters, real paging.

It pages as Loki does (start inclusive, end exclusive, by nanosecond and direction, at most
`limit` entries over all streams, a refusal above `most`), and logs every method and path.
"""

from __future__ import annotations

import base64
import json
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit


@dataclass
class StubLoki:
    """Its content and its manners; `entries` are (ns, labels, line, structured metadata)."""

    entries: list[tuple[int, dict[str, str], str, dict[str, str]]]
    most: int = 5_000
    tenant: str = ""
    login: str = ""
    """`user:password` for basic, `Bearer TOKEN` for a token."""
    failing: tuple[int, str] | None = None
    asked: list[tuple[str, str]] = field(default_factory=list)
    limits: list[int] = field(default_factory=list)
    url: str = ""

    @contextmanager
    def serving(self) -> Iterator[StubLoki]:
        class Handler(_Handler):
            loki = self

        server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        self.url = f"http://127.0.0.1:{server.server_address[1]}"
        try:
            yield self
        finally:
            server.shutdown()
            server.server_close()
            thread.join(5)

    def chosen(
        self, query: str, start: int, end: int
    ) -> list[tuple[int, dict[str, str], str, dict[str, str]]]:
        selector, _, rest = query.partition("}")
        wanted = re.findall(r'(\w+)(=~|=)"([^"]*)"', selector)
        filters = re.findall(r'\|= ("(?:[^"\\]|\\.)*")', rest)
        beside = re.findall(r'[|or] (\w+)=("(?:[^"\\]|\\.)*")', rest)
        found = []
        for entry in self.entries:
            told = not beside or any(entry[3].get(n) == json.loads(v) for n, v in beside)
            told = told and all(
                re.fullmatch(value if op == "=~" else re.escape(value), entry[1].get(name, ""))
                for name, op, value in wanted
            )
            if told and start <= entry[0] < end and all(json.loads(f) in entry[2] for f in filters):
                found.append(entry)
        return found


class _Handler(BaseHTTPRequestHandler):
    loki: StubLoki
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        loki, parts = self.loki, urlsplit(self.path)
        loki.asked.append(("GET", parts.path))
        query = {name: values[0] for name, values in parse_qs(parts.query).items()}
        if loki.failing is not None:
            self._send(loki.failing[1].encode(), loki.failing[0], "text/plain")
        elif loki.login and self.headers.get("authorization") != _expected(loki.login):
            self._send(b"unauthorized", 401, "text/plain")
        elif loki.tenant and self.headers.get("x-scope-orgid") != loki.tenant:
            self._send(b"no org id", 401, "text/plain")
        elif parts.path == "/loki/api/v1/status/buildinfo":
            self._json({"version": "3.1.0"})
        elif parts.path == "/loki/api/v1/labels":
            self._json({"data": sorted({name for e in loki.entries for name in e[1]})})
        elif parts.path == "/loki/api/v1/query":
            self._count(query)
        elif parts.path == "/loki/api/v1/query_range":
            self._range(query)
        else:
            self._send(b"404 page not found", 404, "text/plain")

    def _range(self, query: dict[str, str]) -> None:
        loki, limit = self.loki, int(query["limit"])
        loki.limits.append(limit)
        if limit > loki.most:
            words = (
                "max entries limit per query exceeded, limit > max_entries_limit_per_query "
                f"({limit} > {loki.most})"
            )
            return self._send(words.encode(), 400, "text/plain")
        found = loki.chosen(query["query"], int(query["start"]), int(query["end"]))
        found.sort(key=lambda entry: entry[0], reverse=query["direction"] == "backward")
        streams: dict[str, list[object]] = {}
        for at, labels, line, metadata in found[:limit]:
            third = [{"structuredMetadata": metadata}] if metadata else []
            streams.setdefault(json.dumps(labels), []).append([str(at), line, *third])
        result = [{"stream": json.loads(key), "values": v} for key, v in streams.items()]
        return self._json({"data": {"resultType": "streams", "result": result}})

    def _count(self, query: dict[str, str]) -> None:
        matched = re.fullmatch(r"sum\(count_over_time\((.*)\[(\d+)ms\]\)\)", query["query"])
        assert matched is not None, query
        end = int(query["time"])
        start = end - int(matched.group(2)) * 1_000_000
        count = len(self.loki.chosen(matched.group(1), start + 1, end + 1))
        result = [{"metric": {}, "value": [end / 1e9, str(count)]}] if count else []
        self._json({"data": {"resultType": "vector", "result": result}})

    def _json(self, content: dict[str, object]) -> None:
        body = json.dumps({"status": "success", **content}).encode()
        self._send(body, 200, "application/json")

    def _send(self, body: bytes, status: int, kind: str) -> None:
        self.send_response(status)
        self.send_header("content-type", kind)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  its given name
        """Nothing on stderr: what was asked is in `asked`."""


def _expected(login: str) -> str:
    if login.startswith("Bearer "):
        return login
    return f"Basic {base64.b64encode(login.encode()).decode()}"
