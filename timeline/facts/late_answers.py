"""Work that was queued again because the answer to the first request came too late.

Whoever calls a hook or an API waits for so long and no longer; then he calls again, and the first
call is not undone by his hanging up. The time between the two pushes is his patience, his pause and
what the handler takes: it may be minutes. What tells such a call from people who ask twice is the
time that the requests took: those that were repeated took longer than those that were not. Where
the two kinds of request take equally long, the repetition has another reason.

Each push has to have a request of its own, with a beginning and an end on record.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from timeline.facts.entities import pairs_of_type
from timeline.window import MINUTE_NS, SECOND_NS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from timeline.incident import Incident

AGAIN_NS = 5 * MINUTE_NS
"""Between one push and the next: callers pause for seconds or a few minutes."""
MOST_TIMES = 5
"""Pushes of one call in the window; who makes more of them has a rhythm."""
LEAST_BEFORE = 5
"""Pushes of the class before the first repetition, none of them repeated: it is not its way."""
LEAST_OTHERS = 8
"""Requests that were not repeated, with a known time, against which the repeated ones are held."""
AS_SLOW = 0.2
"""Share of those that may have taken as long as the quickest that was repeated: the last call of
all may be slow as well, with nobody left to repeat it."""
PATIENCE_NS = SECOND_NS
"""Nobody waits for less."""
MOST_CALLS, MOST_OTHERS = 100, 60
"""Repeated pushes, the earliest, and others beside them, that are looked at one by one."""

LATE_SCHEMA: dict[str, pl.DataType | type[pl.DataType]] = {
    "job_class": pl.String,
    "args": pl.String,
    "jobs": pl.List(pl.String),  # in order of `pushed`
    "pushed": pl.List(pl.Int64),
    "waited": pl.Int64,  # ns that the quickest of the repeated requests took
    "before": pl.Int64,  # pushes of the class before the first repetition
}


def asked_again_late(incident: Incident, told: pl.DataFrame) -> pl.DataFrame:
    """LATE_SCHEMA: calls among `told` (job, job_class, args, enqueued, form) that were repeated
    after a late answer."""
    call = ("job_class", "form", "args")
    rows = told.filter((pl.len().over(call) > 1) & (pl.len().over(call) <= MOST_TIMES))
    if rows.is_empty():
        return pl.DataFrame(schema=LATE_SCHEMA)
    rows = rows.sort(*call, "enqueued", "job")
    gap = pl.col("enqueued").diff().over(call)
    rows = rows.with_columns(group=(gap.is_null() | (gap > AGAIN_NS)).cum_sum())
    rows = rows.filter(pl.len().over("group") > 1)
    classes = [
        looked
        for _, mine in rows.group_by("job_class", "form", maintain_order=True)
        if (looked := _of_class(told, mine)) is not None
    ]
    if not classes:
        return pl.DataFrame(schema=LATE_SCHEMA)
    jobs = [job for one in classes for part in one[:2] for job in part.get_column("job").to_list()]
    took = _took(incident, _requests(incident, jobs))
    found = [late for one in classes if (late := _late(*one, took)) is not None]
    return pl.concat(found) if found else pl.DataFrame(schema=LATE_SCHEMA)


def _of_class(
    told: pl.DataFrame, repeated: pl.DataFrame
) -> tuple[pl.DataFrame, pl.DataFrame, int] | None:
    """Of one class and form: what was repeated, others to hold it against, how many came before."""
    kind = repeated.select("job_class", "form").head(1)
    own = told.join(kind, on=["job_class", "form"], how="semi", maintain_order="left")
    first = repeated.get_column("enqueued").min()
    before = own.filter(pl.col("enqueued") < first).height
    if before < LEAST_BEFORE:
        return None
    repeated = repeated.sort("enqueued").head(MOST_CALLS).sort("group", "enqueued")
    others = own.join(repeated.select("job"), on="job", how="anti", maintain_order="left")
    return repeated, others.gather_every(max(1, others.height // MOST_OTHERS)), before


def _late(
    repeated: pl.DataFrame, others: pl.DataFrame, before: int, took: pl.DataFrame
) -> pl.DataFrame | None:
    """The repetitions of one class and form if late answers explain them (LATE_SCHEMA)."""
    known = repeated.join(took, on="job", maintain_order="left")
    # Two pushes of one request are no repetition of the request.
    known = known.unique(["group", "request"], keep="first", maintain_order=True)
    known = known.filter(pl.len().over("group") > 1)
    last = pl.col("enqueued") == pl.col("enqueued").max().over("group")
    again, final = known.filter(~last), known.filter(last)
    single = pl.concat([others.join(took, on="job").get_column("took"), final.get_column("took")])
    if again.is_empty() or single.len() < LEAST_OTHERS:
        return None
    waited = _least(again.get_column("took"))
    if waited < PATIENCE_NS or (single >= waited).sum() > AS_SLOW * single.len():
        return None
    kept = again.filter(pl.col("took") >= waited).select("group").unique()
    groups = known.join(kept, on="group", how="semi", maintain_order="left")
    return (
        groups.group_by("group", maintain_order=True)
        .agg(
            pl.col("job_class", "args").first(),
            jobs=pl.col("job"),
            pushed=pl.col("enqueued"),
            waited=pl.lit(waited, dtype=pl.Int64),
            before=pl.lit(before, dtype=pl.Int64),
        )
        .select(pl.col(name).cast(dtype) for name, dtype in LATE_SCHEMA.items())
    )


def _least(took: pl.Series) -> int:
    """The quickest, one in ten left aside: one repetition may have a reason of its own."""
    ordered = took.sort().to_list()
    return int(ordered[len(ordered) // 10])


def _requests(incident: Incident, jobs: Sequence[str]) -> pl.DataFrame:
    """(job, request) of each of `jobs` that lines name beside exactly one request."""
    wanted = pl.Series(sorted(set(jobs)), dtype=pl.String)
    named = incident.jobs.named.filter(pl.col("job").is_in(wanted.implode()))
    keys = incident.snapshot.keys_of(named.get_column("row").unique())
    pairs = named.join(pairs_of_type(keys, "request").rename({"key": "request"}), on="row")
    pairs = pairs.select("job", "request").unique()
    return pairs.filter(pl.len().over("job") == 1).sort("job")


def _took(incident: Incident, asked: pl.DataFrame) -> pl.DataFrame:
    """(job, request, took) in ns, by whoever was longest at the request."""
    wanted = asked.get_column("request").unique()
    spans = (
        incident.executions.frame.lazy()
        .filter(pl.col("id").is_in(wanted.implode()))
        .group_by(request="id")
        .agg(took=(pl.col("end") - pl.col("start")).max())
        .collect()
    )
    return asked.join(spans, on="request", maintain_order="left").drop_nulls("took")
