"""Instances of one service that were changed, and those that were not: who of them fails.

An instance is an actor or, where all share one name, a host. Changed is who started since the
change. Pure counting; Fisher's exact test says whether chance would part them so.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import polars as pl

from timeline.event import Lane
from timeline.facts.boots import Boot, host_of
from timeline.templates import service_of

if TYPE_CHECKING:
    from timeline.incident import Incident

MIN_LINES = 5
"""Lines an instance must have written after the onset before it is said to be well."""
MIN_FAILURES = 3
"""Failing lines of an instance that fails; single ones happen to every one."""
FOLD = 5.0
"""Its share of failing lines is at least this multiple of the service's before the change."""
BEFORE_NS = 10 * 60_000_000_000
"""Before the change: who spoke then is no newcomer, and failed as often as is usual."""
ROLLOUT_NS = 60_000_000_000
"""A pipeline may record a deployment a minute after the first instance came up."""
SURE = 0.01
"""Chance of such a parting (Fisher, one-sided) below which it is believed (catalogue, D29)."""


@dataclass(frozen=True, slots=True)
class Instance:
    """One instance after the onset: `lines` in all, `failing` of them; whether it was changed."""

    name: str
    lines: int
    failing: int
    changed: bool
    fails: bool


def instances_of(
    incident: Incident, service: str, boots: Sequence[Boot], changed_at: int, onset: int, until: int
) -> list[Instance]:
    """The instances of `service` that spoke in `[onset, until)` (ns), by name."""
    start = max(incident.window.start, changed_at - BEFORE_NS)
    earlier, later = (
        _spoken(incident, service, *span) for span in ((start, changed_at), (onset, until))
    )
    if later.is_empty():
        return []
    several = pl.concat([earlier, later]).get_column("actor").n_unique() > 1
    name = "actor" if several else "host"
    usual = float(earlier["failing"].sum()) / max(int(earlier["lines"].sum()), 1)
    known = set(earlier.get_column(name).to_list())
    started = {
        (boot.actor if several else boot.host)
        for boot in boots
        if boot.service == service and changed_at - ROLLOUT_NS <= boot.timestamp <= onset
    }
    counts = later.group_by(name).agg(pl.col("lines", "failing").sum()).sort(name)
    found = []
    for instance, total, bad in counts.select(name, "lines", "failing").iter_rows():
        fails = bad >= MIN_FAILURES and bad >= FOLD * usual * total
        if fails or total >= MIN_LINES:
            changed = instance in started or instance not in known
            found.append(Instance(instance, total, bad, changed, fails))
    return found


def _spoken(incident: Incident, service: str, start: int, end: int) -> pl.DataFrame:
    """(actor, host, lines, failing) of the service's log lines in `[start, end)` (ns)."""
    snapshot = incident.snapshot
    first, last = snapshot.position_at(start), snapshot.position_at(max(end, start))
    rows = snapshot.order.slice(first, last - first)
    bad = incident.failures.get_column("row")
    actors = snapshot.events.get_column("actor").unique().cast(pl.String).drop_nulls()
    own = pl.DataFrame({"actor": actors}).filter(service_of(pl.col("actor")) == service)
    columns = [pl.col(name).gather(rows) for name in ("lane", "actor", "source", "clock")]
    return (
        snapshot.events.lazy()
        .select(columns)
        .with_columns(failing=pl.lit(rows).is_in(bad.implode()))
        .filter((pl.col("lane") == Lane.LOG.value) & pl.col("actor").is_in(own["actor"].to_list()))
        .group_by("actor", "source", "clock")
        .agg(lines=pl.len(), failing=pl.col("failing").sum())
        .select(pl.col("actor").cast(pl.String), host_of(), "lines", "failing")
        .collect()
    )


def chance_of(instances: Sequence[Instance]) -> float:
    """Fisher's exact test, one-sided: chance that failing falls so much on the changed ones."""
    changed = sum(one.changed for one in instances)
    failing = sum(one.fails for one in instances)
    both = sum(one.changed and one.fails for one in instances)
    return fisher(both, changed, failing, len(instances))


def fisher(both: int, marked: int, drawn: int, total: int) -> float:
    """Chance of at least `both` marked among `drawn` of `total`, of whom `marked` are marked."""
    ways = math.comb(total, drawn)
    upper = min(marked, drawn)
    return (
        sum(
            math.comb(marked, number) * math.comb(total - marked, drawn - number)
            for number in range(both, upper + 1)
        )
        / ways
    )
