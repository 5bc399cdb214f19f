"""Workers whose host still speaks although they died: something else came up in their place.

A container that is killed starts again in the same pod, a service on the same machine, and their
lines go on under the same host. So the last line of a host is no sign of life of a worker that was
killed, or after which another start was told. Only what the incident shows counts.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import polars as pl

from timeline.event import Lane
from timeline.facts.boots import boots_of
from timeline.facts.kills import is_on_host_of, is_same_worker, kill_lines
from timeline.facts.lost_attempt import LAST_LINE, LostAttempt
from timeline.facts.unended import spoken_attempts, went_on
from timeline.templates import service_of

if TYPE_CHECKING:
    from timeline.incident import Incident


STARTING_NS = 1_000_000_000
"""What is said in the second before a program says that it has started is its own. To end too
early only widens the stretch in which a worker was lost."""


def before_restarts(incident: Incident, lost: Sequence[LostAttempt]) -> list[LostAttempt]:
    """`lost`, where a host's last line stands for its worker's, with the last one before the first
    kill of that worker, or the first start on its host, after the attempt had begun."""
    asked = [one for one in lost if one.alive_how == LAST_LINE and one.start is not None]
    if not asked:
        return list(lost)
    hosts = sorted({one.host or one.worker for one in asked})
    log = pl.col("lane") == Lane.LOG.value
    told = incident.snapshot.told(log & pl.col("clock").is_in(hosts), "actor", "clock")
    ends = _ends(incident, asked, told)
    stamps = {
        str(host): part.get_column("timestamp").sort()
        for (host,), part in told.with_columns(pl.col("clock").cast(pl.String)).group_by("clock")
    }
    found = []
    for one in lost:
        end = ends.get((one.job, one.start))
        lines = stamps.get(one.host or one.worker)
        place = lines.search_sorted(end) if end is not None and lines is not None else 0
        if place and lines is not None:
            one = replace(one, alive=max(int(lines[int(place) - 1]), one.start or 0))
        found.append(one)
    return found


def _ends(
    incident: Incident, asked: Sequence[LostAttempt], told: pl.DataFrame
) -> dict[tuple[str, int | None], int]:
    """By attempt: when its worker was killed, or another one came up on its host (ns)."""
    first, last = min(one.start or 0 for one in asked), max(one.noticed for one in asked)
    kills = kill_lines(incident, [(first, last)])
    names = told.select(pl.col("actor").cast(pl.String).unique())
    services = names.select(service_of(pl.col("actor")).unique()).to_series().drop_nulls()
    boots = [b for b in boots_of(incident, services.to_list(), first, last) if b.said]
    spoken = spoken_attempts(incident)
    found: dict[tuple[str, int | None], int] = {}
    for one in asked:
        host = one.host or one.worker
        struck = [
            kill.timestamp
            for kill in kills
            if is_same_worker(kill, one.worker, host)
            or (is_on_host_of(kill, one.worker, host) and not went_on(spoken, host, kill.timestamp))
        ]
        again = [boot.timestamp - STARTING_NS for boot in boots if boot.host == host]
        end = min(_within(one, struck, again), default=None)
        if end is not None:
            found[one.job, one.start] = end
    return found


def _within(one: LostAttempt, *stamps: Sequence[int]) -> Iterator[int]:
    """Those of `stamps` that lie between the attempt's start and when it was missed."""
    for each in stamps:
        yield from (at for at in each if (one.start or 0) < at <= one.noticed)
