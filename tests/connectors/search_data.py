"""Log documents as different services index them, and an index of them on a real cluster."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime

import httpx

BULK_LINES = 4_000
REQUEST_S = 60.0
Document = Mapping[str, object]


def iso(stamp: int, digits: int = 3) -> str:
    """A stamp in ns UTC as ISO 8601 with so many fraction digits."""
    second = datetime.fromtimestamp(stamp // 1_000_000_000, UTC)
    fraction = f".{stamp % 1_000_000_000:09d}"[: digits + 1] if digits else ""
    return f"{second:%Y-%m-%dT%H:%M:%S}{fraction}Z"


def ecs(stamp: int, message: str, level: str = "info", **further: object) -> dict[str, object]:
    """A document in the Elastic Common Schema, nested."""
    return {
        "@timestamp": iso(stamp),
        "log": {"level": level, "logger": "shop.web"},
        "service": {"name": "web"},
        "host": {"name": "web-1"},
        "message": message,
        **further,
    }


def json_string(stamp: int, message: str, level: str = "info", **further: object) -> Document:
    """A container's line as a shipper leaves it: an object that travels as a string."""
    line = {"ts": iso(stamp), "lvl": level, "msg": message, "app": "mailer", **further}
    return {
        "@timestamp": iso(stamp),
        "stream": "stdout",
        "message": json.dumps({**line, "hostname": "worker-1"}),
    }


def create_index(
    url: str,
    name: str,
    documents: Iterable[Document] = (),
    *,
    time_type: str = "date",
    shards: int = 3,
) -> None:
    """An index of several shards, so that ties cross them; documents are visible on return."""
    properties = {
        "@timestamp": {"type": time_type},
        "message": {"type": "text"},
        "log": {"properties": {"level": {"type": "keyword"}}},
        "user_id": {"type": "long"},
        "request_id": {"type": "keyword"},
    }
    settings = {"number_of_shards": shards, "number_of_replicas": 0}
    with httpx.Client(base_url=url, timeout=REQUEST_S) as client:
        body = {"settings": settings, "mappings": {"properties": properties}}
        client.put(f"/{name}", json=body).raise_for_status()
        lines = [
            line
            for number, document in enumerate(documents)
            for line in (json.dumps({"index": {"_id": f"d{number}"}}), json.dumps(document))
        ]
        for start in range(0, len(lines), BULK_LINES):
            chunk = "\n".join(lines[start : start + BULK_LINES]) + "\n"
            answer = client.post(
                f"/{name}/_bulk", content=chunk, headers={"content-type": "application/x-ndjson"}
            )
            assert not answer.json()["errors"], answer.text[:500]
        client.post(f"/{name}/_refresh").raise_for_status()


def delete_index(url: str, name: str) -> None:
    httpx.delete(f"{url}/{name}", timeout=REQUEST_S)


def open_contexts(url: str) -> int:
    """Reading contexts (points in time, scrolls) the cluster holds open at this moment."""
    path = "/_nodes/stats/indices/search?filter_path=nodes.*.indices.search"
    nodes = httpx.get(url + path, timeout=REQUEST_S).json()["nodes"]
    searches = [node["indices"]["search"] for node in nodes.values()]
    return sum(found["open_contexts"] for found in searches)
