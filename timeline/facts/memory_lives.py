"""The lives of a process by its memory: from one start to the next, with ramp and plateau.

A fall alone is no restart: garbage collectors and batches give memory back too. Only a record of a
new start, or of a kill for memory, makes one. Pure arithmetic over the points of one curve.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from timeline.facts.kills import Kill, kill_lines
from timeline.facts.memory import MemoryCurve, starts_around, whole_name
from timeline.facts.rates import MINUTE_NS, SECOND_NS
from timeline.facts.series import trend_of

if TYPE_CHECKING:
    import polars as pl

    from timeline.incident import Incident

FALL = 0.5
"""What is left after a restart at most, of what was held before (detector catalogue, D20)."""
MIN_POINTS = 20
MIN_RISE = 0.3
"""Total rise of a ramp, as a share of its beginning (detector catalogue, D20)."""
FLAT = 0.02
"""Points within this share of the highest are the plateau."""
MIN_PLATEAU = 5
LINGERS = 2
"""Times that an even ramp would need for the last stretch; less is the ramp itself."""
THIRDS = 3
"""A ramp must rise in each third of its length; warm-up and filling caches bend over."""
START_SLACK_NS = MINUTE_NS
"""A new process is up and says so within a minute of the sample that shows its small memory."""
BEFORE_NS = 5 * SECOND_NS
"""Clocks of metric server and process differ."""
MAX_FALLS = 20


@dataclass(frozen=True, slots=True)
class Life:
    """One life, ns UTC and bytes. `restarted` is the row of the record that ends it, or None.

    `ramp_from` to `ramp_to` it rose by `slope` bytes a minute from `low` to `high`; `plateau` is
    how long it stood at the top (ns). `young` says that its beginning was seen, `coarse` that it
    has few points or gives little back (`timeline.facts.memory_teeth`), and is weak by itself.
    """

    began: int
    ended: int
    ramp_from: int
    ramp_to: int
    low: float
    high: float
    slope: float
    plateau: int
    rows: tuple[int, int, int]
    young: bool
    restarted: int | None
    restarted_at: int | None
    coarse: bool = False


def lives_of(incident: Incident, curve: MemoryCurve) -> tuple[Life, ...]:
    """Every life of the process with a ramp, oldest first; lives without one are left out."""
    found = []
    opening = curve.points["timestamp"][0]
    seen = starts_around(incident, curve, incident.window.start, opening + START_SLACK_NS)
    first, young = 0, seen.height > 0
    for cut, row, at in [*_restarts(incident, curve), (curve.points.height, None, None)]:
        life = _life(curve.points.slice(first, cut - first), young, row, at)
        found += [life] if life is not None else []
        first, young = cut, True
    return tuple(found)


def _restarts(incident: Incident, curve: MemoryCurve) -> list[tuple[int, int, int]]:
    """(first point after it, row, ns) of every fall that a start or a kill explains."""
    value = curve.points.get_column("value")
    fell = (value < value.shift(1) * FALL).fill_null(value=False).arg_true().to_list()
    stamps = curve.points.get_column("timestamp").to_list()
    found = []
    for place in fell[:MAX_FALLS]:
        span = (stamps[place - 1] - BEFORE_NS, stamps[place] + START_SLACK_NS)
        begun = starts_around(incident, curve, *span)
        if begun.height:
            found.append((place, begun["row"][0], begun["timestamp"][0]))
        elif killed := [k for k in kill_lines(incident, [span]) if ended_by(k, curve)]:
            found.append((place, killed[0].row, killed[0].timestamp))
    return found


def ended_by(kill: Kill, curve: MemoryCurve) -> bool:
    """Whether the process of the curve was killed for its memory: by its name or on its host."""
    named = re.compile(whole_name(curve.host))
    told = any(named.search(text) for text in (kill.body, kill.actor))
    return kill.by_memory and (told or kill.host == curve.host)


def _life(
    points: pl.DataFrame, young: bool, restarted: int | None, restarted_at: int | None
) -> Life | None:
    value, stamps = points.get_column("value"), points.get_column("timestamp")
    if points.height < MIN_POINTS:
        return None
    top = max(value.to_list())
    reached = (value >= top * (1 - FLAT)).arg_true()[0]
    stays = value.slice(reached)
    if (stays < top * (1 - 2 * FLAT)).any():
        return None  # given back without a restart
    flat = stays.len() >= MIN_PLATEAU and _longer_than_passing(points, reached, top)
    ramp = points.head(reached + 1) if flat else points
    low = min(ramp.get_column("value").to_list())
    foot = (ramp.get_column("value") <= low * (1 + 2 * FLAT)).arg_true()
    ramp = ramp.slice(int(foot[-1]))  # before it, it stood at the bottom
    if ramp.height < MIN_POINTS or top < low * (1 + MIN_RISE) or not _rises_throughout(ramp):
        return None
    slope = trend_of(ramp.get_column("timestamp"), ramp.get_column("value")).slope
    plateau = stamps[-1] - stamps[reached] if flat else 0
    rows = points.get_column("row")
    return Life(
        stamps[0],
        stamps[-1],
        ramp["timestamp"][0],
        ramp["timestamp"][-1],
        low,
        top,
        slope * MINUTE_NS,
        plateau,
        (ramp["row"][0], ramp["row"][-1], rows[-1]),
        young,
        restarted,
        restarted_at,
    )


def _longer_than_passing(points: pl.DataFrame, reached: int, top: float) -> bool:
    """Whether it stayed near the top for longer than a ramp that goes on would need to pass."""
    stamps = points.get_column("timestamp")
    before = points.head(reached + 1)
    slope = trend_of(before.get_column("timestamp"), before.get_column("value")).slope
    passing = FLAT * top / slope if slope > 0 else 0.0
    return bool(stamps[-1] - stamps[reached] >= LINGERS * passing)


def _rises_throughout(ramp: pl.DataFrame) -> bool:
    stamps, values = ramp.get_column("timestamp"), ramp.get_column("value")
    if not trend_of(stamps, values).rises:
        return False
    size = ramp.height // THIRDS
    parts = (ramp.slice(part * size, size) for part in range(THIRDS))
    return all(trend_of(part["timestamp"], part["value"]).slope > 0 for part in parts)
