"""Sources of records that end before the window does, by their own word and by what they hold.

A database or a queue that could not be read in full says so. That alone is a remark; where it used
to tell something every few seconds and tells nothing from that instant on, what happened since
then is not on this screen. Logs have their own silences (`timeline.facts.sight`).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import polars as pl

from timeline.coverage import Sight
from timeline.event import Kind, Lane, Meaning

if TYPE_CHECKING:
    from timeline.coverage import Coverage
    from timeline.incident import Incident

LEAST_RECORDS = 20
"""Records before the stretch, so that it is known how often there is one."""
BY_CHANCE = 1e-6
"""How often as long a stretch may be empty by chance: `e ** -expected`."""
SHORTEST_NS = 60_000_000_000
_LANES = (Lane.DATABASE, Lane.QUEUE)


@dataclass(frozen=True, slots=True)
class ShortSource:
    """`coverage` is what the source says of a stretch in which none of its records lies; `before`
    were read of the time before it, the last one at event `row`."""

    coverage: Coverage
    before: int
    row: int


def short_sources(incident: Incident) -> list[ShortSource]:
    """By source, the first such stretch."""
    lane_of = {name: lane for lane in _LANES for name in incident.speakers[lane]}
    weak = sorted(
        (
            entry
            for entry in incident.snapshot.coverage.entries
            if entry.source in lane_of
            and entry.sight in (Sight.BLIND, Sight.PARTIAL)
            and entry.end - entry.start >= SHORTEST_NS
        ),
        key=lambda entry: (entry.source, entry.start),
    )
    found: dict[str, ShortSource] = {}
    for entry in weak:
        one = None if entry.source in found else _short(incident, entry)
        if one is not None:
            found[entry.source] = one
    return list(found.values())


def _short(incident: Incident, entry: Coverage) -> ShortSource | None:
    own = (
        (pl.col("source") == entry.source)
        & (pl.col("kind") != Kind.METRIC.value)
        & (pl.col("meaning") != Meaning.POLLED.value)
    )
    told = incident.snapshot.told(own).filter(pl.col("timestamp") >= incident.window.start)
    before = told.filter(pl.col("timestamp") < entry.start)
    inside = told.filter(pl.col("timestamp").is_between(entry.start, entry.end, "right"))
    span = entry.start - incident.window.start
    if before.height < LEAST_RECORDS or inside.height or span <= 0:
        return None
    expected = before.height * (entry.end - entry.start) / span
    if math.exp(-expected) > BY_CHANCE:
        return None
    return ShortSource(entry, before.height, int(before["row"][-1]))
