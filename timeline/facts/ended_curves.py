"""Figures of one instance that stop while the instance goes on: the scrape was lost, not the host.

An instance is recognised by the labels that metric systems give it. That it went on is told by its
own lines, whose clock or writer bears its name. Never says that an instance is gone.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import polars as pl

from timeline.event import Lane
from timeline.facts.sight import read_until

if TYPE_CHECKING:
    from timeline.incident import Incident

LABELS = ("instance", "pod", "host", "hostname", "node", "host_name", "pod_name", "server")
"""Where metric systems say of which instance a figure is, the likeliest first."""
LEAST_POINTS = 8
"""Points of a curve before its rhythm is known."""
MISSED = 4
"""Missed points in a row: one or two are a slow scrape."""
SHORTEST_NS = 60_000_000_000
LEAST_LINES = 3
"""Lines of the host inside the gap that show it at work."""


@dataclass(frozen=True, slots=True)
class EndedCurves:
    """No figure of `instance` in `[start, end)` (ns), of `curves` curves; `lines` of its own in
    that time, the last at event `row`; `others` further instances were measured throughout.
    `figure_row` is the last figure before."""

    instance: str
    source: str
    start: int
    end: int
    curves: int
    lines: int
    row: int
    figure_row: int
    others: int
    ongoing: bool


def ended_curves(incident: Incident) -> list[EndedCurves]:
    """By the start of the gap."""
    points = incident.points
    if points.is_empty():
        return []
    told = pl.coalesce(pl.col("labels").str.json_path_match(f"$.{name}") for name in LABELS)
    instances = points.select(pl.col("labels").unique()).with_columns(instance=told)
    named = points.join(instances, on="labels", how="left", maintain_order="left")
    named = named.drop_nulls("instance")
    gaps = _gaps(incident, named)
    if gaps.is_empty():
        return []
    hosts = gaps.get_column("host").unique().to_list()
    lines = _lines_of(incident, hosts)
    found = []
    for gap in gaps.iter_rows(named=True):
        own = lines.filter(
            (pl.col("host") == gap["host"])
            & pl.col("timestamp").is_between(gap["start"] + gap["step"], gap["end"], "none")
        )
        if own.height >= LEAST_LINES:
            found.append(
                EndedCurves(
                    instance=gap["instance"],
                    source=gap["source"],
                    start=gap["start"],
                    end=gap["end"],
                    curves=gap["curves"],
                    lines=own.height,
                    row=own["row"][-1],
                    figure_row=gap["figure_row"],
                    others=gap["others"],
                    ongoing=gap["ongoing"],
                )
            )
    return sorted(found, key=lambda one: (one.start, one.instance))


def _gaps(incident: Incident, named: pl.DataFrame) -> pl.DataFrame:
    """Stretches in which all curves of an instance paused and the same ones of others did not."""
    until = read_until(incident)
    per = ("source", "series")
    named = named.filter(pl.len().over(per) >= LEAST_POINTS).sort(*per, "timestamp")
    gap = pl.col("timestamp").shift(-1).over(per) - pl.col("timestamp")
    rhythm = named.with_columns(gap=gap).with_columns(step=pl.col("gap").median().over(per))
    newest = named.get_column("timestamp").max()
    last = min(until, newest) if isinstance(newest, int) else until
    paused = rhythm.with_columns(
        end=pl.col("timestamp").shift(-1).over(per).fill_null(last),
        ongoing=pl.col("gap").is_null(),
    ).with_columns(length=pl.col("end") - pl.col("timestamp"))
    paused = paused.filter(
        (pl.col("length") > MISSED * pl.col("step")) & (pl.col("length") >= SHORTEST_NS)
    )
    if paused.is_empty():
        return paused
    curves = named.group_by("source", "instance").agg(all=pl.col("series").n_unique())
    by_instance = paused.group_by("source", "instance").agg(
        start=pl.col("timestamp").max(),
        figure_row=pl.col("row").sort_by("timestamp", "row").last(),
        end=pl.col("end").min(),
        curves=pl.col("series").n_unique(),
        step=pl.col("step").max().cast(pl.Int64),
        ongoing=pl.col("ongoing").all(),
        measures=pl.col("measure").unique(),
    )
    dark = by_instance.join(curves, on=["source", "instance"]).filter(
        (pl.col("curves") == pl.col("all")) & (pl.col("end") - pl.col("start") >= SHORTEST_NS)
    )
    counts = [_measured_meanwhile(named, gap) for gap in dark.iter_rows(named=True)]
    host = pl.col("instance").str.replace(r":\d{1,5}$", "")
    return dark.with_columns(host=host, others=pl.Series(counts, dtype=pl.Int64)).filter(
        pl.col("others") > 0
    )


def _measured_meanwhile(named: pl.DataFrame, gap: dict[str, Any]) -> int:
    """How many other instances have points of the same curves in the gap."""
    others = named.filter(
        (pl.col("source") == gap["source"])
        & (pl.col("instance") != gap["instance"])
        & pl.col("measure").is_in(gap["measures"])
        & pl.col("timestamp").is_between(gap["start"], gap["end"], "none")
    )
    each = others.group_by("instance").len().filter(pl.col("len") >= MISSED - 1)
    return each.height


def _lines_of(incident: Incident, hosts: list[str]) -> pl.DataFrame:
    """(row, timestamp, host) of log lines by a clock or a writer of that name, in time order."""
    names = incident.snapshot.events.select(
        pl.col("clock", "actor").cast(pl.String).unique().drop_nulls().implode()
    )
    known = {str(name) for column in names for name in column[0].to_list()}
    alike = {name: host for name in known for host in hosts if _same(name, host)}
    if not alike:
        return pl.DataFrame(schema={"row": pl.UInt32, "timestamp": pl.Int64, "host": pl.String})
    spoken = pl.col("clock", "actor").cast(pl.String).is_in(list(alike))
    told = incident.snapshot.told(
        (pl.col("lane") == Lane.LOG.value) & pl.any_horizontal(spoken), "clock", "actor"
    )
    by = pl.coalesce(
        pl.col(name).cast(pl.String).replace_strict(alike, default=None, return_dtype=pl.String)
        for name in ("clock", "actor")
    )
    return told.select("row", "timestamp", host=by)


def _same(name: str, host: str) -> bool:
    """`worker-2` and `worker-2.example.net` are one host, `worker-2` and `worker-20` are not."""
    if len(name) < 3 or len(host) < 3:
        return False
    long, short = (name, host) if len(name) >= len(host) else (host, name)
    return long == short or (long.startswith(short) and long[len(short)] in ".:/")
