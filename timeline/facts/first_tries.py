"""When each job of a queue was first taken up, as far as the start that is kept is the first one.

A queue with one row for each job overwrites the stamp of a start with that of the next try. Read as
the first, it lets every job that failed and was put off look untouched from its making to its last
try. The row's own count of attempts tells it: with more of them than starts or ends on record, the
first is not known, unless the workers' lines tell of every one. A job that they show failing had
begun by then, whatever the queue counts.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from timeline.event import Kind, Lane
from timeline.facts.jobs import ENDS

if TYPE_CHECKING:
    from timeline.incident import Incident

_STARTED = pl.col("kind") == Kind.JOB_STARTED.value
_ENDED = pl.col("kind").is_in(ENDS)


def with_tries(incident: Incident, moves: pl.DataFrame) -> pl.DataFrame:
    """`moves` (TRANSITION_SCHEMA) with `tries`, the attempts of its job that its queue counts (null
    where it counts none), and `begun`: the first start of it (ns) that workers' lines tell of,
    where the queue's own stamps leave it out."""
    counted = moves.join(_counts(incident), on="row", how="left", maintain_order="left")
    jobs = counted.group_by("job").agg(
        pl.col("tries").max(), kept=_kept(), left=pl.col("timestamp").filter(_STARTED).min()
    )
    told = jobs.select("job", "tries").join(_spoken(incident, jobs), on="job", how="left")
    return moves.join(told, on="job", how="left", maintain_order="left")


def first_tries(moves: pl.DataFrame) -> pl.DataFrame:
    """(job, came, left, timed, tries) of each job in `moves`, which has `waits_from`, `tries` and
    `begun`: when it was to begin and when it was taken up (ns, null where nobody tells). Where it
    is not `timed`, its first start was overwritten, and what lies before is no wait."""
    stamp = pl.col("timestamp")
    jobs = moves.group_by("job").agg(
        came=pl.col("waits_from").filter(pl.col("kind") == Kind.JOB_ENQUEUED.value).min(),
        left=stamp.filter(_STARTED | _ENDED).min(),
        kept=_kept(),
        tries=pl.col("tries").first(),
        begun=pl.col("begun").first(),
    )
    timed = (pl.col("tries").fill_null(0) <= pl.max_horizontal("kept", 1)) | pl.col(
        "begun"
    ).is_not_null()
    left = pl.min_horizontal("left", "begun")
    return jobs.select("job", "came", left.alias("left"), timed.alias("timed"), "tries")


def _kept() -> pl.Expr:
    """Attempts of a job that left a stamp of their own."""
    stamp = pl.col("timestamp")
    starts, ends = (stamp.filter(which).n_unique() for which in (_STARTED, _ENDED))
    return pl.max_horizontal(starts, ends).cast(pl.Int64)


def _counts(incident: Incident) -> pl.DataFrame:
    """(row, tries) of the transitions whose queue counts attempts."""
    told = incident.snapshot.told(pl.col("lane") == Lane.QUEUE.value, "attributes")
    told = told.filter(pl.col("attributes").str.contains('"attempt":', literal=True))
    tries = pl.col("attributes").str.json_path_match("$.attempt").cast(pl.Int64, strict=False)
    return told.select(pl.col("row").cast(pl.UInt32), tries=tries)


def _spoken(incident: Incident, jobs: pl.DataFrame) -> pl.DataFrame:
    """(job, begun) of those of `jobs` (job, tries, kept, left) whose earlier tries lines tell."""
    nothing = pl.DataFrame(schema={"job": pl.String, "begun": pl.Int64})
    short = pl.col("tries") > pl.max_horizontal("kept", 1)
    asked = jobs.filter(short | pl.col("tries").is_null())
    if asked.is_empty() or incident.jobs.named.is_empty():
        return nothing
    lines = incident.handled.select("job", "start", "end", "outcome")
    if lines.is_empty():
        return nothing
    names = incident.jobs.also_named(asked.filter(short).get_column("job"))
    pairs = [(job, name) for job, others in names.items() for name in others]
    other = pl.DataFrame(pairs, schema={"job": pl.String, "name": pl.String}, orient="row")
    named = pl.concat([asked.select("job", name="job"), other])
    failed = pl.col("end").filter(pl.col("outcome") == "failed").min()
    told = (
        lines.rename({"job": "name"})
        .join(named, on="name")
        .group_by("job")
        .agg(pl.len().alias("told"), begun=pl.col("start").min(), failed=failed)
    )
    known = asked.join(told, on="job")
    every = short & (pl.col("told") >= pl.col("tries"))
    never = pl.col("left").is_null() & pl.col("failed").is_not_null()
    before = pl.col("tries").is_null() & (never | (pl.col("failed") < pl.col("left")))
    return known.filter(every | before).select("job", "begun")
