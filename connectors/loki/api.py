"""Four reads of Loki's HTTP API, and what its refusals mean.

Only GET, only the paths of `PATHS` (Loki 3 HTTP API reference). Page limits are lowered when the
server says that they are too large.
"""

from __future__ import annotations

import base64
import json
import re
import time
from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import quote, unquote, urlencode, urlsplit

from connectors.clock_sampling import ClockSample
from connectors.logs.jsonshape import JsonValue
from connectors.loki.options import LokiOptions
from connectors.web import Answer, Reach, Web
from timeline.problems import (
    AccessRefused,
    BadAnswer,
    Misconfigured,
    Overloaded,
    SourceProblem,
    quoted,
)
from timeline.window import SECOND_NS

API = "/loki/api/v1"
PATHS = frozenset(
    (f"{API}/query_range", f"{API}/query", f"{API}/labels", f"{API}/status/buildinfo")
)
REASON_CHARACTERS = 300
_TOO_MANY = re.compile(r"max entries limit|max_entries_limit", re.IGNORECASE)
_MOST = re.compile(r"> ?(\d+)\)")


@dataclass(frozen=True, slots=True)
class Entry:
    """One line: Loki's stamp (ns), the line, its stream's labels, its structured metadata."""

    timestamp: int
    line: str
    labels: tuple[tuple[str, str], ...]
    metadata: tuple[tuple[str, str], ...] = ()


class Loki:
    """One Loki, read by one tenant."""

    def __init__(self, options: LokiOptions) -> None:
        parts = urlsplit(options.url.get_secret_value())
        host = parts.hostname or ""
        named = f"[{host}]" if ":" in host else host
        port = f":{parts.port}" if parts.port else ""
        self._base = f"{parts.scheme}://{named}{port}{parts.path.rstrip('/')}"
        self.where = f"{named}{port}{parts.path.rstrip('/')}"
        self._headers = _headers(options, parts.username or "", parts.password or "")
        self._web = Web(
            Reach(
                "Loki",
                "loki",
                options.connect_timeout_s,
                options.read_timeout_s,
                options.ca_file,
                options.tls_server_name,
            )
        )
        self.page_size = options.page_size

    @property
    def bytes_read(self) -> int:
        return self._web.bytes_read

    async def entries(
        self, query: str, start: int, end: int, *, forward: bool, limit: int, deadline: float
    ) -> tuple[list[Entry], int]:
        """Up to `limit` lines of `[start, end)` (ns) in the given direction, and the limit that
        the server took: it may allow fewer at a time."""
        while True:
            answer = await self.get(
                "query_range",
                deadline,
                query=query,
                start=str(start),
                end=str(end),
                limit=str(limit),
                direction="forward" if forward else "backward",
            )
            if answer.status != 400 or not _TOO_MANY.search(_reason(answer)) or limit == 1:
                break
            most = _MOST.search(_reason(answer))
            allowed = int(most.group(1)) if most else limit // 2
            limit = max(1, min(limit // 2, allowed) if allowed >= limit else allowed)
            self.page_size = limit
        found = list(_entries_of(self._data(answer)))
        found.sort(key=lambda entry: entry.timestamp, reverse=not forward)
        return found, limit

    async def count(self, query: str, start: int, end: int, deadline: float) -> int | None:
        """How many lines `[start, end)` (ns) holds; None when Loki would not count them."""
        stretch = max(1, (end - start) // 1_000_000)
        answer = await self.get(
            "query",
            deadline,
            query=f"sum(count_over_time({query}[{stretch}ms]))",
            time=str(end),
        )
        if answer.status != 200:
            return None
        data = self._data(answer)
        result = data.get("result")
        if not isinstance(result, list) or not result or not isinstance(result[0], dict):
            return 0
        value = result[0].get("value")
        return int(float(str(value[1]))) if isinstance(value, list) and len(value) > 1 else None

    async def get(self, name: str, deadline: float, **parameters: str) -> Answer:
        """The answer of one of `PATHS`. Raises `SourceProblem` when there is none."""
        path = f"{API}/{name}"
        if path not in PATHS:
            raise ValueError(f"{path} is not among what is ever asked")
        url = f"{self._base}{path}?{urlencode(parameters, quote_via=quote)}"
        return await self._web.send("GET", url, self.where, self._headers, deadline=deadline)

    async def content(self, name: str, deadline: float, **parameters: str) -> JsonValue:
        """The JSON of one of `PATHS`; a refusal is raised."""
        answer = await self.get(name, deadline, **parameters)
        if answer.status != 200:
            raise refusal(answer)
        return answer.content()

    async def clock_sample(self, deadline: float) -> ClockSample | None:
        """The Date header, a whole second, between two readings of our clock."""
        before = time.time_ns()
        answer = await self.get("status/buildinfo", deadline)
        after = time.time_ns()
        stamp = answer.stamp
        return None if stamp is None else ClockSample(before, stamp, after, SECOND_NS)

    async def close(self) -> None:
        await self._web.close()

    def _data(self, answer: Answer) -> dict[str, JsonValue]:
        if answer.status != 200:
            raise refusal(answer)
        content = answer.content()
        data = content.get("data") if isinstance(content, dict) else None
        if not isinstance(data, dict):
            raise BadAnswer(
                "The answer holds no result", where=self.where, remedy="Is this url a Loki's?"
            )
        return data


def _headers(options: LokiOptions, user: str, password: str) -> dict[str, str]:
    headers = {"accept": "application/json", "x-loki-response-encoding-flags": "categorize-labels"}
    if options.tenant:
        headers["x-scope-orgid"] = options.tenant
    if options.bearer is not None:
        headers["authorization"] = f"Bearer {options.bearer.get_secret_value()}"
        return headers
    user = options.username or unquote(user)
    secret = options.password.get_secret_value() if options.password else unquote(password)
    if user:
        pair = base64.b64encode(f"{user}:{secret}".encode()).decode()
        headers["authorization"] = f"Basic {pair}"
    return headers


def _entries_of(data: dict[str, JsonValue]) -> Iterator[Entry]:
    """The lines of all streams. Metadata stands as a third element, alone or by category."""
    result = data.get("result")
    for stream in result if isinstance(result, list) else ():
        if not isinstance(stream, dict):
            continue
        labels = _pairs(stream.get("stream"))
        values = stream.get("values")
        for value in values if isinstance(values, list) else ():
            if not isinstance(value, list) or len(value) < 2 or not str(value[0]).isdigit():
                continue
            extra = value[2] if len(value) > 2 else None
            if isinstance(extra, dict) and isinstance(extra.get("structuredMetadata"), dict):
                extra = extra["structuredMetadata"]
            yield Entry(int(str(value[0])), str(value[1]), labels, _pairs(extra))


def _pairs(value: JsonValue) -> tuple[tuple[str, str], ...]:
    if not isinstance(value, dict):
        return ()
    return tuple(sorted((name, text) for name, text in value.items() if isinstance(text, str)))


def _reason(answer: Answer) -> str:
    """Loki's own words: plain text as a rule, JSON behind some gateways."""
    text = answer.body[:4_096].decode("utf-8", "replace")
    try:
        parsed = json.loads(text)
    except ValueError:
        return text
    if isinstance(parsed, dict):
        return str(parsed.get("message") or parsed.get("error") or text)
    return text


def refusal(answer: Answer) -> SourceProblem:
    """What an answer that is no success means."""
    reason = quoted(_reason(answer).strip(), REASON_CHARACTERS)
    said = f": {reason}" if reason and not reason.startswith("<") else ""
    if answer.status == 401 or answer.status == 403:
        what = "Loki wants a login or a tenant, or refused the one it got"
        remedy = "Set username and password, bearer or tenant, or check them."
        return AccessRefused(f"{what} (HTTP {answer.status}){said}", where=answer.where,
                             remedy=remedy)  # fmt: skip
    if answer.status in (429, 502, 503, 504):
        return Overloaded(
            f"Loki turns the request away (HTTP {answer.status}){said}",
            where=answer.where,
            remedy="That is evidence too: its queues are full. Narrow the query, or try again.",
        )
    if answer.status == 400:
        return Misconfigured(
            f"Loki refuses the query{said}",
            where=answer.where,
            remedy="Correct query, or narrow the window to what its limits allow.",
        )
    if answer.status == 404 or 300 <= answer.status < 400:
        return Misconfigured(
            f"There is no Loki API at this address (HTTP {answer.status})",
            where=answer.where,
            remedy="Give the url of Loki or of its gateway, with the path in front of /loki/api.",
        )
    return BadAnswer(
        f"Loki answered HTTP {answer.status}{said}",
        where=answer.where,
        remedy="See its own log at this moment, or that of the gateway before it.",
    )
