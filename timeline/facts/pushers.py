"""Who hands work over: actors that write the first line of a job, once, before another takes it up.

A service that pushes a job names it like the worker does. Where it serves a request its lines say
so; where it does not (a correlation id, a consumer that publishes on), the order of the lines does.
Clocks that are off shuffle that order; then it shows in who always writes one line, and who more.
"""

from __future__ import annotations

import polars as pl

LEAST_JOBS = 3
MOSTLY = 0.9
"""Share of the jobs two actors write about that one of them opens with a single line."""
MANY_JOBS = 20
SHUFFLED = 0.3
"""Over so many jobs, all with one line of it and several of somebody else, this share is enough:
two clocks that differ by more than a job waits leave about half of them in their order."""


def pushing_actors(lines: pl.DataFrame) -> pl.Series:
    """Names of actors that hand work over, by log lines `job`, `actor`, `timestamp`."""
    told = lines.group_by("job", "actor").agg(
        first=pl.col("timestamp").min(), count=pl.len().cast(pl.Int64)
    )
    shared = told.filter(pl.len().over("job") > 1)
    if shared.is_empty():
        return shared.get_column("actor")
    opens = (pl.col("first") == pl.col("first").min().over("job")) & (pl.col("count") == 1)
    hands_over = (pl.col("count") == 1) & (pl.col("count").max().over("job") > 1)
    actors = (
        shared.with_columns(opens=opens, hands_over=hands_over)
        .group_by("actor")
        .agg(pl.col("hands_over").mean(), share=pl.col("opens").mean(), jobs=pl.len())
    )
    in_order = (pl.col("jobs") >= LEAST_JOBS) & (pl.col("share") >= MOSTLY)
    shuffled = (pl.col("jobs") >= MANY_JOBS) & (pl.col("share") >= SHUFFLED)
    pushing = in_order | (shuffled & (pl.col("hands_over") >= MOSTLY))
    return actors.filter(pushing).get_column("actor").sort()
