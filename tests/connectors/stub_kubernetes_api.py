"""Enough of the Kubernetes HTTP API for a real kubectl to read a recorded cluster; loopback only.

Serves discovery, one namespace's pods and events, pod logs and access reviews, and logs every
method and path.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

from tests.connectors.recorded_cluster import Cluster

_KINDS = {"pods": "Pod", "events": "Event", "pods/log": "Pod"}


@contextmanager
def api_of(cluster: Cluster) -> Iterator[tuple[str, list[tuple[str, str]]]]:
    """The server's address and what it was asked, as (method, path)."""
    asked: list[tuple[str, str]] = []

    class Handler(_Handler):
        folder = cluster.folder
        log = asked

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}", asked
    finally:
        server.shutdown()
        server.server_close()
        thread.join(5)


class _Handler(BaseHTTPRequestHandler):
    folder: Path
    log: list[tuple[str, str]]
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        parts = urlsplit(self.path)
        self.log.append(("GET", parts.path))
        words = parts.path.strip("/").split("/")
        query = {name: values[0] for name, values in parse_qs(parts.query).items()}
        if parts.path == "/version":
            self._json({"gitVersion": "v1.31.2", "major": "1", "minor": "31"})
        elif parts.path == "/api":
            self._json({"kind": "APIVersions", "versions": ["v1"]})
        elif parts.path == "/apis":
            self._json({"kind": "APIGroupList", "apiVersion": "v1", "groups": []})
        elif parts.path == "/api/v1":
            self._json(_resources())
        elif words[:3] == ["api", "v1", "namespaces"] and len(words) == 5:
            content = json.loads((self.folder / f"{words[4]}.json").read_text())
            kind = _KINDS[words[4]]
            items = [{"kind": kind, "apiVersion": "v1", **item} for item in content["items"]]
            self._json({"kind": f"{kind}List", "apiVersion": "v1", "metadata": {}, "items": items})
        elif words[-1] == "log":
            self._log_lines(words[5], query)
        elif len(words) == 6:
            pods = json.loads((self.folder / "pods.json").read_text())["items"]
            (found,) = [pod for pod in pods if pod["metadata"]["name"] == words[5]]
            named = [{"name": s["name"]} for s in found["status"]["containerStatuses"]]
            spec = {**found["spec"], "containers": named}
            self._json({"kind": "Pod", "apiVersion": "v1", **found, "spec": spec})
        else:
            self._json({"kind": "Status", "status": "Failure", "code": 404}, 404)

    def do_POST(self) -> None:
        path = urlsplit(self.path).path
        self.log.append(("POST", path))
        review = json.loads(self.rfile.read(int(self.headers["content-length"])))
        verb = review["spec"]["resourceAttributes"]["verb"]
        review["status"] = {"allowed": verb in ("get", "list")}
        self._json(review, 201)

    def _log_lines(self, pod: str, query: dict[str, str]) -> None:
        assert query["timestamps"] == "true"
        before = ".previous" if query.get("previous") == "true" else ""
        text = (self.folder / "logs" / pod / f"{query['container']}{before}.log").read_text()
        since = query.get("sinceTime", "")[:19]
        lines = [line for line in text.splitlines(keepends=True) if line[:19] >= since]
        limit = int(query.get("limitBytes", 2**40))
        self._send("".join(lines).encode()[:limit], "text/plain", 200)

    def _json(self, content: object, status: int = 200) -> None:
        self._send(json.dumps(content).encode(), "application/json", status)

    def _send(self, body: bytes, kind: str, status: int) -> None:
        self.send_response(status)
        self.send_header("content-type", kind)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  its given name
        """Nothing on stderr: what was asked is in `log`."""


def _resources() -> dict[str, object]:
    found = [
        {"name": name, "namespaced": True, "kind": kind, "verbs": ["get", "list"]}
        for name, kind in _KINDS.items()
    ]
    return {"kind": "APIResourceList", "groupVersion": "v1", "resources": found}
