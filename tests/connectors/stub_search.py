"""A search cluster on loopback that records every request and fails on demand.

Knows as much of Elasticsearch and OpenSearch as the connector asks for: time-sorted searches with
ties across shards, points in time whose id changes with every page, scrolls, counts, field types.
What it answers otherwise is told to it by `Fault`s. Real servers prove the connector; this proves
what real servers seldom do.
"""

from __future__ import annotations

import gzip
import json
import re
import ssl
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

Json = dict[str, Any]
COMPATIBLE = re.compile(r"compatible-with=(\d+)")


@dataclass(frozen=True)
class Seen:
    """One request as it arrived."""

    method: str
    path: str
    parameters: Mapping[str, str]
    headers: Mapping[str, str]
    body: Json

    @property
    def opens(self) -> bool:
        return self.method == "POST" and self.path.endswith(("/_pit", "/point_in_time"))

    @property
    def closes(self) -> bool:
        return self.method == "DELETE"

    @property
    def pages(self) -> bool:
        """A page of a point in time or a scroll."""
        scrolls = self.path == "/_search/scroll" or "scroll" in self.parameters
        return self.method == "POST" and ("pit" in self.body or scrolls)


@dataclass
class Fault:
    """Answers of its own for the next `times` requests that `when` holds for."""

    when: Callable[[Seen], bool]
    status: int = 200
    body: bytes | Json = b""
    headers: Mapping[str, str] = field(default_factory=dict)
    times: int = 1
    merge: Json = field(default_factory=dict)
    """Instead of a body: laid over the true answer."""
    delay_s: float = 0.0
    skip: int = 0
    """Requests that pass unharmed first."""


@dataclass
class SearchStub:
    """State of the cluster. `documents` are (index, id, source, ms since the epoch)."""

    opensearch: bool = False
    version: str = "8.19.21"
    documents: list[tuple[str, str, Json, int]] = field(default_factory=list)
    types: dict[str, str] = field(default_factory=dict)
    faults: list[Fault] = field(default_factory=list)
    seen: list[Seen] = field(default_factory=list)
    open: set[str] = field(default_factory=set)
    ends_connections: bool = False
    """End every connection after its second answer, without having said so."""
    url: str = ""
    _numbers: int = 0
    _scrolls: dict[str, tuple[list[Json], int]] = field(default_factory=dict)

    def fail(self, when: Callable[[Seen], bool], **fault: Any) -> None:
        self.faults.append(Fault(when, **fault))

    def add(self, count: int, first_ms: int, step_ms: int = 1, **source: Any) -> None:
        """`count` records, alternately of two indices, one every `step_ms` (0: all at once)."""
        for number in range(count):
            stamp = first_ms + number * step_ms
            told = {"@timestamp": _iso(stamp), "message": f"record {number}", **source}
            index = f"logs-{number % 2}"
            self.documents.append((index, f"d{len(self.documents)}", told, stamp))

    @contextmanager
    def serving(self, certificate: Path | None = None) -> Iterator[SearchStub]:
        """Listen on loopback; with TLS when a PEM file of key and certificate is given."""
        stub = self

        class Handler(_Handler):
            cluster = stub

        server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        server.daemon_threads = True
        if certificate is not None:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(certificate)
            server.socket = context.wrap_socket(
                server.socket, server_side=True, do_handshake_on_connect=False
            )
        threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
        scheme = "http" if certificate is None else "https"
        self.url = f"{scheme}://127.0.0.1:{server.server_address[1]}"
        try:
            yield self
        finally:
            server.shutdown()
            server.server_close()

    def answer(self, request: Seen) -> tuple[int, Json | bytes, Mapping[str, str]]:
        """Status, body and further headers."""
        self.seen.append(request)
        fault = self._fault(request)
        if fault is not None and fault.delay_s:
            time.sleep(fault.delay_s)
        if fault is not None and fault.status == 404:
            self._closed({**request.body, **request.body.get("pit", {})})  # it expired
        if fault is not None and not fault.merge:
            return fault.status, fault.body, fault.headers
        refused = self._content_type_refused(request)
        status, body = refused or self._truly(request)
        if fault is not None:
            body = {**body, **fault.merge}
        return status, body, {}

    def _fault(self, request: Seen) -> Fault | None:
        for fault in self.faults:
            if fault.times > 0 and fault.when(request):
                if fault.skip:
                    fault.skip -= 1
                    return None
                fault.times -= 1
                return fault
        return None

    def _content_type_refused(self, request: Seen) -> tuple[int, Json] | None:
        """What real servers say to a client of another generation (elasticsearch-py #2923)."""
        told = f"{request.headers.get('accept', '')} {request.headers.get('content-type', '')}"
        if "vnd.elasticsearch" not in told:
            return None
        if self.opensearch:
            return 406, {"error": "Content-Type header is not supported", "status": 406}
        wanted = COMPATIBLE.search(told)
        if wanted and int(wanted[1]) > int(self.version.partition(".")[0]):
            reason = f"Accept version must be either version 8 or 7, but found {wanted[1]}"
            return 400, error("media_type_header_exception", reason, 400)
        return None

    def _truly(self, request: Seen) -> tuple[int, Json]:
        path = request.path
        if path == "/":
            version: Json = {"number": self.version}
            version |= (
                {"distribution": "opensearch"} if self.opensearch else {"build_flavor": "default"}
            )
            return 200, {"cluster_name": "stub", "version": version}
        if "/_security/" in path:
            return 400, {"error": f"no handler found for uri [{path}] and method [GET]"}
        if path == "/_nodes/_local":
            return 200, {"nodes": {"n": {"version": self.version}}}
        if path == "/_nodes/_local/stats/os":
            return 200, {"nodes": {"n": {"timestamp": time.time_ns() // 1_000_000}}}
        if path == "/_cluster/health":
            return 200, {"cluster_name": "stub", "status": "green", "number_of_nodes": 1}
        if path.endswith("/_field_caps"):
            if "index_filter" in request.body:
                return 200, {"indices": [], "fields": {}}  # nothing is frozen here
            return 200, self._field_caps()
        if path.endswith("/_count"):
            return 200, {"count": 0}
        if request.opens:
            context = self._context("pit")
            return 200, {"pit_id" if self.opensearch else "id": context}
        if request.closes:
            self._closed(request.body)
            return 200, {"succeeded": True}
        if path == "/_search/scroll":
            return 200, self._scrolled(request.body["scroll_id"])
        return 200, self._searched(request)

    def _field_caps(self) -> Json:
        found = {"@timestamp": "date", "message": "text", **self.types}
        return {
            "indices": ["logs-0", "logs-1"],
            "fields": {
                name: {kind: {"type": kind, "aggregatable": kind not in ("text", "object")}}
                for name, kind in found.items()
            },
        }

    def _context(self, kind: str) -> str:
        self._numbers += 1
        context = f"{kind}-{self._numbers}"
        self.open.add(context)
        return context

    def _closed(self, body: Json) -> None:
        for name in ("id", "pit_id", "scroll_id"):
            value = body.get(name, [])
            for context in [value] if isinstance(value, str) else value:
                self.open.discard(context)
                self._scrolls.pop(context, None)

    def _searched(self, request: Seen) -> Json:
        body = request.body
        hits = self._hits(body)
        answer: Json = {"timed_out": False, "_shards": {"total": 2, "successful": 2, "failed": 0}}
        if "pit" in body:
            # As real clusters may: the id of a page is another one than that it was asked with.
            self.open.discard(body["pit"]["id"])
            answer["pit_id"] = self._context("pit")
        if "aggs" in body:
            return answer | {
                "hits": {"total": {"value": len(hits)}, "hits": []},
                "aggregations": self._counted(body["aggs"], hits),
            }
        size = body["size"]
        if "scroll" in request.parameters:
            context = self._context("scroll")
            self._scrolls[context] = (hits[size:], size)
            answer["_scroll_id"] = context
        return answer | {"hits": {"hits": hits[:size]}}

    def _scrolled(self, context: str) -> Json:
        rest, size = self._scrolls[context]
        self._scrolls[context] = (rest[size:], size)
        return {
            "_scroll_id": context,
            "timed_out": False,
            "_shards": {"total": 2, "failed": 0},
            "hits": {"hits": rest[:size]},
        }

    def _hits(self, body: Json) -> list[Json]:
        """Matching documents in order, each with its sort values."""
        backwards = "desc" in json.dumps(body.get("sort", ""))
        rows = [
            (stamp, number, index, name, source)
            for number, (index, name, source, stamp) in enumerate(self.documents)
            if matches(body["query"], source, stamp)
        ]
        rows.sort(key=lambda row: (-row[0] if backwards else row[0], row[1]))
        if (after := body.get("search_after")) is not None:
            sign = -1 if backwards else 1
            rows = [row for row in rows if (sign * row[0], row[1]) > (sign * after[0], after[1])]
        return [
            {"_index": index, "_id": name, "_source": source, "sort": [stamp, number]}
            for stamp, number, index, name, source in rows
        ]

    def _counted(self, wanted: Json, hits: list[Json]) -> Json:
        if "bars" not in wanted:
            return {name: self._levels(hits) for name in wanted}
        bars: dict[int, list[Json]] = {}
        offset = int(wanted["bars"]["date_histogram"]["offset"].removesuffix("ms"))
        width = int(wanted["bars"]["date_histogram"]["fixed_interval"].removesuffix("ms"))
        for hit in hits:
            start = (hit["sort"][0] - offset) // width * width + offset
            bars.setdefault(start, []).append(hit)
        return {
            "bars": {
                "buckets": [
                    {"key": key, "doc_count": len(found), "levels": self._levels(found)}
                    for key, found in sorted(bars.items())
                ]
            },
        }

    def _levels(self, hits: list[Json]) -> Json:
        counts: dict[str, int] = {}
        for hit in hits:
            if (level := hit["_source"].get("level")) is not None:
                counts[level] = counts.get(level, 0) + 1
        return {"buckets": [{"key": key, "doc_count": n} for key, n in counts.items()]}


def matches(query: Json, source: Json, stamp: int) -> bool:
    """The few clauses that the connector sends."""
    ((kind, content),) = query.items()
    match kind:
        case "bool":
            required = [matches(part, source, stamp) for part in content.get("filter", [])]
            refused = [matches(part, source, stamp) for part in content.get("must_not", [])]
            wanted = [matches(part, source, stamp) for part in content.get("should", [])]
            return all(required) and not any(refused) and (any(wanted) or not wanted)
        case "range":
            ((_, bounds),) = content.items()
            upper = stamp < bounds["lt"] if "lt" in bounds else stamp <= bounds["lte"]
            return bool(stamp >= bounds.get("gte", stamp) and upper)
        case "term":
            ((name, value),) = content.items()
            return bool(source.get(name) == value)
        case "terms":
            ((name, values),) = content.items()
            return any(source.get(name) == value for value in values)
        case "exists":
            return content["field"] in source
        case "match" | "match_phrase":
            ((name, value),) = content.items()
            text = value["query"] if isinstance(value, dict) else value
            words = str(text).split() if kind == "match" else [str(text)]
            body = str(source.get(name, ""))
            return any(re.search(rf"(?i)\b{re.escape(word)}\b", body) for word in words)
    raise AssertionError(f"the stub does not know {kind}")


def error(kind: str, reason: str, status: int) -> Json:
    """An error body as both products write it."""
    cause = {"type": kind, "reason": reason}
    return {"error": {"root_cause": [cause], **cause}, "status": status}


def _iso(stamp_ms: int) -> str:
    second = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(stamp_ms // 1_000))
    return f"{second}.{stamp_ms % 1_000:03d}Z"


class _Handler(BaseHTTPRequestHandler):
    cluster: SearchStub
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    answered = 0

    def _serve(self) -> None:
        length = int(self.headers.get("content-length") or 0)
        raw = self.rfile.read(length)
        parts = urlsplit(self.path)
        headers = {name.lower(): value for name, value in self.headers.items()}
        request = Seen(
            self.command,
            unquote(parts.path),
            dict(parse_qsl(parts.query)),
            headers,
            json.loads(raw) if raw else {},
        )
        status, body, further = self.cluster.answer(request)
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        sent = {"content-type": "application/json", **further}
        if not self.cluster.opensearch and "x-elastic-product" not in sent:
            sent["x-elastic-product"] = "Elasticsearch"
        if "gzip" in headers.get("accept-encoding", "") and len(content) > 1_000:
            content, sent["content-encoding"] = gzip.compress(content), "gzip"
        self.send_response(status)
        for name, value in {**sent, "content-length": str(len(content))}.items():
            if value:
                self.send_header(name, value)
        with suppress(BrokenPipeError, ConnectionResetError):  # a client that gave up meanwhile
            self.end_headers()
            self.wfile.write(content)
        self.answered += 1
        self.close_connection = self.cluster.ends_connections and self.answered == 2

    do_GET = do_POST = do_PUT = do_DELETE = do_HEAD = _serve  # the library's names

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  # the library's name
        pass
