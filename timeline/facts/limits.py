"""Servers' own words about a limit that a request exceeded, or a security check it did not pass.

Owns the wordings and what each names: the size that was sent, the limit, the route. Decides nothing
about whose fault it is.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

import polars as pl

from timeline.event import SEVERITY_WARN, Lane
from timeline.facts.requests import REQUEST_LINE, route_of
from timeline.facts.searched import told_with

if TYPE_CHECKING:
    from timeline.incident import Incident

CSRF = "csrf"
WORDINGS: tuple[tuple[str, str], ...] = (
    (
        "URL",
        r"client sent too long URI|Request Line is too large|URI Too Long|URITooLong"
        r"|Request-URI Too L(?:arge|ong)",
    ),
    (
        "header",
        r"client sent too long header line|Limit request headers fields size"
        r"|Request Header Fields Too Large|HPE_HEADER_OVERFLOW",
    ),
    (
        "body",
        r"client intended to send too large body|RequestDataTooBig"
        r"|Request body exceeded settings"
        r"|POST Content-Length of \d+ bytes exceeds|PayloadTooLargeError"
        r"|request entity too large"
        r"|http: request body too large|MaxUploadSizeExceeded"
        r"|Maximum upload size exceeded",
    ),
    (
        "fields",
        r"TooManyFieldsSent|number of GET/POST parameters exceeded|Input variables exceeded"
        r"|exceeded available parameter key space|too many parameters",
    ),
    (
        "packet",
        r"Got a packet bigger than 'max_allowed_packet'|Packet for query is too large"
        r"|\(max_allowed_packet\)",
    ),
    (
        CSRF,
        r"CSRF verification failed|Forbidden \((?:CSRF|Origin|Referer)|CSRF token missing"
        r"|InvalidAuthenticityToken|Can't verify CSRF token authenticity|EBADCSRFTOKEN"
        r"|[Ii]nvalid CSRF token|CSRF token mismatch|TokenMismatchException",
    ),
)
"""nginx, gunicorn, Node, Django, PHP, Express, Go, Spring, Rack, MySQL; then Django, Rails, csurf,
Spring Security and Laravel."""
_ANY = "|".join(pattern for _, pattern in WORDINGS)
_WORDS = tuple((what, re.compile(pattern)) for what, pattern in WORDINGS)
_LIMITS = (
    re.compile(r"\((?P<size>\d+) > (?P<limit>\d+)\)"),
    re.compile(r"of (?P<size>\d+) bytes exceeds the limit of (?P<limit>\d+) bytes"),
    re.compile(r"too large body: (?P<size>\d+) bytes"),
    re.compile(r"Input variables exceeded (?P<limit>\d+)"),
    re.compile(r"Packet for query is too large \((?P<size>[\d,]+) > (?P<limit>[\d,]+)\)"),
    re.compile(r"bigger than '(?P<limit>max_allowed_packet)'"),
    re.compile(r"exceeded settings\.(?P<limit>\w+)"),
)
_REQUEST = re.compile(r"request: \"(?P<method>[A-Z]{3,8}) (?P<target>\S+)")
_DJANGO = re.compile(r"Forbidden \([^)]*\): (?P<target>/\S*)")
MAX_LINES = 2_000


class Refusal(NamedTuple):
    """One line; `what` was too large, or `csrf`. `size` and `limit` as the line itself says them.

    `route` and `method` are empty and `status` None where the line does not tell them.
    """

    row: int
    timestamp: int
    source: str
    actor: str
    what: str
    size: int | None
    limit: str
    route: str
    method: str
    status: int | None


def refusals(incident: Incident) -> list[Refusal]:
    """Every such line at WARN or above, or without a level; time order. Access lines are none."""
    severity = pl.col("severity_number")
    chosen = (pl.col("lane") == Lane.LOG.value) & ((severity == 0) | (severity >= SEVERITY_WARN))
    words = pl.col("body").str.contains(_ANY)
    lines = told_with(incident, chosen, words, "source", "actor", "body").with_columns(
        pl.col("source", "actor").cast(pl.String).fill_null("")
    )
    own = lines.filter(~pl.col("body").str.contains(rf"^\S+ {REQUEST_LINE}")).head(MAX_LINES)
    return [_refusal(*line) for line in own.iter_rows()]


def _refusal(row: int, timestamp: int, source: str, actor: str, body: str) -> Refusal:
    what = next(name for name, pattern in _WORDS if pattern.search(body))
    found = next((match for pattern in _LIMITS if (match := pattern.search(body))), None)
    told = found.groupdict() if found else {}
    size = told.get("size")
    request = _REQUEST.search(body) or _DJANGO.search(body)
    named = request.groupdict() if request else {}
    target = named.get("target") or ""
    return Refusal(
        row,
        timestamp,
        source,
        actor,
        what,
        int(size.replace(",", "")) if size else None,
        told.get("limit") or "",
        str(pl.select(route_of(pl.lit(target))).item()) if target else "",
        named.get("method") or "",
        None,
    )
