"""Whether whoever logs the runs of some work was heard at all around an instant.

A line that is missing proves nothing where its writer's every line is missing: a shipper that died
leaves a file that ends, or a hole, and neither is announced. A writer that says nothing but that it
ran is silent when it does not run; one that speaks between its runs as well is not.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import pairwise
from typing import TYPE_CHECKING

import polars as pl

from timeline.event import Lane
from timeline.facts.schedules import EARLY_NS, Planned
from timeline.facts.words import instant, listed

if TYPE_CHECKING:
    from timeline.facts.work import Run
    from timeline.incident import Incident

ALIVE_NS = 60_000_000_000
"""Whoever logs the runs must have said something within a minute of a due instant: the line of the
run is no proof of absence where no line came at all."""
TALKATIVE = 0.5
"""Of the pauses between its runs, in how many somebody speaks who writes of more than its runs."""
MAX_PAUSES = 20
"""Pauses that are listened to, the latest: a habit shows in so many."""


def unheard(incident: Incident, planned: Planned, dues: Iterable[int]) -> Iterator[str]:
    """Why the work may have run at some of `dues` (ns UTC), unheard; nothing where all was heard.

    A log of its own with runs alone is read to its end or said not to be; in a store that many
    write to, and in a log that is never quiet for long, a stretch without any line is a gap.
    """
    logs = incident.speakers[Lane.LOG]
    told = [run for run in planned.runs if run.source in logs and run.actor]
    if not told:
        return
    shared = _shared_logs(incident)
    width = EARLY_NS + max(planned.tolerance, ALIVE_NS)
    tellers = _Tellers(incident, [run for run in told if run.source in shared])
    if not tellers.names:
        tellers = _Tellers(incident, told)
        if not _talkative(tellers, told, width):
            return
    who = listed(sorted({run.actor for run in told}), 2)
    for due in dues:
        if not tellers.spoke(due - EARLY_NS, due - EARLY_NS + width):
            yield f"{who} logged nothing at all around {instant(due)}"


class _Tellers:
    """The actors, each on its host, that told of some runs."""

    def __init__(self, incident: Incident, runs: Sequence[Run]) -> None:
        self._snapshot = incident.snapshot
        self.names = {(run.actor, run.clock) for run in runs}

    def spoke(self, start: int, end: int) -> bool:
        """Whether any of them wrote a line in `[start, end)` ns."""
        snapshot = self._snapshot
        first, last = snapshot.position_at(start), snapshot.position_at(end)
        rows = snapshot.order.slice(first, last - first)
        near = snapshot.events.select(pl.col("source", "actor", "clock").gather(rows)).unique()
        names = near.with_columns(pl.all().cast(pl.String).fill_null(""))
        clock = pl.when(pl.col("clock") == "").then("source").otherwise("clock")
        return not self.names.isdisjoint(names.select("actor", clock=clock).iter_rows())


def _talkative(tellers: _Tellers, runs: Sequence[Run], width: int) -> bool:
    """Whether they speak in the middle between two runs as well, in stretches of up to `width`."""
    middles = [
        ((one.end or one.at) + two.at) // 2 for one, two in pairwise(runs) if two.at > one.at
    ][-MAX_PAUSES:]
    half = min([width, *(two.at - one.at for one, two in pairwise(runs) if two.at > one.at)]) // 4
    heard = sum(tellers.spoke(middle - half, middle + half) for middle in middles)
    return bool(middles) and heard >= TALKATIVE * len(middles)


def _shared_logs(incident: Incident) -> frozenset[str]:
    """Log sources in which more than one actor writes."""
    events = incident.snapshot.events
    pairs = events.filter(pl.col("lane") == Lane.LOG.value).select("source", "actor").unique()
    many = pairs.group_by("source").len().filter(pl.col("len") > 1)
    return frozenset(many.get_column("source").cast(pl.String).to_list())
