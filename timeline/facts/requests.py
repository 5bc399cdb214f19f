"""Requests with their answers: what access logs, request lines and structured records tell.

Owns how a request line, a status and a size are found under their usual names, and what one route
is: the path without its ids and without its query. Decides nothing about why it was answered so.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import TYPE_CHECKING

import polars as pl

from timeline.event import Lane
from timeline.facts.searched import told_with
from timeline.word_edges import plain_edges

if TYPE_CHECKING:
    from timeline.incident import Incident

REQUEST_LINE = r"\"([A-Z]{3,8}) (/\S*|https?://\S+) HTTP/[0-9.]+\" ([1-5]\d\d)\b"
"""The common and the combined log format, nginx's default, uvicorn's and gunicorn's."""
STATUS_NAMES = (
    "http.response.status_code",
    "http.status_code",
    "status_code",
    "statusCode",
    "http_status",
    "status",
    "response.status",
)
PATH_NAMES = (
    "url.original",
    "http.target",
    "http.url",
    "url.full",
    "url.path",
    "request_uri",
    "uri",
    "path",
    "target",
)
METHOD_NAMES = ("http.request.method", "http.method", "request_method", "method", "verb")
SIZE_NAMES = (
    "http.request.body.size",
    "http.request_content_length",
    "http.request.body.bytes",
    "request_length",
    "content_length",
    "request_size",
    "bytes_in",
)
"""OpenTelemetry and ECS names first, then those of nginx, Traefik, Rails and Express loggers."""
NAMED_STATUS = (
    r"\"(?:http\.response\.status_code|http\.status_code|status_code|statusCode|http_status|status)"
    r"\": ?\"?[1-5]\d\d\b"
)

REQUEST_SCHEMA: dict[str, pl.DataType | type[pl.DataType]] = {
    "row": pl.UInt32,
    "timestamp": pl.Int64,
    "source": pl.String,
    "actor": pl.String,
    "client": pl.String,  # the address that asked, where an access log leads with it; else empty
    "method": pl.String,
    "target": pl.String,  # path and query as sent
    "route": pl.String,
    "status": pl.Int32,
    "line_bytes": pl.Int64,  # length of the target
    "body_bytes": pl.Int64,  # of the request, where it is told
}


CLIENT_ERRORS = (400, 403, 404, 410, 413, 414, 422, 429, 431)
"""What is read in one search: refusals by size, token or rate, and what was not there."""


def turned_away(incident: Incident) -> pl.DataFrame:
    """Requests (REQUEST_SCHEMA, time order) that were answered with any of `CLIENT_ERRORS`."""
    return answered(incident, CLIENT_ERRORS)


def answered(incident: Incident, statuses: Iterable[int]) -> pl.DataFrame:
    """Requests (REQUEST_SCHEMA, time order) that were answered with any of `statuses`."""
    codes = list(statuses)
    wanted = "|".join(str(status) for status in codes)
    # Only what follows a request line is a status, see `_requests`. One literal in front of all
    # alternatives (`" 4`) makes the search twice as fast.
    line = r"\" " + _shared_front([str(status) for status in codes])
    named = NAMED_STATUS.replace(r"[1-5]\d\d", f"(?:{wanted})")
    return _requests(incident, line, named).filter(pl.col("status").is_in(codes))


def _shared_front(codes: list[str]) -> str:
    front = codes[0][:1] if len({code[:1] for code in codes}) == 1 else ""
    return rf"{front}(?:{'|'.join(code[len(front) :] for code in codes)})\b"


def on_routes(incident: Incident, routes: Iterable[str]) -> pl.DataFrame:
    """All requests (REQUEST_SCHEMA, time order) on any of `routes`."""
    wanted = list(dict.fromkeys(routes))
    if not wanted:
        return pl.DataFrame(schema=REQUEST_SCHEMA)
    fixed = sorted({_fixed_part(route) for route in wanted} - {""})
    texts = "|".join(re.escape(part) for part in fixed) or "/"
    line = rf"(?:{texts})\S* HTTP/[0-9.]+\" [1-5]\d\d\b"
    return _requests(incident, line, rf"(?:{texts})").filter(pl.col("route").is_in(wanted))


def under(incident: Incident, parents: Iterable[str]) -> pl.DataFrame:
    """All requests (REQUEST_SCHEMA, time order) right below any of the paths `parents`."""
    wanted = list(dict.fromkeys(parents))
    if not wanted:
        return pl.DataFrame(schema=REQUEST_SCHEMA)
    texts = "|".join(re.escape(parent) for parent in wanted)
    line = rf"(?:{texts})/\S* HTTP/[0-9.]+\" [1-5]\d\d\b"
    found = _requests(incident, line, rf"(?:{texts})/")
    return found.filter(parent_of(pl.col("target")).is_in(wanted))


def parent_of(target: pl.Expr) -> pl.Expr:
    """`/users/4711?x=1` as `/users`, `/` and `/users` as nothing."""
    path = target.str.replace(r"^https?://[^/]+", "").str.replace(r"[?#;].*$", "")
    return path.str.extract(r"^(/.+)/[^/]+/?$", 1).fill_null("")


def _requests(incident: Incident, line: str, named: str) -> pl.DataFrame:
    logs, shown = pl.col("lane") == Lane.LOG.value, ("source", "actor", "body", "attributes")
    lines = incident.snapshot.told(logs & pl.col("body").str.contains(plain_edges(line)), *shown)
    structured = told_with(
        incident,
        logs & pl.col("attributes").is_not_null(),
        pl.col("attributes").str.contains(named),
        *shown,
    )
    told = pl.concat([lines, structured]).unique("row").sort("timestamp", "row")
    if told.is_empty():
        return pl.DataFrame(schema=REQUEST_SCHEMA)
    body = pl.col("body")
    requests = told.with_columns(
        pl.col("source", "actor").cast(pl.String).fill_null(""),
        client=body.str.extract(r"^([0-9a-fA-F.:]{3,45}) \"", 1).fill_null(""),
        method=pl.coalesce(body.str.extract(REQUEST_LINE, 1), _member(METHOD_NAMES)).fill_null(""),
        target=pl.coalesce(body.str.extract(REQUEST_LINE, 2), _member(PATH_NAMES)),
        status=pl.coalesce(body.str.extract(REQUEST_LINE, 3), _member(STATUS_NAMES)).cast(
            pl.Int32, strict=False
        ),
        body_bytes=_member(SIZE_NAMES).cast(pl.Int64, strict=False),
    ).drop_nulls(["target", "status"])
    shaped = requests.with_columns(
        route=route_of(pl.col("target")), line_bytes=pl.col("target").str.len_bytes()
    )
    return shaped.select(pl.col(name).cast(dtype) for name, dtype in REQUEST_SCHEMA.items())


def _member(names: Iterable[str]) -> pl.Expr:
    """The first of the members that the attributes hold, flat or nested."""
    found = []
    for name in names:
        found.append(pl.col("attributes").str.json_path_match(f"$['{name}']"))
        if "." in name:
            found.append(pl.col("attributes").str.json_path_match(f"$.{name}"))
    return pl.coalesce(*found)


def route_of(target: pl.Expr) -> pl.Expr:
    """`/users/4711/mails?x=1` as `/users/:id/mails`: no host, no query, no ids, no lists of ids."""
    path = target.str.replace(r"^https?://[^/]+", "").str.replace(r"[?#;].*$", "")
    ids = path.str.replace_all(r"/[^/]*(?:,|%2[cC])[^/]*", "/:ids")
    return ids.str.replace_all(r"/(?:\d[\w.-]*|[0-9a-fA-F-]{12,})(/|$)", "/:id$1")


def _fixed_part(route: str) -> str:
    """The beginning of a route that stands in every request on it as it is."""
    return route.partition("/:id")[0] or "/"
