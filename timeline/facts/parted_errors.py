"""A new error that only some instances of a service have, while others serve as much.

Pure counting: which instances go on having it, which never had it or are rid of it, and how likely
chance alone would part them so. What sets them apart is for others to say.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import polars as pl

from timeline.event import Lane
from timeline.facts.boots import host_of
from timeline.facts.new_kinds import NewKind
from timeline.facts.sight import read_until
from timeline.templates import service_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from timeline.incident import Incident

SETTLED = 0.4
"""Part of the time since the first error after which who has none any more is rid of it."""
MIN_LINES = 5
"""Lines of an instance since then before it is said to be well."""
SURE = 0.01
"""Chance of all errors falling on those instances, were each to have its share by its lines."""
MOST_KINDS = 20


@dataclass(frozen=True, slots=True)
class Parted:
    """Instances (hosts) of `kind`'s service that go on failing, and those that do not; `actors`
    by host. `cut` is the instant (ns) from which on they are compared, `count` the errors since."""

    kind: NewKind
    failing: tuple[str, ...]
    spared: tuple[str, ...]
    actors: dict[str, str]
    cut: int
    count: int
    chance: float


def parted_errors(incident: Incident) -> Iterator[Parted]:
    """Every new kind of error that some instances of its service have and others do not."""
    kinds = [kind for kind in incident.new_kinds if not kind.slow][:MOST_KINDS]
    for kind in kinds:
        found = _parted(incident, kind)
        if found is not None:
            yield found


def _parted(incident: Incident, kind: NewKind) -> Parted | None:
    until = read_until(incident)
    cut = kind.first + int(SETTLED * (kind.last - kind.first))
    earlier = _lines_by_host(incident, kind.service, incident.window.start, kind.first)
    later = _lines_by_host(incident, kind.service, cut, until)
    if later.height < 2:
        return None
    rows = pl.Series(kind.rows, dtype=pl.UInt32)
    stamped = incident.snapshot.events.select(pl.col("timestamp", "clock", "source").gather(rows))
    hosts = stamped.filter(pl.col("timestamp") >= cut).select(host_of()).to_series()
    failing = tuple(sorted(set(hosts.to_list())))
    well = later.filter(~pl.col("host").is_in(list(failing)) & (pl.col("lines") >= MIN_LINES))
    spared = tuple(sorted(well.get_column("host").to_list()))
    if not failing or not spared:
        return None
    usual = dict(earlier.select("host", "lines").iter_rows())
    weights = {host: usual.get(host, 0) for host in (*failing, *spared)}
    total = sum(weights.values())
    share = sum(weights[host] for host in failing) / total if total else 1.0
    if not all(weights.values()):  # newcomers: as busy as any other
        share = len(failing) / len(weights)
    return Parted(
        kind,
        failing,
        spared,
        dict(later.select("host", "actor").iter_rows()),
        cut,
        hosts.len(),
        share ** hosts.len(),
    )


def _lines_by_host(incident: Incident, service: str, start: int, end: int) -> pl.DataFrame:
    """(host, actor, lines) of the service's log lines in `[start, end)` (ns)."""
    snapshot = incident.snapshot
    first, last = snapshot.position_at(start), snapshot.position_at(max(end, start))
    rows = snapshot.order.slice(first, last - first)
    names = snapshot.events.get_column("actor").unique().cast(pl.String).drop_nulls()
    own = pl.DataFrame({"actor": names}).filter(service_of(pl.col("actor")) == service)
    columns = [pl.col(name).gather(rows) for name in ("lane", "actor", "source", "clock")]
    return (
        snapshot.events.lazy()
        .select(columns)
        .filter((pl.col("lane") == Lane.LOG.value) & pl.col("actor").is_in(own["actor"].to_list()))
        .select(host_of(), pl.col("actor").cast(pl.String))
        .group_by("host")
        .agg(pl.col("actor").first(), lines=pl.len())
        .sort("host")
        .collect()
    )
