"""Events that tell of a loss: what a queue files, or a parent logs, for a worker that is gone."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, NamedTuple

import polars as pl

from timeline.event import Kind, Lane
from timeline.facts.entities import job_pairs
from timeline.facts.jobs import ENDS
from timeline.facts.lost_attempt import DEATH

if TYPE_CHECKING:
    from timeline.incident import Incident

LOG_SEVERITY = 13
"""A lost child is logged as a warning or worse; 0 is a line without a severity."""


class Told(NamedTuple):
    """One event of a queue that may tell of a loss."""

    row: int
    timestamp: int
    source: str
    kind: str
    actor: str
    body: str
    attributes: Mapping[str, object]


def told_of(frame: pl.DataFrame) -> Iterator[Told]:
    columns = ("row", "timestamp", "source", "kind", "actor", "body", "attributes")
    texts = pl.col("source", "kind", "actor").cast(pl.String).fill_null("")
    for *values, text in frame.with_columns(texts).select(columns).iter_rows():
        attributes = json.loads(text or "{}")
        row, timestamp, source, kind, actor, body = values
        told = attributes if isinstance(attributes, dict) else {}
        yield Told(row, timestamp, source, kind, actor, body, told)


def declarations(incident: Incident) -> list[tuple[str, Told]]:
    """(job, event): ends that a queue, or a parent in its log, files for a worker that is gone."""
    moves = incident.jobs.transitions
    failed = [kind for kind in ENDS if kind != Kind.JOB_FINISHED.value]
    bad = moves.filter(pl.col("kind").is_in(failed)).select("row", "job")
    named = incident.shared(job_pairs).select("row", job="key")
    severity, lane = (
        incident.snapshot.events.get_column(name).gather(named.get_column("row"))
        for name in ("severity_number", "lane")
    )
    loud = (lane == Lane.LOG.value) & ((severity == 0) | (severity >= LOG_SEVERITY))
    pairs = pl.concat([bad, named.filter(loud)]).unique("row", keep="first", maintain_order=True)
    if pairs.is_empty():
        return []
    rows = pairs.get_column("row")
    dead = incident.snapshot.events.get_column("body").gather(rows).str.contains(DEATH)
    attributes = incident.snapshot.events.get_column("attributes").gather(rows)
    lease = attributes.str.contains('"declared_lost_at":', literal=True)
    pairs = pairs.filter(dead.fill_null(value=False) | lease.fill_null(value=False))
    if pairs.is_empty():
        return []
    lines = incident.snapshot.events[pairs.get_column("row")].hstack(pairs)
    lines = lines.sort("timestamp", "row")
    return [*zip(lines.get_column("job").to_list(), told_of(lines), strict=True)]


def is_line(told: Told) -> bool:
    """Whether a log tells it, and not the queue."""
    return told.kind == Kind.LOG.value
