"""Standbys that were far behind for a while, and who asked them then.

How far one was behind is measured, or told by its own log: PostgreSQL writes with every restart
point which transaction it replayed last ("last completed transaction was at log time …", xlog.c).
A stamp without a sure zone is only believed of a standby that was near at another time. Who asked
it is told by lines of others that name it. Never says what the answer was.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import polars as pl

from timeline.event import SEVERITY_WARN, Lane
from timeline.facts.ended_curves import LABELS
from timeline.facts.lines import lines_where
from timeline.facts.replicas import LAG_MEASURES, NOT_A_TIME
from timeline.facts.series import points_of
from timeline.facts.spoken import STANDBY_MARKS, spoken_with

if TYPE_CHECKING:
    from timeline.incident import Incident

REPLAYED = r"(?i)at log time (\d{4}-\d\d-\d\d \d\d:\d\d:\d\d)"
FAR_NS = 30_000_000_000
"""Readers wait for what was just written for seconds; so far behind, whole pages are missing."""
NEAR_NS = 5_000_000_000
ZONES_NS = 50_400_000_000_000
"""No zone is further from UTC than fourteen hours; a larger lag is no lag."""
MOST_STRETCHES = 4
MOST_READS = 500
NOT_READING = r"(?i)\blag|replicat|wal\b|slot|streaming|behind|recovery|replay|checkpoint"
"""Lines that speak of the copying itself."""
LEAST_ROWS = 3
SETTLED_NS = 1_000_000_000


@dataclass(frozen=True, slots=True)
class StandbyRead:
    """`reader` asked `standby` at `at` (ns, event `row`) for `table` when it had replayed up to
    `replayed`; `unseen` rows of that table were written in between."""

    standby: str
    reader: str
    table: str
    at: int
    row: int
    replayed: int
    unseen: int
    lag_row: int


def standby_reads(incident: Incident) -> list[StandbyRead]:
    """In time order."""
    samples = pl.concat([_told(incident), _measured(incident)]).sort("standby", "at", "row")
    if samples.is_empty():
        return []
    far = samples.filter(
        (pl.col("lag") >= FAR_NS) & (pl.col("lag").min().over("standby") <= NEAR_NS)
    )
    names = far.get_column("standby").unique(maintain_order=True).to_list()
    found = []
    for name in names[:MOST_STRETCHES]:
        mine = samples.filter(pl.col("standby") == name)
        found += list(_reads(incident, str(name), mine))
    return sorted(found, key=lambda one: (one.at, one.row))


def _told(incident: Incident) -> pl.DataFrame:
    """(standby, at, lag, row) by the logs of standbys."""
    lines = spoken_with(incident, STANDBY_MARKS)
    if lines.is_empty():
        return pl.DataFrame(schema=LAG_SCHEMA)
    lines = lines.with_columns(
        replayed=pl.col("body")
        .str.extract(REPLAYED, 1)
        .str.to_datetime("%Y-%m-%d %H:%M:%S", strict=False, time_unit="ns")
        .cast(pl.Int64)
    )
    told = lines.drop_nulls("replayed").with_columns(lag=pl.col("timestamp") - pl.col("replayed"))
    told = told.filter(pl.col("lag").is_between(-SETTLED_NS, ZONES_NS))
    return told.select("lag", "row", standby="clock", at="timestamp").select(*LAG_SCHEMA)


LAG_SCHEMA: dict[str, type[pl.DataType]] = {
    "standby": pl.String,
    "at": pl.Int64,
    "lag": pl.Int64,
    "row": pl.UInt32,
}


def _measured(incident: Incident) -> pl.DataFrame:
    """The same by curves of lags in seconds, of those that name their standby."""
    points = points_of(incident, LAG_MEASURES, NOT_A_TIME)
    if points.is_empty():
        return pl.DataFrame(schema=LAG_SCHEMA)
    host = pl.coalesce(pl.col("labels").str.json_path_match(f"$.{name}") for name in LABELS)
    named = points.with_columns(standby=host.str.replace(r":\d{1,5}$", ""))
    named = named.drop_nulls("standby").filter(pl.col("value").is_finite())
    told = named.with_columns(lag=(pl.col("value").clip(0) * 1e9).cast(pl.Int64))
    return told.select("lag", "row", "standby", at="timestamp").select(*LAG_SCHEMA)


def _reads(incident: Incident, name: str, samples: pl.DataFrame) -> Iterator[StandbyRead]:
    """Lines of others that name the standby while it was far behind, with what it lacked."""
    far = samples.filter(pl.col("lag") >= FAR_NS)
    if len(name) < 4:
        return
    low, high = far["at"][0], far["at"][-1]
    lines = lines_where(
        incident,
        (pl.col("lane") == Lane.LOG.value)
        & pl.col("timestamp").is_between(low, high)
        & (pl.col("severity_number") < SEVERITY_WARN)
        & pl.col("body").str.contains(name, literal=True),
    )
    lines = lines.filter(
        (pl.col("clock") != name)
        & (pl.col("actor") != name)
        & ~pl.col("body").str.contains(NOT_READING)
    ).head(MOST_READS)
    written = incident.records.versions.select("table", "record", at="timestamp")
    tables = {
        str(table): str(table).rpartition(".")[2]
        for table in written.get_column("table").unique().sort()
    }
    for line in lines.iter_rows(named=True):
        sample = samples.filter(pl.col("at") <= line["timestamp"]).tail(1)
        if sample.is_empty() or sample["lag"][0] < FAR_NS:
            continue
        replayed = sample["at"][0] - sample["lag"][0]
        words = set(line["body"].replace(",", " ").replace(":", " ").replace("=", " ").split())
        for table, bare in tables.items():
            if bare not in words:
                continue
            unseen = written.filter(
                (pl.col("table") == table)
                & pl.col("at").is_between(replayed + NEAR_NS, line["timestamp"] - SETTLED_NS)
            )
            rows = unseen.get_column("record").n_unique()
            if rows >= LEAST_ROWS:
                yield StandbyRead(
                    standby=name,
                    reader=str(line["actor"]),
                    table=table,
                    at=line["timestamp"],
                    row=line["row"],
                    replayed=replayed,
                    unseen=rows,
                    lag_row=sample["row"][0],
                )
