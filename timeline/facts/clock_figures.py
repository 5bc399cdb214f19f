"""How far off a host's clock is, by figures that somebody measured: curves of an offset, and the
words of a time service that set it right.

These are the only marks of a clock that are a measurement in themselves. Small offsets are every
clock's; what is told here is further off than clocks on NTP are.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import polars as pl

from timeline.event import Lane
from timeline.facts.clock_signs import TIME_SERVICES
from timeline.facts.series import points_of
from timeline.window import SECOND_NS

if TYPE_CHECKING:
    from timeline.incident import Incident

OFFSETS = r"(?i)(?:timex|ntp|chrony|clock|time|ptp)\w*(?:offset|skew)|clock_error_seconds"
"""Names of such curves: node_exporter's timex collector, the exporters of chrony and ntpd."""
NO_OFFSET = r"(?i)frequency|ppm|rate|consumer|partition|root|dispersion|tolerance|utc_offset|zone"
MILLI = r"(?i)(?:_ms|millis\w*)$"
LABELS = ("instance", "host", "hostname", "node", "server", "pod")
LARGE_NS = SECOND_NS // 2
"""Further than this no clock is that is kept, not even after a restart of its service."""
LEAST_POINTS = 3
WORDS = (
    r"(?i)(?:System clock wrong by|Clock is off by|time reset|step(?:ping)? (?:time|clock) .{0,60}"
    r"offset|adjust time server .{0,60}offset|clock (?:was )?stepped by) *([+-]?\d+(?:\.\d+)?)"
)
"""How chronyd, ntpd, ntpdate and timesyncd say how far the clock was off, in seconds."""


@dataclass(frozen=True, slots=True)
class ClockFigure:
    """The clock of `host` was off by `offset` ns at the most (the sign is whoever's measured it).

    `figures` of `source` say so in `[began, ended]` ns; `rows` show it, `spoken` whether a time
    service says it in words.
    """

    host: str
    source: str
    offset: int
    figures: int
    began: int
    ended: int
    rows: tuple[int, ...]
    spoken: bool


def clock_figures(incident: Incident) -> list[ClockFigure]:
    """By host, the most telling of each."""
    found: dict[str, ClockFigure] = {}
    for one in [*_curves(incident), *_words(incident)]:
        known = found.get(one.host)
        if known is None or known.figures < one.figures:
            found[one.host] = one
    return sorted(found.values(), key=lambda one: (-abs(one.offset), one.host))


def _curves(incident: Incident) -> list[ClockFigure]:
    points = points_of(incident, OFFSETS, NO_OFFSET)
    if points.is_empty():
        return []
    labels = [pl.col("labels").str.json_path_match(f"$.{name}") for name in LABELS]
    scale = pl.when(pl.col("measure").str.contains(MILLI)).then(1e6).otherwise(1e9)
    named = points.with_columns(
        host=pl.coalesce(*labels, pl.lit("")).str.replace(r":\d{1,5}$", ""),
        offset=(pl.col("value") * scale),
    )
    named = named.filter((pl.col("host") != "") & (pl.col("timestamp") >= incident.window.start))
    large = named.filter(pl.col("offset").abs() > LARGE_NS)
    found = []
    for (host, source), part in large.group_by("host", "source", maintain_order=True):
        ordered = part.sort("timestamp", "row")
        if ordered.height >= LEAST_POINTS:
            worst = ordered.sort(pl.col("offset").abs(), descending=True).row(0, named=True)
            found.append(_figure(ordered, str(host), str(source), worst["offset"], spoken=False))
    return found


def _words(incident: Incident) -> list[ClockFigure]:
    """What time services say of the clock of their own host."""
    actors = incident.snapshot.events.get_column("actor").unique().cast(pl.String).drop_nulls()
    services = actors.filter(actors.str.contains(TIME_SERVICES)).to_list()
    if not services:
        return []
    chosen = (pl.col("lane") == Lane.LOG.value) & pl.col("actor").is_in(services)
    told = incident.snapshot.told(chosen, "clock", "source", "body").with_columns(
        pl.col("clock", "source").cast(pl.String).fill_null("")
    )
    offset = pl.col("body").str.extract(WORDS, 1).cast(pl.Float64, strict=False) * 1e9
    host = pl.when(pl.col("clock") == "").then("source").otherwise("clock")
    said = told.with_columns(offset=offset, host=host).drop_nulls("offset")
    said = said.filter(
        (pl.col("offset").abs() > LARGE_NS) & (pl.col("timestamp") >= incident.window.start)
    )
    return [
        _figure(part, str(host), str(part["source"][0]), part["offset"][0], spoken=True)
        for (host,), part in said.group_by(["host"], maintain_order=True)
    ]


def _figure(
    part: pl.DataFrame, host: str, source: str, offset: float, *, spoken: bool
) -> ClockFigure:
    return ClockFigure(
        host=host,
        source=source,
        offset=int(offset),
        figures=part.height,
        began=int(part["timestamp"][0]),
        ended=int(part["timestamp"][-1]),
        rows=tuple(part.get_column("row").head(3).to_list()),
        spoken=spoken,
    )
