"""Stretches of a log source in which lines are missing although somebody still speaks in it.

Nobody's silence shows them: a carrier says that it lost lines, or work goes on and is no longer
named. `timeline.facts.sight.absence` weakens every negative claim about them.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, NamedTuple

import polars as pl

from timeline.event import Lane
from timeline.facts.lost_lines import lost_lines
from timeline.facts.words import instant

if TYPE_CHECKING:
    from timeline.incident import Incident

BEFORE_NS = 60_000_000_000
"""A carrier says at the end of an interval what it lost in it."""


class ThinSpot(NamedTuple):
    """Lines of `source` are missing in `[start, end)` (ns), for `reason`."""

    source: str
    start: int
    end: int
    reason: str


def thin_spots(incident: Incident) -> tuple[ThinSpot, ...]:
    """By source and start."""
    found = [
        ThinSpot(one.source, one.start, one.end, f"{one.teller} left out most of its work")
        for one in incident.unnamed_work
    ]
    return tuple(sorted({*found, *_lossy(incident)}))


def _lossy(incident: Incident) -> Iterator[ThinSpot]:
    """The sources in which those speak whose lines were lost, or the hosts that lost them."""
    lost = [one for one in incident.shared(lost_lines) if one.often]
    if not lost:
        return
    pairs = incident.snapshot.events.lazy().filter(pl.col("lane") == Lane.LOG.value)
    texts = pl.col("source", "actor", "clock").cast(pl.String).fill_null("")
    known = pairs.select(texts).unique().collect()
    for one in lost:
        by_name = pl.col("actor") == one.whose if one.whose else pl.col("clock") == one.place
        sources = known.filter(by_name).get_column("source").unique().sort()
        reason = f"{one.carrier} says from {instant(one.began)} on that it lost lines"
        for source in sources:
            yield ThinSpot(str(source), one.began - BEFORE_NS, one.ended + BEFORE_NS, reason)
