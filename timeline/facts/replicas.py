"""What is known of replicas: who says that it asked one, and how far behind they were measured.

A reading of a lag is a sample: between two samples the truth is unknown, so the larger of the two
is taken where a read is to be excused, and a read is excused by nothing else. What a database says
of its replicas while the incident is collected is about now and proves only that there is one.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import polars as pl

from timeline.event import Event, Kind, Lane
from timeline.facts.lines import keyed_lines
from timeline.facts.series import points_of
from timeline.facts.visibility import REPLICA_WORDS

if TYPE_CHECKING:
    from timeline.incident import Incident

LAG_MEASURES = (
    r"(?i)repl(?:ica|ication)?_?lag|slave_?lag|replay_(?:lag|delay)|seconds_behind|"
    r"replication_delay|standby_lag"
)
"""Curves of postgres_exporter, mysqld_exporter, pgbouncer sidecars, RDS and Aurora (ReplicaLag,
AuroraReplicaLag), Cloud SQL and Patroni."""
NOT_A_TIME = r"(?i)bytes|_size|lsn|position|transactions|segments|slots?_|consumer|kafka"
IN_MILLISECONDS = r"(?i)(?:_|\b)(?:ms|millis(?:econds)?)\b|milliseconds|aurora_?replica_?lag"
NEAR_NS = 120_000_000_000
"""A sample further than two minutes from a read says nothing of it."""
CACHE_WORDS = r"(?i)\bcache[ _-]?hit\b|\bfrom (?:the )?cache\b|\bcached (?:copy|value|record)\b"


@dataclass(frozen=True, slots=True)
class LagSample:
    """The largest measured lag next to an instant (ns), with the event row that tells it."""

    lag: int
    row: int


@dataclass(frozen=True)
class Replicas:
    """`samples` has one line per measured lag (row, series, timestamp and lag in ns).

    `exists` is why a replica is known to be there, in words; empty when nothing says so.
    """

    samples: pl.DataFrame
    exists: str

    def lag_at(self, instant: int) -> LagSample | None:
        """The larger of the samples next to `instant` on any curve; None without any near."""
        near = self.samples.filter((pl.col("timestamp") - instant).abs() <= NEAR_NS)
        before = near.filter(pl.col("timestamp") <= instant).group_by("series").tail(1)
        after = near.filter(pl.col("timestamp") > instant).group_by("series").head(1)
        both = pl.concat([before, after]).sort("lag", "timestamp", "row", descending=True)
        return LagSample(both["lag"][0], both["row"][0]) if both.height else None


def replicas_in(incident: Incident) -> Replicas:
    """What the sources of the incident tell of replicas."""
    points = points_of(incident, LAG_MEASURES, NOT_A_TIME)
    names = pl.concat_str("metric", "measure", separator=" ")
    unit = pl.when(names.str.contains(IN_MILLISECONDS)).then(1e6).otherwise(1e9)
    samples = points.filter(pl.col("value").is_finite() & (pl.col("value") >= 0)).select(
        "row",
        pl.concat_str("source", "series", separator="\0").alias("series"),
        "timestamp",
        lag=(pl.col("value") * unit).cast(pl.Int64),
    )
    return Replicas(samples.sort("series", "timestamp", "row"), _existence(incident, samples))


def _existence(incident: Incident, samples: pl.DataFrame) -> str:
    replica = next((one for one in incident.sources if "replica" in one.system.lower()), None)
    if replica is not None:
        return f"{replica.name} is a replica"
    if incident.records.replicated:
        return "rows were read from a replica"
    said = incident.snapshot.told(
        (pl.col("lane") == Lane.DATABASE.value) & (pl.col("kind") == Kind.METRIC.value), "body"
    )
    if said.get_column("body").str.contains("replica", literal=True).any():
        return "the database says that it has a replica"
    return "the lag of a replica is measured" if samples.height else ""


def reads_told(
    incident: Incident, jobs: Sequence[str], wording: str = REPLICA_WORDS
) -> dict[str, list[Event]]:
    """Log lines of each of `jobs` (keys) that fit `wording`, in time order."""
    if not jobs:
        return {}
    lines = keyed_lines(incident, jobs).filter(
        (pl.col("lane") == Lane.LOG.value) & pl.col("body").str.contains(wording)
    )
    events = incident.snapshot.events_at(lines.get_column("row").to_list())
    found: dict[str, list[Event]] = {}
    for key, event in zip(lines.get_column("key"), events, strict=True):
        found.setdefault(key, []).append(event)
    return found
