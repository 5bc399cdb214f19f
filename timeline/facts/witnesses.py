"""What shows that work for an entity arrived: its jobs, rows that refer to it, lines of workers.

Collected for many entities at once. Each witness is exact (it carries the entity's key); whether
it answers a given push is for the reader to judge by its time.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import polars as pl

from timeline.event import Lane

if TYPE_CHECKING:
    from timeline.facts.records import Record
    from timeline.incident import Incident


@dataclass(frozen=True, slots=True)
class JobSeen:
    """One job of the queue (or of log lines alone); instants in ns UTC or None."""

    job: str
    job_class: str
    args: str | None
    status: str
    enqueued: int | None
    first_seen: int
    row: int


@dataclass(slots=True)
class Witnesses:
    """Everything that was seen of one entity: its row, jobs, referring rows, workers' lines."""

    record: Record | None = None
    jobs: list[JobSeen] = field(default_factory=list)
    effects: list[Record] = field(default_factory=list)
    worker_lines: list[tuple[int, int, str]] = field(default_factory=list)
    """(timestamp ns, event row, body), time order."""


def witnesses_of(incident: Incident, keys: Sequence[str]) -> dict[str, Witnesses]:
    """Witnesses of every entity in `keys`; one without any gets an empty entry."""
    found: defaultdict[str, Witnesses] = defaultdict(Witnesses)
    records = incident.records.of_entities(keys)
    effects = incident.records.referring_to(keys)
    for key in keys:
        found[key].record = records.get(key)
        found[key].effects = effects.get(key, [])
    wanted = pl.DataFrame({"key": list(keys)}, schema={"key": pl.String})
    for told in _jobs(incident, wanted).iter_rows(named=True):
        key = told.pop("key")
        found[key].jobs.append(JobSeen(**told))
    for key, at, row, body in _worker_lines(incident, wanted).iter_rows():
        found[key].worker_lines.append((at, row, body))
    return dict(found)


def _jobs(incident: Incident, wanted: pl.DataFrame) -> pl.DataFrame:
    jobs = incident.jobs
    rows = jobs.transitions.group_by("job").agg(pl.col("row").first())
    told = (
        jobs.entities.join(wanted, on="key", how="semi")
        .join(jobs.summary, on="job")
        .join(rows, on="job")
        .sort("first_seen", "job")
    )
    return told.select(
        "key",
        "job",
        pl.col("job_class").fill_null(""),
        "args",
        pl.col("status").fill_null(""),
        "enqueued",
        "first_seen",
        "row",
    )


def _worker_lines(incident: Incident, wanted: pl.DataFrame) -> pl.DataFrame:
    """(key, timestamp, row, body) of log lines about the entities by actors that run jobs."""
    snapshot = incident.snapshot
    keys = wanted.get_column("key")
    held = snapshot.keys.filter(pl.col("key").is_in(keys.implode()))
    shown = pl.col("timestamp", "lane", "actor", "body")
    lines = held.hstack(snapshot.events.select(shown.gather(held.get_column("row")))).filter(
        (pl.col("lane") == Lane.LOG.value) & pl.col("actor").is_in(list(incident.workers))
    )
    return lines.sort("timestamp", "row").select("key", "timestamp", "row", "body")
