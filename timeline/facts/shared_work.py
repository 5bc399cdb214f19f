"""What was written about a thing while two jobs were at it: either of them may have done it.

Rows that name no job are given to one by the thing and the time. That says whose they are only
where nobody else worked on the thing then. Never says which of the two it was.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from timeline.facts.overlaps import runs_of

if TYPE_CHECKING:
    from timeline.incident import Incident


def by_another_too(
    incident: Incident, lines: pl.DataFrame, held: pl.DataFrame
) -> frozenset[tuple[int, str]]:
    """(event row, job) of those of `lines` (row, timestamp, key) about what a job holds (`held`:
    job, key) that fell into the run of another job on the same thing.

    A run without an end counts for none: when it was over is not known.
    """
    keys = held.get_column("key").unique()
    others = incident.jobs.entities.filter(pl.col("key").is_in(keys.implode()))
    several = others.group_by("key").agg(pl.col("job").n_unique()).filter(pl.col("job") > 1)
    others = others.join(several, on="key", how="semi")
    if others.is_empty():
        return frozenset()
    runs = runs_of(incident).drop_nulls("end").select("job", "start", "end")
    spans = others.join(runs, on="job").rename({"job": "other"})
    mine = held.join(several, on="key", how="semi")
    names = incident.jobs.also_named(mine.get_column("job").to_list())
    same = {(job, other) for job, others_of in names.items() for other in others_of}
    met = (
        lines.select("row", "timestamp", "key")
        .join(mine, on="key")
        .join(spans, on="key")
        .filter(
            (pl.col("job") != pl.col("other"))
            & pl.col("timestamp").is_between(pl.col("start"), pl.col("end"))
        )
    )
    return frozenset(
        (row, job)
        for row, job, other in met.select("row", "job", "other").unique().iter_rows()
        if (job, other) not in same and (other, job) not in same
    )
