"""Who hands work over: actors that write the first line of a job, once, before another takes it up.

A service that pushes a job names it like the worker does. Where it serves a request its lines say
so; where it does not (a correlation id, a consumer that publishes on), the order of the lines does.
"""

from __future__ import annotations

import polars as pl

LEAST_JOBS = 3
MOSTLY = 0.9
"""Share of the jobs two actors write about that one of them opens with a single line."""


def pushing_actors(lines: pl.DataFrame) -> pl.Series:
    """Names of actors that hand work over, by log lines `job`, `actor`, `timestamp`."""
    told = lines.group_by("job", "actor").agg(
        first=pl.col("timestamp").min(), count=pl.len().cast(pl.Int64)
    )
    shared = told.filter(pl.len().over("job") > 1)
    opens = (pl.col("first") == pl.col("first").min().over("job")) & (pl.col("count") == 1)
    actors = (
        shared.with_columns(opens=opens)
        .group_by("actor")
        .agg(share=pl.col("opens").mean(), jobs=pl.len())
    )
    pushing = (pl.col("jobs") >= LEAST_JOBS) & (pl.col("share") >= MOSTLY)
    return actors.filter(pushing).get_column("actor").sort()
