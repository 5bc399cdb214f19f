"""Lines in which programs themselves complain about a clock or tell that it was set.

Read only among warnings and worse and among the words of time services. A sign raises a suspicion;
it measures nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from timeline.event import SEVERITY_WARN, Lane
from timeline.facts.searched import told_with

if TYPE_CHECKING:
    from timeline.incident import Incident

SIGNS = (
    r"(?i)\bclocks? (?:\w+ )?skew|clocks are out of sync|TimeTooSkewed"
    r"|\bcertificate (?:is )?not yet valid|CERT_NOT_YET_VALID|not yet valid \(nbf\)|\(iat\)"
    r"|issued in the future|token used before issued|ImmatureSignatureError"
    r"|\bSystem clock wrong by|\b(?:clock|time) (?:was )?stepped|\bTime has been changed"
    r"|(?:clock|time) jumped|has gone backwards|went backwards"
    r"|\bin the future\b.{0,40}\b(?:clock|timestamp)"
)
"""Celery, S3 and Kerberos, TLS stacks, JWT libraries, chrony, ntpd, systemd, Kubernetes, MongoDB
and RabbitMQ, as their sources and documents word it."""
TIME_SERVICES = r"(?i)chrony|ntpd|timesyncd|ptp4l|phc2sys"
MAX_SIGNS = 50


def clock_signs(incident: Incident) -> pl.DataFrame:
    """(row, timestamp, actor, clock, body) of such lines in time order, the first `MAX_SIGNS`."""
    actors = incident.snapshot.events.get_column("actor").unique().cast(pl.String).drop_nulls()
    services = actors.filter(actors.str.contains(TIME_SERVICES)).to_list()
    severe = pl.col("severity_number") >= SEVERITY_WARN
    chosen = (pl.col("lane") == Lane.LOG.value) & (severe | pl.col("actor").is_in(services))
    wording = pl.col("body").str.contains(SIGNS)
    shown = ("actor", "clock", "source", "body")
    told = told_with(incident, chosen, wording, *shown).head(MAX_SIGNS)
    texts = told.with_columns(pl.col("actor", "clock", "source").cast(pl.String).fill_null(""))
    named = texts.with_columns(
        clock=pl.when(pl.col("clock") == "").then("source").otherwise("clock")
    )
    return named.select("row", "timestamp", "actor", "clock", "body")
