"""When a failing call was under way: from the moment it was surely sent to its error line.

A call that gave up after N seconds was sent N before it said so. N is read from the message, or
taken from calls of the same kind that all waited equally long. Where neither is known the call is
only known to have failed at its error line. Owns no judgement about what broke.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from timeline.facts.errors import TIMEOUT_CLASSES
from timeline.facts.wordings import may_hold

if TYPE_CHECKING:
    from timeline.incident import Incident

_LENGTH = r"(\d{1,6}(?:\.\d{1,6})?)\s?(ms|milliseconds?|msec|s|secs?|seconds?)\b"
STATED_TIMEOUTS = (
    r"(?i)(?:time[ _-]?out|timed out|gave up|waited|elapsed|took|deadline)\D{0,24}?" + _LENGTH,
    r"(?i)(?:time[ _-]?out|timed out)\b.{0,80}?\bafter " + _LENGTH,
)
"""A length of waiting with its unit, as clients print it; a bare number is not believed, except
the seconds of urllib3's `(read timeout=5)`."""
URLLIB3_TIMEOUT = r"\((?:read|connect) timeout=(\d{1,6}(?:\.\d{1,6})?)\)"

AGREEMENT = 0.10
"""Two calls of one kind waited equally long when they differ by at most this share: an enqueue
that takes a client's timeout shows as durations within ±10 % of it (sidekiq/sidekiq#3303)."""
AGREEING_CALLS = 2

OPERATION_COLUMNS = ("execution", "previous", "waited", "how", "sent")


def failing_operations(incident: Incident, hits: pl.DataFrame) -> pl.DataFrame:
    """`hits` with what is known of the call that failed, in the order of `hits`:

    - `execution`: the execution whose line reports it, or null
    - `previous`: stamp (ns) of that execution's line before it, or null; the call was sent later
    - `waited`, `how`: ns the call waited and whether that is `stated` or `inferred`, or null
    - `sent`: ns when the call was surely under way; the error's own stamp when nothing is known
    """
    placed = hits.join(
        _first_execution(incident, hits), on="row", how="left", maintain_order="left"
    )
    placed = placed.join(
        _previous_lines(incident, placed), on="row", how="left", maintain_order="left"
    )
    timed_out = pl.col("error_class").is_in(TIMEOUT_CLASSES)
    some = bool(placed.select(timed_out.any()).item())
    placed = placed.with_columns(
        elapsed=pl.when(timed_out).then(pl.col("timestamp") - pl.col("previous")),
        stated=pl.when(timed_out).then(_stated(placed)) if some else pl.lit(None, pl.Int64),
    )
    placed = placed.with_columns(
        agreed=_agreed().over("actor", "fragment", "peer"),
    )
    return (
        placed.with_columns(
            waited=pl.coalesce("stated", "agreed"),
            how=pl.when(pl.col("stated").is_not_null())
            .then(pl.lit("stated"))
            .when(pl.col("agreed").is_not_null())
            .then(pl.lit("inferred")),
        )
        .with_columns(sent=pl.col("timestamp") - _surely_waited())
        .drop("elapsed", "stated", "agreed")
    )


def _surely_waited() -> pl.Expr:
    """What is surely part of the wait: all of a stated one, an inferred one less its tolerance."""
    trusted = pl.when(pl.col("how") == "inferred").then(1 - AGREEMENT).otherwise(1.0)
    return (pl.col("waited") * trusted).fill_null(0).cast(pl.Int64)


def _first_execution(incident: Incident, hits: pl.DataFrame) -> pl.DataFrame:
    pairs = incident.executions.of_rows(hits.get_column("row"))
    return pairs.unique("row", keep="first", maintain_order=True)


def _previous_lines(incident: Incident, placed: pl.DataFrame) -> pl.DataFrame:
    """(row, previous): the latest line of the same execution before each error."""
    known = placed.drop_nulls("execution").select("row", "execution", "timestamp")
    if known.is_empty():
        return known.select("row", previous="timestamp")
    members = incident.executions.rows_of(known.get_column("execution").unique())
    times = incident.snapshot.events.get_column("timestamp")
    members = members.select("execution", times.gather(members.get_column("row")).alias("at"))
    earlier = known.join(members, on="execution").filter(pl.col("at") < pl.col("timestamp"))
    return earlier.group_by("row").agg(pl.col("at").max().alias("previous"))


def _stated(placed: pl.DataFrame) -> pl.Expr:
    """Nanoseconds that the `body` of `placed` says the call waited, or null."""
    body, texts = pl.col("body"), placed.get_column("body").unique()
    lengths = [pl.lit(None, pl.Float64)]
    if may_hold(texts, URLLIB3_TIMEOUT):
        lengths.append(body.str.extract(URLLIB3_TIMEOUT, 1).cast(pl.Float64) * 1e9)
    for pattern in STATED_TIMEOUTS:
        if not may_hold(texts, pattern):
            continue
        number = body.str.extract(pattern, 1).cast(pl.Float64)
        milli = body.str.extract(pattern, 2).str.to_lowercase().str.starts_with("m")
        lengths.append(number * pl.when(milli).then(1e6).otherwise(1e9))
    return pl.coalesce(lengths).cast(pl.Int64)


def _agreed() -> pl.Expr:
    """The shortest wait of calls of one kind, when at least `AGREEING_CALLS` waited that long."""
    shortest = pl.col("elapsed").min()
    close = (pl.col("elapsed") <= shortest * (1 + AGREEMENT)).sum()
    return pl.when((close >= AGREEING_CALLS) & pl.col("elapsed").is_not_null()).then(shortest)
