"""Whether a worker that was lost with its jobs had announced that it would stop.

A restart that announced itself is no loss. Where workers' logs are told apart by host, only the
announcement of the lost worker's own host is its own: a rolling release stops one after the other.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from timeline.event import Lane
from timeline.facts.kills import Kill, is_same_worker
from timeline.facts.lifecycle import stop_lines
from timeline.facts.lost_work import host_of
from timeline.facts.words import instant

if TYPE_CHECKING:
    from timeline.facts.lost_attempt import LostAttempt
    from timeline.incident import Incident


def announced_stop(incident: Incident, one: LostAttempt) -> str:
    """Words for the worker's own announcement that it was stopping; empty when it made none.

    Where no log is known to be that worker's, any worker's announcement may have been its own, but
    for that of another host of a service whose lines from the worker's own host are told apart.
    """
    since = one.noticed if one.alive is None else one.alive
    host, workers = host_of(incident, one), incident.workers
    for row, actor, stamp in stop_lines(incident, since, one.noticed).iter_rows():
        told = Kill(row, stamp, actor, incident.snapshot.event(row).body)
        anonymous = one.worker not in workers and actor in workers
        anonymous = anonymous and not _is_of_another_host(incident, row, actor, host)
        if stamp <= one.noticed and (anonymous or is_same_worker(told, one.worker, host)):
            return f"{actor} announced at {instant(stamp)} that it was stopping"
    return ""


def _is_of_another_host(incident: Incident, row: int, actor: str, host: str) -> bool:
    """Whether the line at `row`, of `actor`, was stamped elsewhere than on `host`, although lines
    of that actor from `host` are told apart as such."""
    event = incident.snapshot.event(row)
    if not host or not event.clock or event.clock in (host, event.source):
        return False
    clock, by = pl.col("clock").cast(pl.String), pl.col("actor").cast(pl.String)
    own = incident.snapshot.events.lazy().filter(
        (pl.col("lane") == Lane.LOG.value) & (clock == host) & (by == actor)
    )
    return not own.select("timestamp").head(1).collect().is_empty()
