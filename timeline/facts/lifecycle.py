"""Signs that something was stopped or started on purpose, read only around a given instant."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from timeline.event import Lane

if TYPE_CHECKING:
    from timeline.incident import Incident

AROUND_NS = 30_000_000_000
"""A restart and the errors it causes stand within half a minute of each other."""

STOP_LINE = (
    r"(?i)\bSIG(?:TERM|QUIT|INT)\b|\bshutting down\b|\bgraceful(?:ly)? (?:shut|stop|exit)"
    r"|\bstopping (?:server|worker|service|container|http)|\brolling (?:update|restart|deploy)"
    r"|received (?:fast|smart|immediate) shutdown request|User requested shutdown"
    r"|\b(?:warm|cold) shutdown\b|\binitiating shutdown|\bshutdown (?:initiated|requested|signal)"
    r"|\bapplication is shutting|\bsignal(?: |: ?)(?:term(?:inated)?|15|interrupt)\b"
    r"|\bworker exiting \(pid|\bterminating quiet threads|\bcaught stopping signal"
    r"|\bis asked to stop|\bentering lame.?duck|\bwaiting for (?:application|requests? to) "
    r"(?:shutdown|finish|complete)|Received SHUTDOWN from user|\bdraining (?:connections|node)"
)
"""What programs say when they are asked to stop."""

STOP_ERROR = (
    r"(?i)administrator command|57P01|shutting down|shutdown in progress|CONNECTION_FORCED"
    r"|closed idle connection|idle-session timeout|recv \(idle\)|graceful|GOAWAY"
    r"|AdminShutdown|client is closed|database is closed|ORA-01089|because of inactivity"
    r"|\bis draining|immediate shutdown in progress|operator intervention"
)
"""What clients say when the other side closed on purpose or dropped an idle connection."""


def stop_lines(incident: Incident, first: int, last: int) -> pl.DataFrame:
    """(row, actor, timestamp) of log lines about stopping, near `[first, last]` (ns)."""
    snapshot = incident.snapshot
    low, high = snapshot.position_at(first - AROUND_NS), snapshot.position_at(last + AROUND_NS)
    rows = snapshot.order.slice(low, high - low)
    shown = pl.col("lane", "actor", "timestamp", "body")
    lines = snapshot.events.select(shown.gather(rows)).with_columns(
        pl.col("actor").cast(pl.String), row=rows
    )
    told = (pl.col("lane") == Lane.LOG.value) & pl.col("body").str.contains(STOP_LINE)
    return lines.filter(told).select("row", "actor", "timestamp")


def changes(incident: Incident, first: int, last: int) -> pl.DataFrame:
    """(row, body) of change events (deploys, configuration) near `[first, last]` (ns)."""
    rows = incident.snapshot.where(
        (pl.col("lane") == Lane.CHANGE.value)
        & pl.col("timestamp").is_between(first - AROUND_NS, last + AROUND_NS)
    )
    return incident.snapshot.events.select(pl.col("body").gather(rows)).with_columns(row=rows)


def stopped_on_purpose(incident: Incident, hits: pl.DataFrame, system: str) -> str:
    """Why the errors in `hits` look like a planned stop, in words; empty when they do not.

    Either most of them are the words of a closing side, or the peer or most of the complaining
    services announced before or during the errors that they were stopping.
    """
    planned = hits.filter(pl.col("body").str.contains(STOP_ERROR)).height
    if 2 * planned >= hits.height:
        return f"{planned} of {hits.height} errors are the words of a side that closes on purpose"
    first, last = hits["timestamp"][0], hits["timestamp"][-1]
    stops = stop_lines(incident, first, last).filter(pl.col("timestamp") <= last)
    actors = set(stops.get_column("actor").to_list())
    services = set(hits.get_column("actor").to_list())
    if system and any(system in actor.lower() for actor in actors - services):
        return f"{system} announced that it was stopping"
    if 2 * len(actors & services) >= len(services) and actors & services:
        return f"{', '.join(sorted(actors & services))} announced that they were stopping"
    return ""
