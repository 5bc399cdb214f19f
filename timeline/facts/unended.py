"""Attempts that no log ends, who had them in hand, and whether they went on after all.

Read from `timeline.facts.handled`; the queue's own word is for `timeline.facts.lost_work`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import polars as pl

from timeline.facts.starts import Start

if TYPE_CHECKING:
    from timeline.incident import Incident

SAME_START_NS = 1_000_000_000
"""Queue and worker stamp one start within a second of each other."""

MOSTLY = 0.5


class Spoken(NamedTuple):
    """An attempt as its worker's log tells it: its start (by host, ns UTC), what was last heard of
    it and whether that ended it.

    `telling`: most attempts that begin so have an end in the log, so that one without means
    something. Workers that log no ends would seem to hold all their work for ever.
    """

    start: Start
    host: str
    last: int
    ended: bool
    telling: bool = True


def spoken_attempts(incident: Incident) -> tuple[Spoken, ...]:
    """Attempts whose worker's host is known, by start."""
    if incident.jobs.named.is_empty():
        return ()
    ended = pl.col("outcome") != "open"
    told = incident.handled.with_columns(ended=ended, telling=ended.mean().over("form") > MOSTLY)
    told = told.filter(pl.col("host") != "")
    columns = ("job", "start", "start_row", "source", "host", "last", "ended", "telling")
    return tuple(
        Spoken(Start(job, at, row, host, source), host, last, ended, telling)
        for job, at, row, source, host, last, ended, telling in told.select(columns).iter_rows()
    )


def of_start(attempts: tuple[Spoken, ...], start: int | None) -> Spoken | None:
    """Of the attempts of one job, that which its queue says began at `start` (ns)."""
    if start is None:
        return None
    near = [one for one in attempts if abs(one.start.timestamp - start) <= SAME_START_NS]
    return min(near, key=lambda one: abs(one.start.timestamp - start), default=None)


def went_on(attempts: tuple[Spoken, ...], host: str, at: int) -> bool:
    """Whether anything that was under way on `host` at the instant `at` (ns) went on after it."""
    return any(one.host == host and one.start.timestamp < at < one.last for one in attempts)
