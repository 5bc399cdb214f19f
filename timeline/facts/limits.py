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
from timeline.word_edges import plain_edges

if TYPE_CHECKING:
    from timeline.incident import Incident

CSRF = "csrf"
WORDINGS: tuple[tuple[str, str], ...] = (
    (
        "URL",
        r"client sent too long URI|Request Line is too large|URI Too Long|URITooLong"
        r"|Request-URI Too L(?:arge|ong)|URI too long \(longer than|HTTP line is larger than"
        r"|URI is too large|Request line too long|Maximum start-line size exceeded"
        r"|maxUrlLength value|maxQueryStringLength value|QUERY_STRING is longer than"
        r"|REQUEST_(?:URI|PATH) is longer than|Status line is too long|Bad Message 414"
        r"|request URI (?:is )?too (?:long|large)|^\"\" 414 -",
    ),
    (
        "header",
        r"client sent too long header line|Limit request headers fields size"
        r"|Request Header Fields Too Large|HPE_HEADER_OVERFLOW|Request Header Or Cookie Too Large"
        r"|Request [Hh]eader is too large|Request headers too long|HTTP header is larger than"
        r"|size of the request headers is too long|request header field exceeds server limit"
        r"|invalid request block size|Maximum header size exceeded|Bad Message 431"
        r"|HEADER is longer than the|HeaderFieldsTooLarge|HTTP headers? too (?:long|large|big)",
    ),
    (
        "body",
        r"client intended to send too large body|RequestDataTooBig"
        r"|Request body exceeded settings"
        r"|POST Content-Length of \d+ bytes exceeds|PayloadTooLarge|ContentTooLarge"
        r"|(?:[Ee]ntity|[Pp]ayload|PAYLOAD|[Cc]ontent|[Rr]equest [Bb]ody) [Tt]oo [Ll]arge"
        r"|MaxUploadSizeExceeded|Maximum upload size exceeded|RequestTooLarge|RequestEntityTooLarge"
        r"|Maximum request length exceeded|max request body size is|Maximum request body size"
        r"|length limit exceeded|Payload reached size limit|Maximum message size reached"
        r"|EntityStreamSizeException|SizeLimitExceededException|FileSizeLimitExceeded"
        r"|entity content is too long|[Dd]ata too large, data for",
    ),
    (
        "fields",
        r"TooManyFieldsSent|number of GET/POST parameters exceeded|Input variables exceeded"
        r"|exceeded available parameter key space|too many parameters|Too many fields\."
        r"|Too many (?:form )?(?:keys|parts)|number of query arguments cannot exceed"
        r"|More than the maximum (?:allowed )?number of request parameters|ParameterLimitError"
        r"|can have at most [\d,]+ parameters|maximum number of expressions in a list"
        r"|too many SQL variables|out-of-range integer as a 2-byte value"
        r"|(?:parameters?|placeholders) (?:exceeds?|exceeded) (?:the )?(?:maximum|limit)",
    ),
    (
        "packet",
        r"Got a packet bigger than 'max_allowed_packet'|Packet for query is too large"
        r"|\(max_allowed_packet\)",
    ),
    (
        "message",
        r"RecordTooLargeException|MESSAGE_TOO_LARGE|MessageSizeTooLarge|Message size too large"
        r"|larger than max \(\d+ vs\. \d+\)|BatchRequestTooLong|shorter than \d+ bytes"
        r"|BSONObj(?:ect)?TooLarge|object to insert too large|[Ii]tem size has exceeded"
        r"|less than or equal to \d+ bytes|TooLongFrameException|too_long_frame",
    ),
    (
        CSRF,
        r"CSRF verification failed|Forbidden \((?:CSRF|Origin|Referer)|InvalidAuthenticityToken"
        r"|EBADCSRFTOKEN|TokenMismatchException|InvalidCSRFToken|(?:Missing|Invalid)CsrfToken"
        r"|AntiforgeryValidation|[Aa]ntiforgery (?:token|cookie)"
        r"|(?:[Mm]issing|[Ii]nvalid|[Bb]ad|[Ee]xpired|[Ww]rong) (?:CSRF|XSRF|csrf|xsrf)\b"
        r"|(?:CSRF|XSRF|csrf|xsrf)[ _-](?:token|check|cookie|validation|protection)s?"
        r"(?: from [\w ]+)? (?:is |was |has |are )?(?:\w+ )?"
        r"(?:missing|invalid|incorrect|mismatch|expired|failed|rejected|not (?:valid|found|set))"
        r"|[Cc]an't verify CSRF token authenticity",
    ),
)
"""nginx, Apache, gunicorn, uWSGI, Puma, Node, Jetty, Tomcat, Netty, Kestrel, IIS, Cowboy, Django,
Starlette, aiohttp, PHP, Express, Go, Axum, Actix, Spring, Rack; MySQL, drivers of PostgreSQL, SQL
Server and SQLite, Oracle, MongoDB, Elasticsearch, Kafka, gRPC, SQS; then Django, Rails, csurf,
Spring Security, Laravel, Symfony, Plug and ASP.NET. Python's own HTTP server, which Django's
development server is, writes an empty request line where it could not be read for its length."""
_ANY = "|".join(pattern for _, pattern in WORDINGS)
_WORDS = tuple((what, re.compile(pattern)) for what, pattern in WORDINGS)
_LIMITS = (
    re.compile(r"\((?P<size>\d+) > (?P<limit>\d+)\)"),
    re.compile(r"of (?P<size>\d+) bytes exceeds the limit of (?P<limit>\d+) bytes"),
    re.compile(r"too large body: (?P<size>\d+) bytes"),
    re.compile(r"Input variables exceeded (?P<limit>\d+)"),
    re.compile(r"Packet for query is too large \((?P<size>[\d,]+) > (?P<limit>[\d,]+)\)"),
    re.compile(r"larger than max \((?P<size>\d+) vs\. (?P<limit>\d+)\)"),
    re.compile(r"invalid request block size: (?P<size>\d+) \(max (?P<limit>\d+)\)"),
    re.compile(r"(?:larger|longer) than (?:the )?\(?(?P<limit>\d+)"),
    re.compile(r"max request body size is (?P<limit>\d+) bytes"),
    re.compile(r"Maximum request body size (?P<limit>\d+)"),
    re.compile(r"(?:at most|cannot exceed|in a list is) (?P<limit>\d[\d,]*)"),
    re.compile(r"shorter than (?P<limit>\d+) bytes"),
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
    words = pl.col("body").str.contains(plain_edges(_ANY))
    lines = told_with(incident, chosen, words, "source", "actor", "body", bodies=(_ANY,))
    if lines.is_empty():
        return []
    lines = lines.with_columns(pl.col("source", "actor").cast(pl.String).fill_null(""))
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
