"""Everything that may be sent to a search cluster: an allow-list that nothing gets around.

Every request of the connector passes `permitted`, which refuses a method, path or parameter that
is not listed before a byte leaves. Search bodies are built here and in `queries` only. Opening and
closing a reading context (PIT, scroll) is the one thing that leaves a trace in the cluster; it
holds no data and expires by itself.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import quote, urlencode

from connectors.logs.jsonshape import JsonValue

_INDEX = "[^/?#_][^/?#]*"
ALLOWED: tuple[tuple[str, re.Pattern[str]], ...] = tuple(
    (method, re.compile(pattern))
    for method, pattern in (
        ("GET", "/"),
        ("GET", "/_nodes/_local"),
        ("GET", "/_nodes/_local/stats/os"),
        ("GET", "/_cluster/health"),
        ("POST", f"/{_INDEX}/_field_caps"),
        ("POST", f"/{_INDEX}/_search"),
        ("POST", f"/{_INDEX}/_count"),
        ("POST", "/_search"),
        ("POST", f"/{_INDEX}/_pit"),
        ("DELETE", "/_pit"),
        ("POST", f"/{_INDEX}/_search/point_in_time"),
        ("DELETE", "/_search/point_in_time"),
        ("POST", "/_search/scroll"),
        ("DELETE", "/_search/scroll"),
        ("POST", "/_security/user/_has_privileges"),
        ("GET", "/_plugins/_security/authinfo"),
    )
)
"""Method and whole path. Nothing that indexes, updates, deletes, refreshes or configures. The last
two ask what our own account may do; the first of them carries its question in a body."""
PARAMETERS = frozenset(["filter_path", "fields", "keep_alive", "scroll"])
"""Query parameters that are ever sent."""


class RequestRefused(ValueError):
    """A request is not on the allow-list. Nothing was sent. A bug of ours."""


@dataclass(frozen=True, slots=True)
class Request:
    """One HTTP request; `path` is already encoded."""

    method: str
    path: str
    parameters: Mapping[str, str] = field(default_factory=dict)
    body: Mapping[str, JsonValue] | None = None

    @property
    def target(self) -> str:
        """Path and query string."""
        query = urlencode(self.parameters, quote_via=quote, safe="*,.@")
        return f"{self.path}?{query}" if query else self.path

    @property
    def label(self) -> str:
        """`POST /logs-*/_search`: for error sentences; holds no secret."""
        return f"{self.method} {self.path}"


def permitted(request: Request) -> Request:
    """`request` itself when the allow-list holds it; raises `RequestRefused`."""
    if not any(
        method == request.method and path.fullmatch(request.path) for method, path in ALLOWED
    ):
        raise RequestRefused(f"{request.label} is not a read that halfawake may send")
    if unknown := set(request.parameters) - PARAMETERS:
        raise RequestRefused(f"{request.label}: {', '.join(sorted(unknown))} is never sent")
    return request


def on(index: str, api: str) -> str:
    """The path of `api` for an index pattern: `/logs-*/_search`."""
    return f"/{quote(index, safe='*,:.-_')}/{api}"
