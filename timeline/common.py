"""What the failing events share and the others do not: an actor, a host, a zone, a version.

Counts events, never guesses a cause; a trait everybody has is no trait.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import polars as pl

from timeline.analysis import CommonTrait, State
from timeline.event import Lane

if TYPE_CHECKING:
    from timeline.incident import Incident

ATTRIBUTES = (
    "zone",
    "availability_zone",
    "cloud.availability_zone",
    "region",
    "cloud.region",
    "version",
    "service.version",
    "tenant",
    "tenant_id",
    "host",
    "host.name",
    "node",
    "pod",
    "deployment",
    "queue",
    "job_class",
)
"""Attributes that place an event; values of others are too many to share."""
MIN_VICTIMS = 5
"""Fewer failing events share something by chance."""
MIN_SHARE = 0.5
"""A common trait is one that at least half of the failing events have."""
FOLD = 2
"""And that is at least twice as frequent among them as among the others."""
MIN_Z = 3.0
"""Two-proportion z score from which the difference is not taken for chance; about p < 0.003, with
room for the number of traits that are tried."""
SAMPLE = 20_000
"""Healthy events whose attributes are read; a share needs no more."""
MAX_TRAITS = 3


def what_is_common(incident: Incident, state: State) -> tuple[CommonTrait, ...]:
    """At most `MAX_TRAITS` traits over-represented among failing events, strongest first."""
    if not state.victims and state.since is None:
        return ()
    failing = incident.failures.get_column("row")
    if failing.len() < MIN_VICTIMS:
        return ()
    events = incident.snapshot.events
    everyone = pl.int_range(events.height, dtype=pl.UInt32, eager=True)
    telling = events.get_column("lane").is_in([Lane.LOG.value, Lane.QUEUE.value])
    others = everyone.filter(telling & ~everyone.is_in(failing.implode()))
    found = _columns(incident, failing, others) + _attributes(events, failing, others)
    ranked = sorted(found, key=lambda trait: (-trait.victims_with, trait.trait, trait.value))
    return tuple(_distinct(ranked)[:MAX_TRAITS])


def _columns(incident: Incident, failing: pl.Series, others: pl.Series) -> list[CommonTrait]:
    found = []
    for name in ("actor", "clock"):
        column = incident.snapshot.events.get_column(name)
        found += _over_represented(name, column.gather(failing), column.gather(others))
    return found


def _attributes(events: pl.DataFrame, failing: pl.Series, others: pl.Series) -> list[CommonTrait]:
    """Traits read from attributes JSON; log files keep theirs in the file and have none here."""
    texts = events.get_column("attributes")
    hurt = texts.gather(failing)
    if hurt.null_count() == hurt.len():
        return []
    step = max(1, others.len() // SAMPLE)
    spared = texts.gather(others.gather_every(step))
    found = []
    for name in ATTRIBUTES:
        path = "$." + name if "." not in name else f"$['{name}']"
        told = hurt.str.json_path_match(path)
        if told.null_count() < told.len():  # else the many others need not be parsed
            found += _over_represented(name, told, spared.str.json_path_match(path))
    return found


def _over_represented(name: str, hurt: pl.Series, spared: pl.Series) -> list[CommonTrait]:
    counts = hurt.cast(pl.String).rename("value").value_counts()
    counts = counts.filter(pl.col("value").fill_null("") != "")
    if counts.is_empty() or spared.is_empty():
        return []
    value, number = counts.sort(["count", "value"], descending=[True, False]).row(0)
    share = number / hurt.len()
    elsewhere = int((spared == value).sum()) / spared.len()
    if share < MIN_SHARE or share < FOLD * elsewhere:
        return []
    if _z_score(number, hurt.len(), elsewhere, spared.len()) < MIN_Z:
        return []
    return [CommonTrait(name, value, number, hurt.len(), elsewhere)]


def _z_score(hits: int, total: int, elsewhere: float, others: int) -> float:
    pooled = (hits + elsewhere * others) / (total + others)
    spread = math.sqrt(pooled * (1 - pooled) * (1 / total + 1 / others))
    return (hits / total - elsewhere) / spread if spread else 0.0


def _distinct(traits: list[CommonTrait]) -> list[CommonTrait]:
    """One trait per value: `host=web-1` and `node=web-1` say the same."""
    return list({trait.value: trait for trait in reversed(traits)}.values())[::-1]
