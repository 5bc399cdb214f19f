"""The teeth of a saw: lives of a process by its memory where each has few points or little rise.

A process that holds much from its first minute falls by less than half when it is ended, and one
that is measured once a minute has some ten points from start to end. Each tooth is weak by itself;
its proof is what ends it. So a tooth counts only where a record tells, at the very instant of its
fall, that the process was killed for its memory or began anew, and where nothing was given back in
between: collectors and batches fall without such a record, and a cache bends over before its end.

A mere new start does not tell why the old process ended. One that gave another reason with its last
words, or that held less than half of what it may hold, did not run full: it was replaced, or it
crashes over and over while its memory is still coming up.

Made of the same values as `timeline.facts.memory_lives`, which reads the long ramps.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import polars as pl

from timeline.event import SEVERITY_ERROR
from timeline.facts.kills import kill_lines
from timeline.facts.memory import MemoryCurve, starts_around
from timeline.facts.memory_lives import (
    BEFORE_NS,
    MAX_FALLS,
    MIN_RISE,
    START_SLACK_NS,
    Life,
    ended_by,
)
from timeline.facts.rates import MINUTE_NS, SECOND_NS
from timeline.facts.series import trend_of

if TYPE_CHECKING:
    from timeline.incident import Incident

FALL = 0.6
"""Part of the whole height of the curve that it loses between two points when a process ends."""
LEFT = 0.85
"""What is left of the value before it, at most: a ripple on a high level is no fall."""
FEWEST = 6
"""Points of a ramp: with fewer even an unbroken rise comes by chance once in a hundred curves."""
GIVEN_BACK = 0.25
"""Part of a tooth's height that it may lose on its way up, as measurements waver."""
NEAR = 0.12
"""Points within this part of its height are at its foot or at its top."""
BENDS = 0.33
"""Slope of the second half of a ramp, as a share of the first: a cache that fills up has less."""
CEILING = 0.9
"""Share of its limit at which a process is as full as it can be."""
FAR_FROM_FULL = 0.5
"""Below this share of its limit nobody ends a process for its memory, as far as records tell."""
LAST_WORDS_NS = 10 * SECOND_NS
"""What a process writes within this before its successor speaks tells how it ended."""
CRITICAL = 18
"""OpenTelemetry's number of the words with which programs give up (`critical`, `fatal`)."""
SPEAKS_OF_MEMORY = r"(?i)memory|heap|\boom\b|\brss\b|bad_alloc|malloc"


def teeth_of(incident: Incident, curve: MemoryCurve) -> tuple[Life, ...]:
    """Teeth that a record ended, oldest first, and the one that is under way behind them.

    Empty where no fall of the curve has such a record.
    """
    value = curve.points.get_column("value")
    held: list[float] = value.to_list()
    step = value.shift(1) - value
    fell = (step >= FALL * (max(held) - min(held))) & (value <= LEFT * value.shift(1))
    places: list[int] = fell.fill_null(value=False).arg_true().to_list()[:MAX_FALLS]
    ends = _ends(incident, curve, places)
    found, first = list[Life](), 0
    for cut, end in [*ends, (curve.points.height, None)]:
        life = _tooth(curve.points.slice(first, cut - first), first > 0, end, curve.limit)
        if life is not None and end is not None and _ended_otherwise(incident, curve, end, life):
            life = None
        found += [life] if life is not None else []
        first = cut
    return tuple(found) if any(one.restarted is not None for one in found) else ()


class _End(NamedTuple):
    """The record of what a fall comes from: its row and stamp (ns), and whether it is a kill."""

    row: int
    at: int
    killed: bool


def _ends(incident: Incident, curve: MemoryCurve, places: list[int]) -> list[tuple[int, _End]]:
    """The kill, or else the new start, that each fall comes from; falls without one are left out.

    A collector's saw falls every minute or two: stretches that lie close together are read once.
    """
    stamps = curve.points.get_column("timestamp")
    spans = [(stamps[place - 1] - BEFORE_NS, stamps[place] + START_SLACK_NS) for place in places]
    kills = [kill for kill in kill_lines(incident, spans) if ended_by(kill, curve)]
    starts = [
        start
        for run in _merged(spans)
        for start in starts_around(incident, curve, *run).select("row", "timestamp").iter_rows()
    ]
    found = []
    for place, (first, last) in zip(places, spans, strict=True):
        killed = next((one for one in kills if first <= one.timestamp <= last), None)
        begun = next(((row, at) for row, at in starts if first <= at <= last), None)
        if killed is not None:
            found.append((place, _End(killed.row, killed.timestamp, killed=True)))
        elif begun is not None:
            found.append((place, _End(*begun, killed=False)))
    return found


def _merged(spans: list[tuple[int, int]]) -> list[tuple[int, int]]:
    """Stretches (first and last ns) in time order; one that begins within its own length behind
    another is read in one go with it, which at most doubles what is read."""
    runs: list[tuple[int, int]] = []
    for first, last in spans:
        if runs and first <= runs[-1][1] + (last - first):
            runs[-1] = (runs[-1][0], max(last, runs[-1][1]))
        else:
            runs.append((first, last))
    return runs


def _ended_otherwise(incident: Incident, curve: MemoryCurve, end: _End, life: Life) -> bool:
    """Whether the process that a mere new start replaced had not run full."""
    if end.killed:
        return False
    snapshot = incident.snapshot
    low, high = snapshot.position_at(end.at - LAST_WORDS_NS), snapshot.position_at(end.at)
    rows = snapshot.order.slice(low, high - low)
    shown = pl.col("actor", "severity_number", "body").gather(rows)
    words = snapshot.events.select(shown).filter(
        pl.col("actor").cast(pl.String).is_in([curve.actor, curve.who, curve.host])
        & (pl.col("severity_number") >= SEVERITY_ERROR)
    )
    if words.get_column("body").str.contains(SPEAKS_OF_MEMORY).any():
        return False
    far = curve.limit is not None and life.high < FAR_FROM_FULL * curve.limit
    return far or bool((words.get_column("severity_number") >= CRITICAL).any())


def _tooth(points: pl.DataFrame, young: bool, end: _End | None, limit: float | None) -> Life | None:
    """The life in `points` if it is a tooth: a foot, an even ramp, perhaps a stretch at the top.

    That stretch is a ceiling only under a known limit or before a kill; else it is where a process
    has settled.
    """
    while young and points.height > FEWEST and points["value"][0] < LEFT * points["value"][1]:
        points = points.slice(1)  # it is coming up, and holds what it always holds a little later
    if points.height < FEWEST:
        return None
    value, stamps = points.get_column("value"), points.get_column("timestamp")
    low, top = min(value.to_list()), max(value.to_list())
    tall = top - low
    if tall < MIN_RISE * low or (value.cum_max() - value > GIVEN_BACK * tall).any():
        return None
    foot = int((value <= low + NEAR * tall).arg_true()[-1])
    reached = int((value >= top - NEAR * tall).arg_true()[0])
    ramp = points.slice(foot, reached + 1 - foot)
    trend = trend_of(ramp.get_column("timestamp"), ramp.get_column("value"))
    if ramp.height < FEWEST or not trend.rises or _bends(ramp):
        return None
    stood, climbed = stamps[-1] - stamps[reached], stamps[reached] - stamps[foot]
    ceiling = (end is not None and end.killed) or (limit is not None and top >= CEILING * limit)
    if stood > climbed / 2 and not ceiling:
        return None
    rows = points.get_column("row")
    return Life(
        began=stamps[0],
        ended=stamps[-1],
        ramp_from=stamps[foot],
        ramp_to=stamps[reached],
        low=low,
        high=top,
        slope=trend.slope * MINUTE_NS,
        plateau=stood if points.height - reached >= FEWEST else 0,
        rows=(rows[foot], rows[reached], rows[-1]),
        young=young,
        restarted=None if end is None else end.row,
        restarted_at=None if end is None else end.at,
        coarse=True,
    )


def _bends(ramp: pl.DataFrame) -> bool:
    value, stamps = ramp.get_column("value"), ramp.get_column("timestamp")
    half = ramp.height // 2
    first = (value[half] - value[0]) / max(stamps[half] - stamps[0], 1)
    second = (value[-1] - value[half]) / max(stamps[-1] - stamps[half], 1)
    return bool(second < BENDS * first)
