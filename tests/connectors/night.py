"""A shop's night of any size as log documents: busy, mildly noisy, and one hiccup of Redis.

The words are those of the lab's shop. Two documents per request, a few warnings all night, and
for two seconds web and mailer lose Redis. The same arguments give the same documents.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

import httpx

from timeline.window import MINUTE_NS, SECOND_NS, Window

MILLISECOND_NS = 1_000_000
HICCUP_BEFORE_NS = 6 * MINUTE_NS + 11 * SECOND_NS
HICCUP_NS = 2_100 * MILLISECOND_NS
REDIS_TIMEOUT_NS = SECOND_NS
WARNING_EVERY = 400
"""One request in so many is slow and says so."""
BULK_DOCUMENTS = 10_000
REQUEST_S = 120.0

MAPPINGS = {
    "dynamic": False,
    "properties": {
        "@timestamp": {"type": "date"},
        "log": {"properties": {"level": {"type": "keyword"}}},
        "service": {"properties": {"name": {"type": "keyword"}}},
        "host": {"properties": {"name": {"type": "keyword"}}},
        "message": {"type": "text"},
        "request_id": {"type": "keyword"},
        "user_id": {"type": "keyword"},
        "job_id": {"type": "keyword"},
    },
}
FAILURE = "redis.exceptions.TimeoutError: Timeout reading from redis:6379"
RESET = (
    "redis.exceptions.ConnectionError: Error while reading from redis:6379 : "
    "(104, 'Connection reset by peer')"
)


@dataclass(frozen=True)
class Night:
    """`requests` requests, evenly spread over the window."""

    requests: int
    window: Window

    @property
    def hiccup(self) -> int:
        """When Redis stops answering, ns."""
        return self.window.pin - HICCUP_BEFORE_NS

    def documents(self) -> Iterator[str]:
        """Every document as JSON, about in time order."""
        step = (self.window.end - self.window.start) // self.requests
        for number in range(self.requests):
            yield from self._request(number, self.window.start + number * step)
        yield _document(
            self.window.start + 7 * MINUTE_NS, "info", "deployer", "ci-1", "web v412 deployed"
        )

    def _request(self, number: int, began: int) -> Iterator[str]:
        web, worker = f"web-{number % 2 + 1}", f"worker-{number % 2 + 1}"
        keys = f'"request_id":"{number * 2654435761 % 2**32:08x}"'
        lost = self.hiccup <= began < self.hiccup + HICCUP_NS
        if number % 5 == 0:
            job = f"welcome_mail(user_id={number}) done in 12 ms"
            job_keys = f'"job_id":"{number:08x}","user_id":"{number}"'
            if lost:
                yield _document(began, "error", "mailer", worker, f"fetching a job failed: {RESET}")
            else:
                yield _document(began, "info", "mailer", worker, job, job_keys)
            return
        if number % 5 == 1:
            keys += f',"user_id":"{number}"'
            ended = began + (REDIS_TIMEOUT_NS if lost else 9 * MILLISECOND_NS)
            yield _document(began, "info", "web", web, f"sign-up: account {number} created", keys)
            if lost:
                told = f"could not enqueue welcome_mail: {FAILURE}"
                yield _document(ended, "error", "web", web, told, keys)
            yield _document(ended, "info", "web", web, "POST /signups 201", keys)
            return
        ended = began + 4 * MILLISECOND_NS
        yield _document(began, "info", "web", web, "GET /products started", keys)
        if lost:
            told = f"catalogue: cache not reachable, reading the database: {FAILURE}"
            yield _document(began + REDIS_TIMEOUT_NS, "warning", "web", web, told, keys)
        elif number % WARNING_EVERY == 2:
            yield _document(ended, "warning", "web", web, "slow: 812 ms in the template", keys)
        yield _document(ended, "info", "web", web, f"GET /products 200 in {number % 97} ms", keys)


def _document(stamp: int, level: str, service: str, host: str, message: str, keys: str = "") -> str:
    second, rest = divmod(stamp, SECOND_NS)
    more = f",{keys}" if keys else ""
    return (
        f'{{"@timestamp":"{_second_text(second)}.{rest // MILLISECOND_NS:03d}Z",'
        f'"log":{{"level":"{level}"}},"service":{{"name":"{service}"}},"host":{{"name":"{host}"}},'
        f'"message":{json.dumps(message)}{more}}}'
    )


_seconds: dict[int, str] = {}


def _second_text(second: int) -> str:
    if second not in _seconds:
        _seconds.clear() if len(_seconds) > 10_000 else None
        _seconds[second] = f"{datetime.fromtimestamp(second, UTC):%Y-%m-%dT%H:%M:%S}"
    return _seconds[second]


def index_night(url: str, name: str, night: Night, shards: int = 2) -> int:
    """Index every document with a small mapping; how many there are. Visible on return."""
    settings = {"number_of_shards": shards, "number_of_replicas": 0, "refresh_interval": "-1"}
    header = {"content-type": "application/x-ndjson"}
    total = 0
    with httpx.Client(base_url=url, timeout=REQUEST_S) as client:
        body = {"settings": settings, "mappings": MAPPINGS}
        client.put(f"/{name}", json=body).raise_for_status()
        lines: list[str] = []

        def send() -> None:
            content = "".join(f'{{"index":{{}}}}\n{line}\n' for line in lines)
            parameters = {"filter_path": "errors"}
            answer = client.post(
                f"/{name}/_bulk", content=content, headers=header, params=parameters
            )
            if answer.raise_for_status().json()["errors"]:
                raise RuntimeError("the cluster refused some of the documents")

        for line in night.documents():
            lines.append(line)
            if len(lines) == BULK_DOCUMENTS:
                send()
                total += len(lines)
                lines.clear()
        if lines:
            send()
            total += len(lines)
        client.post(f"/{name}/_refresh").raise_for_status()
    return total
