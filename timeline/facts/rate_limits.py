"""Requests that one's own servers turned away because there were too many, and whom they hit.

A limiter's own line, or the status 429 in an access line, says that a request was refused for its
rate. Whom it hit is an address: that of a client of the world, or one of the own network. Lines
that name an outside host are somebody else's limit (`timeline.facts.outside`). Decides nothing
about whether the limit was right.

Wordings: nginx (ngx_http_limit_req_module, limit_conn), Envoy's response code details, Kong,
Rack::Attack, Laravel, Django REST framework, django-ratelimit, Symfony, Rails, Express, ASP.NET,
Bucket4j, Resilience4j. RFC 6585, section 4.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from timeline.event import SEVERITY_WARN, Lane
from timeline.facts.requests import route_of
from timeline.facts.searched import told_with
from timeline.word_edges import plain_edges

if TYPE_CHECKING:
    from timeline.incident import Incident

TOO_MANY = 429
LIMITED = (
    r"limiting (?:requests|connections)(?: by zone|, excess)|local_rate_limited"
    r"|request_rate_limited|(?i:API rate limit exceeded|rate limits? (?:was |is )?"
    r"(?:exceeded|reached|hit)\b|rate limits exceeded|rejected by (?:the )?rate limit"
    r"|request was throttled|throttled request|too many (?:requests|attempts)\b)"
    r"|Rack::Attack\S* (?i:throttle)|ThrottleRequestsException|TooManyRequests|RateLimitExceeded"
    r"|\bRatelimited\b|RequestNotPermitted|RateLimitException"
)
NOT_REFUSED = r"(?i)dry run|delaying request|://|\bretry(?:ing)?\b|will be retried|backing off"
"""A limit that is only tried out, one that merely slows down, and what clients of others say."""
ADDRESS = (
    r"(?i)\b(?:client|remote_?addr(?:ess)?|client_?ip|ip|from|peer)[\"']?[:= ]{1,2}[\"']?"
    r"((?:\d{1,3}\.){3}\d{1,3}|[0-9a-f]{0,4}(?::[0-9a-f]{0,4}){2,7})\b"
)
LEADING = r"^((?:\d{1,3}\.){3}\d{1,3})\b"
"""An access line leads with whoever asked."""
REQUEST = r"\"([A-Z]{3,8}) (/\S*)"
MAX_LINES = 20_000

LIMITED_SCHEMA: dict[str, pl.DataType | type[pl.DataType]] = {
    "row": pl.UInt32,
    "timestamp": pl.Int64,
    "source": pl.String,
    "actor": pl.String,
    "client": pl.String,  # the address that was refused; empty where none is told
    "method": pl.String,
    "route": pl.String,  # empty where none is told
    "said": pl.Boolean,  # whether the limiter's words tell it, and not only the status
}


def limited(incident: Incident) -> pl.DataFrame:
    """LIMITED_SCHEMA, time order: by words, and by status what no words of that server tell."""
    said = _by_words(incident)
    answered = incident.turned_away.filter(pl.col("status") == TOO_MANY)
    answered = answered.filter(~pl.col("actor").is_in(said.get_column("actor").unique().implode()))
    return pl.concat([said, _by_status(incident, answered)]).sort("timestamp", "row")


def askers(incident: Incident, requests: pl.DataFrame) -> pl.DataFrame:
    """`requests` (REQUEST_SCHEMA) with `client` from the beginning of the line where it is not
    told: some servers write the address and a name before the request."""
    rows = requests.get_column("row")
    body = incident.snapshot.events.get_column("body").gather(rows)
    told = pl.DataFrame({"body": body}).select(pl.col("body").str.extract(LEADING, 1)).to_series()
    client = pl.when(pl.col("client") != "").then("client").otherwise(told.fill_null(""))
    return requests.with_columns(client=client)


def _by_words(incident: Incident) -> pl.DataFrame:
    severity, body = pl.col("severity_number"), pl.col("body")
    chosen = (pl.col("lane") == Lane.LOG.value) & ((severity == 0) | (severity >= SEVERITY_WARN))
    lines = told_with(
        incident, chosen, body.str.contains(plain_edges(LIMITED)), "source", "actor", "body"
    )
    own = lines.filter(~body.str.contains(plain_edges(NOT_REFUSED))).head(MAX_LINES)
    if own.is_empty():
        return pl.DataFrame(schema=LIMITED_SCHEMA)
    return _typed(
        own.with_columns(
            pl.col("source", "actor").cast(pl.String).fill_null(""),
            client=body.str.extract(ADDRESS, 1).fill_null(""),
            method=body.str.extract(REQUEST, 1).fill_null(""),
            route=route_of(body.str.extract(REQUEST, 2)).fill_null(""),
            said=pl.lit(value=True),
        )
    )


def _by_status(incident: Incident, answered: pl.DataFrame) -> pl.DataFrame:
    if answered.is_empty():
        return pl.DataFrame(schema=LIMITED_SCHEMA)
    return _typed(askers(incident, answered).with_columns(said=pl.lit(value=False)))


def _typed(frame: pl.DataFrame) -> pl.DataFrame:
    return frame.select(pl.col(name).cast(dtype) for name, dtype in LIMITED_SCHEMA.items())
