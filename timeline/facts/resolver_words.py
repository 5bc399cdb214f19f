"""What resolvers say of themselves: queries that they could not answer.

CoreDNS, Unbound, dnsmasq, BIND, PowerDNS and systemd-resolved write such lines, often without a
level or among ordinary ones. A refused zone transfer or a name that does not exist is none of them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from timeline.event import Lane
from timeline.word_edges import plain_edges

if TYPE_CHECKING:
    from timeline.incident import Incident

RESOLVERS = (
    r"(?i)coredns|kube-?dns|node-?local-?dns|unbound|dnsmasq|\bnamed\b|bind9|pdns|resolved\b"
    r"|\bdnscrypt|\bdnsdist"
)
UNANSWERED = (
    r"(?i)\bSERVFAIL\b|i/o timeout|no servers could be reached|all the configured stub or forward"
    r"|upstream server timeout|using degraded feature set|server .{0,60}timed? ?out"
    r"|timed out resolving|connection timed out|unreachable resolving|no route to host"
    r"|maximum number of concurrent|upstream .{0,60}(?:unhealthy|is down)"
    r"|HEALTHCHECK.{0,40}(?:fail|timeout)"
)
NAMED = r"(?i)([a-z0-9_](?:[a-z0-9_-]*\.)+[a-z][a-z0-9-]*)\.(?:[\s>,]|$)"
"""A full name in a resolver's line ends in a full stop."""


def unanswered(incident: Incident) -> pl.DataFrame:
    """(row, timestamp, source, actor, clock, severity_number, body, name) of such lines, time
    order; `name` is null where none stands in the line."""
    shown = ("source", "actor", "clock", "severity_number", "body")
    speakers = incident.snapshot.events.select(
        pl.col("actor").unique().cast(pl.String).drop_nulls().implode()
    ).item()
    resolvers = speakers.filter(speakers.str.contains(RESOLVERS)).to_list()
    chosen = (pl.col("lane") == Lane.LOG.value) & pl.col("actor").is_in(resolvers)
    told = incident.snapshot.told(chosen, *shown)
    names = pl.col("source", "actor", "clock").cast(pl.String).fill_null("")
    if told.is_empty():
        return told.with_columns(names, name=pl.lit(None, pl.String))
    lines = told.filter(pl.col("body").str.contains(plain_edges(UNANSWERED))).with_columns(
        names,
        name=pl.col("body").str.extract(NAMED, 1),
    )
    return lines.select("row", "timestamp", *shown, "name").sort("timestamp", "row")
