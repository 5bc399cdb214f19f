"""Lines in which somebody says that a certificate, a token, a secret or a licence has expired.

Owns the wordings and the instants of expiry that stand in them. Sessions, caches, locks and
time-outs expire all the time and are none of these. It decides nothing about what is routine.

Wordings: OpenSSL and Go x509, Node TLS codes, JDK; PyJWT, jsonwebtoken, jjwt, jose; AWS
`ExpiredToken`, Microsoft Entra AADSTS7000222, MySQL 1862, PostgreSQL.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import polars as pl

from timeline.event import SEVERITY_WARN, Lane
from timeline.facts.errors import JOB_FAILURES
from timeline.facts.lines import LINE_SCHEMA, lines_at, lines_where

if TYPE_CHECKING:
    from timeline.incident import Incident

CERTIFICATE, TOKEN, SECRET, LICENCE = "certificate", "token", "secret", "licence"
PREFILTER = (
    r"xpired|XPIRED|ExpiredSig|ExpiredTok|ExpiredJwt|ExpiredExc|AADSTS7000222|NotTimeValid|"
    r"CERT_DATE_INVALID|exp\W{1,2} claim timestamp|o longer valid since|past its |lapsed|alidity"
)
"""Cheap literals that every wording contains; searched once in what may report an error."""
_ENDED = (
    r"(?:[^.;]|\.\S){0,40}(?:no longer valid since|\blapsed\b"
    r"|past its (?:expiry|expiration|validity|end)\b"
    r"|validity (?:period )?(?:has |is )?(?:ended|over))"
)
"""How else it is said that something was valid up to a day."""
_WORDINGS: tuple[tuple[str, re.Pattern[str]], ...] = (
    (
        CERTIFICATE,
        re.compile(
            r"(?i)certificate[_ ](?:has[_ ]|is |was )?expired|CERT_HAS_EXPIRED|expired certificate"
            r"|CertificateExpiredException|\bNotTimeValid\b|ERR_CERT_DATE_INVALID"
            rf"|\bcert(?:ificate)?\b{_ENDED}"
        ),
    ),
    (
        SECRET,
        re.compile(
            r"(?i)client secret[^.;]{0,80}\bexpired|\b(?:api|access|account|secret|signing) ?key"
            r"[^.;]{0,40}\bexpired|expired (?:api[ _-]?key|secret|password|credentials?)"
            r"|AADSTS7000222|password (?:has |is |was )?expired"
            r"|credentials? (?:have |has |are |is |were )?(?:been )?expired"
            rf"|\b(?:secret|password|credentials?|(?:api|access|signing|account) key)\b{_ENDED}"
        ),
    ),
    (
        TOKEN,
        re.compile(
            r"(?i)\bjwt (?:is |has )?expired|TokenExpiredError|Expired(?:Signature|Token|Jwt)"
            r"|signature has expired|\btoken (?:is |has |was |included in the request is )?"
            r"(?:been )?expired|expired (?:\w+ )?token|\bexp\W{1,2} claim timestamp check failed"
        ),
    ),
    (
        LICENCE,
        re.compile(rf"(?i)\blicen[cs]e (?:key )?(?:has |is )?expired|\blicen[cs]e\b{_ENDED}"),
    ),
)
_TALK = re.compile(
    r"(?i)\b(?:purg|delet|remov|clean|prun|refresh|renew|rotat|revok|evict|skip|reissu)\w*\b"
    r"(?<!error)(?<!exception)"
    r"[^.;]{0,60}expired|expired[^.;]{0,40}\b(?:refreshing|renewing|rotating|renewed|refreshed)"
    r"|\bnot expired|expired[\"']?\s?[=:]\s?[\"']?(?:false|0|no)\b|\bif\b[^.;]{0,40}expired"
)
"""Housekeeping, conditions and settings that speak of expiry without meeting it."""
_OWN = re.compile(r"(?i)alert certificate[_ ]expired|remote error: tls: expired certificate")
"""What the side hears whose own certificate was refused: the peer's TLS alert."""
_NOT_YET = re.compile(r"(?i)not yet valid")
_PEER = re.compile(
    r"https?://(?:[^/\s@]*@)?([A-Za-z0-9.-]+(?::\d{1,5})?)|"
    r"\b(?:for|to|from|host|peer|server|upstream)[=: ]+[\"']?"
    r"([a-z0-9][a-z0-9-]*(?:\.[a-z0-9-]+)+(?::\d{1,5})?|[a-z0-9.-]+:\d{2,5})\b"
)
_STAMP = r"(\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:?\d\d)?)"
_ISO_AT = re.compile(
    rf"(?i)(?:is after |expiredAt:? ?[\"']?|expired at |expired on |expired [\w ]{{1,40}} ago at |"
    rf"not_?after[=: ]+){_STAMP}"
)
_ASN1_AT = re.compile(
    r"(?i)notafter[=: ]+(?:[A-Z][a-z]{2} )?([A-Z][a-z]{2}) +(\d{1,2}) (\d\d:\d\d:\d\d) "
    r"(?:(?:GMT|UTC) )?(\d{4})"
)
_AGO = re.compile(r"expired by ((?:\d+h)?(?:\d+m)?(?:\d+(?:\.\d+)?s)?)")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]
MAX_LINES = 5_000


@dataclass(frozen=True, slots=True)
class Expiry:
    """One line that says so. Instants in ns UTC.

    `what` is certificate, token, secret or licence; `own` whether it is the speaker's own (its peer
    refused it); `peer` the other side or empty; `expired_at` when it ran out, if the text tells;
    `plain` False where the wording may also mean "not yet valid".
    """

    what: str
    actor: str
    source: str
    peer: str
    own: bool
    at: int
    event_row: int
    expired_at: int | None
    plain: bool


def expiries(incident: Incident) -> list[Expiry]:
    """Every such line of a log at WARN or above (or without a level) and of failed jobs."""
    window = incident.window
    inside = pl.col("timestamp").is_between(window.start, window.end, "left")
    reports = (pl.col("severity_number") >= SEVERITY_WARN) | (pl.col("severity_number") == 0)
    logs = lines_where(
        incident,
        (pl.col("lane") == Lane.LOG.value)
        & inside
        & reports
        & pl.col("body").str.contains(PREFILTER),
    )
    lines = pl.concat([logs, _of_jobs(incident, inside)]).sort("timestamp", "row").head(MAX_LINES)
    hits = incident.errors.filter(pl.col("row").is_in(lines.get_column("row").implode()))
    peers = dict(hits.select("row", "peer").drop_nulls().iter_rows())
    found = (_read(line, peers.get(line["row"], "")) for line in lines.iter_rows(named=True))
    return [expiry for expiry in found if expiry is not None]


def _of_jobs(incident: Incident, inside: pl.Expr) -> pl.DataFrame:
    """LINE_SCHEMA of failed jobs whose stored error says so, the error as the body."""
    told = incident.jobs.transitions.filter(inside & pl.col("kind").is_in(JOB_FAILURES))
    if told.height:
        told = told.filter(pl.col("error").str.contains(PREFILTER))
    if told.is_empty():
        return pl.DataFrame(schema=LINE_SCHEMA)
    told = told.select("row", "error", "job_class")
    lines = lines_at(incident, told.get_column("row"))
    joined = lines.join(told, on="row", how="left", maintain_order="left")
    joined = joined.with_columns(
        body="error", actor=pl.coalesce(pl.col("job_class").replace("", None), "actor")
    )
    return joined.select(lines.columns)


def _read(line: dict[str, object], peer: str) -> Expiry | None:
    body, at, row = str(line["body"]), line["timestamp"], line["row"]
    what = next((kind for kind, pattern in _WORDINGS if pattern.search(body)), "")
    if not what or _TALK.search(body) or not isinstance(at, int) or not isinstance(row, int):
        return None
    expired_at = expiry_told(body, at)
    if _NOT_YET.search(body) and " is before " in body:
        return None  # too early, which is a matter of clocks
    named = _PEER.search(body)
    return Expiry(
        what=what,
        actor=str(line["actor"]),
        source=str(line["source"]),
        peer=peer or (next((part for part in named.groups() if part), "") if named else ""),
        own=_OWN.search(body) is not None,
        at=at,
        event_row=row,
        expired_at=expired_at,
        plain=not _NOT_YET.search(body) or expired_at is not None,
    )


def expiry_told(body: str, said_at: int) -> int | None:
    """The instant of expiry (ns UTC) in a text that was said at `said_at`; None if none stands
    there or it is no instant. A stamp without a zone is UTC."""
    if match := _ISO_AT.search(body):
        return _iso(match.group(1))
    if match := _ASN1_AT.search(body):
        month, day, clock, year = match.groups()
        if month not in _MONTHS:
            return None
        number = _MONTHS.index(month) + 1
        return _iso(f"{year}-{number:02d}-{int(day):02d}T{clock}Z")
    if (match := _AGO.search(body)) and match.group(1):
        units = {"h": 3600.0, "m": 60.0, "s": 1.0}
        parts = re.findall(r"([\d.]+)([hms])", match.group(1))
        return said_at - round(sum(float(n) * units[unit] for n, unit in parts) * 1e9)
    return None


def _iso(text: str) -> int | None:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    aware = moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC)
    return (aware - _EPOCH) // timedelta(microseconds=1) * 1_000
