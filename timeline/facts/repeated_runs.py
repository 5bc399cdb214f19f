"""A stretch of pushes that was made once more, call by call in the same order.

Whoever loads a file, or relays what waits in a table, and is started anew before it has noted how
far it came, pushes everything since its last note again. Each pair may lie minutes apart; that many
in a row come back in their old order is no accident. Work that goes over the same calls as a
routine comes back again and again, or has no other calls, and is none.
"""

from __future__ import annotations

import polars as pl

from timeline.window import MINUTE_NS

LEAST_RUN = 10
"""Calls that come back in a row before it is one stretch pushed again; people repeat some, too."""
LEAST_AT_ONCE, AT_ONCE_NS = 5, MINUTE_NS
"""Fewer are enough where each comes back within a minute."""
SKIPPED = 4
"""First pushes of other calls, by other producers, that may lie between two of a stretch."""
LAG_NS = 5 * MINUTE_NS
"""Between a push and its repetition: a supervisor starts again within minutes; later it is a
schedule's distance."""
MOST_RUNS = 3
"""Stretches of one class that came again. More are its way of working."""
OTHERS = 0.2
"""Other calls of the class, against those that came back, before coming back is no routine."""


def in_a_run(told: pl.DataFrame, call: tuple[str, ...]) -> pl.Series:
    """For each row of `told` (`call` columns, `enqueued`, `job`; any order) whether it repeats an
    earlier one as part of such a stretch."""
    rows = told.with_row_index("at_row").sort("enqueued", "job")
    kind = tuple(name for name in call if name != "args")
    rows = rows.with_columns(nth=pl.int_range(pl.len()).over(call), times=pl.len().over(call))
    if not (rows.get_column("times") == 2).any():
        return pl.repeat(value=False, n=told.height, eager=True)
    firsts = rows.filter(pl.col("nth") == 0).with_columns(place=pl.int_range(pl.len()).over(kind))
    known = firsts.select(*call, "place", since="enqueued")
    second = rows.filter((pl.col("nth") == 1) & (pl.col("times") == 2)).join(
        known, on=call, nulls_equal=True, maintain_order="left"
    )
    step = pl.col("place").cast(pl.Int64).diff().over(kind)
    lag = pl.col("enqueued") - pl.col("since")
    broken = ~(step.is_between(1, 1 + SKIPPED)) | (lag > LAG_NS)
    second = second.with_columns(stretch=broken.fill_null(value=True).cum_sum().over(kind))
    own = (*kind, "stretch")
    least = pl.when((lag <= AT_ONCE_NS).all().over(own)).then(LEAST_AT_ONCE).otherwise(LEAST_RUN)
    second = second.filter((pl.len().over(own) >= least) & (lag <= LAG_NS).all().over(own))
    if second.is_empty():
        return pl.repeat(value=False, n=told.height, eager=True)
    came = second.group_by(kind).agg(runs=pl.col("stretch").n_unique(), again=pl.len())
    single = firsts.group_by(kind).agg(single=(pl.col("times") == 1).sum(), calls=pl.len())
    judged = came.join(single, on=kind, nulls_equal=True).filter(
        (pl.col("runs") <= MOST_RUNS)
        & (pl.col("single") >= pl.max_horizontal(LEAST_AT_ONCE, pl.col("again") * OTHERS))
    )
    found = second.join(judged, on=kind, how="semi", nulls_equal=True).get_column("at_row")
    return told.select(run=pl.int_range(pl.len(), dtype=pl.UInt32).is_in(found.implode()))["run"]
