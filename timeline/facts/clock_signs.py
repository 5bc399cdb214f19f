"""Lines in which programs themselves complain about a clock or tell that it was set.

Read only among warnings and worse, among the words of time services, and among changes that move or
wake a machine. A sign raises a suspicion; it measures nothing. A time service that lost its sources
for a while is no wrong clock yet: `UNGUARDED` tells the signs that only say that nobody keeps it.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import polars as pl

from timeline.event import Lane
from timeline.facts.searched import told_with
from timeline.facts.wordings import holding
from timeline.word_edges import plain_edges

if TYPE_CHECKING:
    from timeline.incident import Incident

SIGNS = (
    r"(?i)\bclocks? (?:\w+ )?skew|clocks are out of sync|TimeTooSkewed"
    r"|\bcertificate (?:is )?not yet valid|CERT_NOT_YET_VALID|not yet valid \(nbf\)|\(iat\)"
    r"|issued in the future|token used before issued|ImmatureSignatureError"
    r"|\bSystem clock wrong by|\b(?:clock|time) (?:was )?stepped|\bTime has been changed"
    r"|(?:clock|time) jumped|has gone backwards|went backwards"
    r"|\bin the future\b.{0,40}\b(?:clock|timestamp)"
    r"|\bclocksource:? .{0,40}(?:unstable|skew|watchdog)|\btsc\b.{0,20}unstable"
    r"|\bTime jump|\bforward time jump|\btime step of\b|Detected (?:large )?time (?:jump|drift)"
    r"|The system time has changed to"
)
"""Celery, S3 and Kerberos, TLS stacks, JWT libraries, chrony, ntpd, systemd, Kubernetes, MongoDB
and RabbitMQ, as their sources and documents word it."""
PREMATURE = (
    r"(?i)\b(?:jwt|jwk|token|signature|assertion|saml|oidc|lifetime|nbf)"
    r"\b.{0,80}(?:not[ _](?:yet[ _])?(?:valid|active)|not been reached|used before|before its nbf)"
    r"|token_not_yet_valid|TokenNotYetValid|ImmatureSignature|NotBeforeError|IDX10222"
    r"|token used before issued|issued in the future|not yet valid \(nbf\)|\(iat\)"
)
"""A token that was signed in what the reader takes for the future. One may be meant for later; many
say that the clocks of signer and reader differ."""
UNGUARDED = (
    r"(?i)can't synchroni[sz]e|no selectable sources"
    r"|no (?:reachable|usable|valid) (?:sources?|servers?|time (?:source|provider)s?)"
    r"|\bunsynchroni[sz]ed\b|STA_UNSYNC|no server suitable"
    r"|timed out waiting for reply from|clock is not synchroni[sz]ed|stopped advertising"
    r"|lost (?:all )?(?:time )?sources?|selected source .{0,60}unreachable"
    r"|initial clock sync.{0,20}fail"
)
"""chrony, ntpd, systemd-timesyncd, ptp4l and the Windows Time service when nobody tells them the
time, or the kernel when nobody told it."""
MOVED = (
    r"(?i)\b(?:live[ -]?migrat(?:ed|ion)|vmotion|migrated (?:vm|instance|to hv|to host)"
    r"|resumed from (?:suspend|snapshot)|restored from (?:a )?snapshot|snapshot revert|un-?suspend)"
)
"""What happens to a virtual machine that may set its clock off: it stood still meanwhile."""
CERTIFICATES = r"(?i)certificate"
_ANY = (
    rf"{SIGNS}|not[ _-]?(?:yet[ _-]?)?(?:valid|active)|immature|notbefore|nbf|idx10222|used before"
    r"|in the future"
)
"""Every line that may be of `SIGNS` or of `PREMATURE`, in one pass."""
TIME_SERVICES = r"(?i)chrony|ntpd|timesyncd|ptp4l|phc2sys|w32time|time-service"
MAX_SIGNS = 50
SIGN_COLUMNS = ("row", "timestamp", "actor", "clock", "body", "kind")
SEVERITY_NOTICE = 10
"""The kernel speaks of its clock at notice and above, which OpenTelemetry puts right above INFO."""


def clock_signs(incident: Incident) -> pl.DataFrame:
    """(row, timestamp, actor, clock, body, kind) of such lines in time order, the first
    `MAX_SIGNS`; `kind` is `wrong`, `premature`, `unguarded` or `moved`, and the clock of a move is
    the one that its words name."""
    actors = incident.snapshot.events.get_column("actor").unique().cast(pl.String).drop_nulls()
    services = actors.filter(actors.str.contains(TIME_SERVICES)).to_list()
    severe = pl.col("severity_number") >= SEVERITY_NOTICE
    chosen = (pl.col("lane") == Lane.LOG.value) & (severe | pl.col("actor").is_in(services))
    body = pl.col("body")
    service = pl.col("actor").is_in(services) | body.str.contains(TIME_SERVICES)
    wording = body.str.contains(plain_edges(_ANY)) | (
        service & body.str.contains(plain_edges(UNGUARDED))
    )
    shown = ("actor", "clock", "source", "body")
    any_of = (_ANY, UNGUARDED if services else TIME_SERVICES)
    told = told_with(incident, chosen, wording, *shown, bodies=any_of)
    early = body.str.contains(plain_edges(PREMATURE)) & ~body.str.contains(CERTIFICATES)
    meant = body.str.contains(plain_edges(SIGNS)) | body.str.contains(plain_edges(UNGUARDED))
    told = told.filter(early | meant) if told.height else told
    moves = _moves(incident)
    if told.is_empty():
        return moves.sort("timestamp", "row").head(MAX_SIGNS)
    texts = told.with_columns(pl.col("actor", "clock", "source").cast(pl.String).fill_null(""))
    wrong = (
        pl.when(early)
        .then(pl.lit("premature"))
        .when(body.str.contains(plain_edges(SIGNS)))
        .then(pl.lit("wrong"))
        .otherwise(pl.lit("unguarded"))
    )
    named = texts.with_columns(
        clock=pl.when(pl.col("clock") == "").then("source").otherwise("clock"), kind=wrong
    )
    both = pl.concat([named.select(SIGN_COLUMNS), moves])
    return both.sort("timestamp", "row").head(MAX_SIGNS)


def _moves(incident: Incident) -> pl.DataFrame:
    """Changes and notes that move or wake a machine whose clock was read, by the name of it."""
    chosen = pl.col("lane").is_in([Lane.CHANGE.value, Lane.NOTE.value])
    told = incident.snapshot.told(chosen, "actor", "body")
    told = holding(told, MOVED)
    clocks = incident.snapshot.events.get_column("clock").unique().cast(pl.String).drop_nulls()
    found = [
        (row, at, actor or "", clock, body, "moved")
        for row, at, actor, body in told.select("row", "timestamp", "actor", "body").iter_rows()
        for clock in clocks.filter(clocks != "").sort()
        if re.search(rf"(?<![\w-]){re.escape(clock)}(?![\w-])", body)
    ]
    kinds = (pl.UInt32, pl.Int64, pl.String, pl.String, pl.String, pl.String)
    schema = dict(zip(SIGN_COLUMNS, kinds, strict=True))
    return pl.DataFrame(found, schema=schema, orient="row")
