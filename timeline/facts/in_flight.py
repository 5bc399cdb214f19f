"""Which executions were under way while calls failed: certainly, or only possibly.

A fault is known where somebody was surely waiting in vain, which is from the moment a failing call
was surely sent to its error line. An execution overlaps it for certain when the stretch in which
it certainly ran meets such a stretch on the same clock, or on two clocks by more than both bounds.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import polars as pl

from timeline.errors.kinds import Outcome
from timeline.facts.errors import TIMEOUT_CLASSES

if TYPE_CHECKING:
    from timeline.incident import Incident

UNBROKEN_NS = 500_000_000
"""Two failures of one path within half a second are one stretch of fault."""
EDGE_NS = 1_000_000_000
"""How far beyond the errors an execution still possibly met the fault."""

OPEN_END = 2**61
"""Stands for the end (ns) of what nobody saw end."""
MAX_ANSWERED = 50
"""Jobs that are compared with waiting calls; the earliest one decides."""

OUTCOME_WORDS = {
    Outcome.AMBIGUOUS.value: "unknown",
    Outcome.ROLLED_BACK.value: "rolled back",
    Outcome.NOT_EXECUTED.value: "not executed",
    Outcome.EXECUTED.value: "executed",
}
"""What the error of an execution says about the operation that failed inside it."""
AMBIGUITY = ("unknown", "open", "rolled back", "not executed", "executed")
"""Most ambiguous first; anything else had no error and comes last."""


@dataclass(frozen=True, slots=True)
class InFlight:
    """One execution that overlapped a fault. `end` is None while it never ended (ns UTC).

    `outcome`: unknown, not executed, rolled back or executed for the call that failed in it;
    otherwise how it ended (`completed`, or a job's own word).
    """

    id: str
    kind: str
    actor: str
    start: int
    end: int | None
    outcome: str


@dataclass(frozen=True, slots=True)
class FlightList:
    """Executions that certainly overlapped, most ambiguous first, and how many only may have."""

    certain: tuple[InFlight, ...]
    possible: int


def fault_spans(incident: Incident, operations: pl.DataFrame) -> pl.DataFrame:
    """(clock, start, end) ns of stretches in which a call was surely failing, per clock.

    `operations` are failing calls as `failing_operations` describes them. A time-out is cut where
    a job started that was pushed while the call still waited: the path worked again by then.
    """
    spans = operations.select(
        "clock",
        pl.col("sent").alias("start"),
        pl.col("timestamp").alias("end"),
        timed_out=pl.col("error_class").is_in(TIMEOUT_CLASSES),
    )
    answered = incident.jobs.summary.drop_nulls(["enqueued", "started"])
    for job in _answered_within(answered, operations).iter_rows(named=True):
        inside = (
            pl.col("timed_out")
            & (pl.col("start") < job["enqueued"])
            & (pl.col("end") > job["started"])
        )
        spans = spans.with_columns(
            end=pl.when(inside).then(job["started"]).otherwise(pl.col("end"))
        )
    ordered = spans.sort("clock", "start", "end")
    reach = pl.col("end").cum_max().shift(1).over("clock")
    broken = (pl.col("start") > reach + UNBROKEN_NS).fill_null(value=True)
    numbered = ordered.with_columns(part=broken.cum_sum())
    merged = numbered.group_by("clock", "part", maintain_order=True).agg(
        pl.col("start").min(), pl.col("end").max()
    )
    return merged.drop("part")


def in_flight(incident: Incident, operations: pl.DataFrame) -> FlightList:
    """The executions that overlapped the fault that `operations` failed in."""
    frame = incident.executions.frame
    failed = _outcomes(operations)
    spans = fault_spans(incident, operations)
    end = pl.col("end").fill_null(pl.col("start"))
    bounds = frame.select("clock", "start", sure=end, late=pl.col("end").fill_null(OPEN_END))
    certainly = possibly = pl.repeat(value=False, n=frame.height, eager=True)
    for (clock,), part in spans.group_by("clock", maintain_order=True):
        slack = _slack(incident, bounds.get_column("clock"), str(clock))
        begin, sure, late = (bounds.get_column(name) for name in ("start", "sure", "late"))
        certainly |= _meets(part, begin + slack, sure - slack)
        possibly |= _meets(part, begin - slack - EDGE_NS, late + slack + EDGE_NS)
    own = pl.col("execution").is_in(failed.get_column("execution").implode())
    marked = frame.with_columns(certain=pl.lit(certainly) | own, maybe=possibly)
    certain = marked.filter("certain").join(failed, on="execution", how="left")
    rank = {word: place for place, word in enumerate(AMBIGUITY)}
    told = certain.with_columns(
        outcome=pl.coalesce(
            "failure", pl.col("outcome").cast(pl.String).replace({"logged": "completed"})
        )
    )
    told = told.with_columns(
        rank=pl.col("outcome").replace_strict(rank, default=len(AMBIGUITY), return_dtype=pl.Int32)
    ).sort("rank", "start", "id", "actor")
    rows = told.select("id", "kind", "actor", "start", "end", "outcome").iter_rows()
    return FlightList(
        tuple(InFlight(*row) for row in rows),
        marked.filter(pl.col("maybe") & ~pl.col("certain")).height,
    )


def _answered_within(answered: pl.DataFrame, operations: pl.DataFrame) -> pl.DataFrame:
    """Jobs pushed and started while calls still waited, earliest start first; at most a few."""
    if answered.is_empty() or operations.is_empty():
        return answered.head(0)
    first, last = operations["sent"].min(), operations["timestamp"].max()
    inside = answered.filter((pl.col("enqueued") > first) & (pl.col("started") < last))
    return inside.sort("started", "job").head(MAX_ANSWERED)


def _outcomes(operations: pl.DataFrame) -> pl.DataFrame:
    """(execution, failure): the most ambiguous outcome among an execution's failing calls."""
    order = tuple(OUTCOME_WORDS)
    known = operations.drop_nulls("execution")
    ranked = known.with_columns(
        rank=pl.col("outcome").replace_strict(
            {outcome: place for place, outcome in enumerate(order)},
            default=len(order),
            return_dtype=pl.Int32,
        )
    ).sort("execution", "rank")
    first = ranked.unique("execution", keep="first", maintain_order=True)
    return first.select(
        "execution",
        failure=pl.col("outcome").replace_strict(
            OUTCOME_WORDS, default="unknown", return_dtype=pl.String
        ),
    )


def _meets(spans: pl.DataFrame, begin: pl.Series, end: pl.Series) -> pl.Series:
    """Whether each `[begin, end]` meets one of the disjoint, ascending `spans` of one clock."""
    following = spans.get_column("end").search_sorted(begin, "left")
    inside = following < spans.height
    first = spans.get_column("start").gather(following.clip(upper_bound=spans.height - 1))
    return inside & (first <= end)


def _slack(incident: Incident, clocks: pl.Series, fault: str) -> pl.Series:
    """Summed error (ns) of each execution's clock against the clock `fault`; 0 on the same."""
    errors = {
        clock: 0 if clock == fault else _error(incident, clock) + _error(incident, fault)
        for clock in clocks.unique().to_list()
    }
    return clocks.replace_strict(errors, default=0, return_dtype=pl.Int64)


def _error(incident: Incident, clock: str) -> int:
    bound = incident.clocks.bound(clock)
    return max(bound.behind, bound.ahead)
