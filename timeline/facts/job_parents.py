"""What a job belongs to: the batch that its keys name, else the parent that its queue tells."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

if TYPE_CHECKING:
    from timeline.incident import Incident

PARENTS = ("batch_id", "bid", "parent_id", "group")
"""Attributes in which queues name what a job belongs to: GoodJob, Sidekiq Pro, Celery."""


def job_parents(incident: Incident) -> pl.DataFrame:
    """(job, parent) of jobs that belong to something: a batch key, else what the queue names."""
    moves = incident.jobs.transitions
    if moves.is_empty():
        return pl.DataFrame(schema={"job": pl.String, "parent": pl.String})
    first = moves.unique("job", keep="first", maintain_order=True).select("job", "row")
    keys = incident.snapshot.keys_of(first.get_column("row"))
    batch = keys.filter(pl.col("key").str.starts_with("batch:")).unique("row", keep="first")
    named = first.join(batch, on="row").select("job", parent="key")
    attributes = incident.snapshot.events.get_column("attributes").gather(first.get_column("row"))
    told = first.select("job").with_columns(attributes)
    marked = told.filter(pl.col("attributes").str.contains_any([f'"{name}"' for name in PARENTS]))
    if marked.is_empty():
        return named
    fields = [pl.col("attributes").str.json_path_match(f"$.{name}") for name in PARENTS]
    labelled = [
        pl.when(found.is_not_null()).then(pl.concat_str(pl.lit(f"{label} "), found))
        for found, label in zip(fields, ("batch", "batch", "parent", "group"), strict=True)
    ]
    stated = marked.select("job", parent=pl.coalesce(labelled)).drop_nulls()
    rest = stated.join(named, on="job", how="anti")
    return pl.concat([named, rest])
