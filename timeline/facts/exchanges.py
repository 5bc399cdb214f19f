"""Calls between two services that both wrote of under one id: who called, by lengths alone.

A call lies inside whoever waits for its answer: it begins after it was asked for, and is over
before the caller goes on. How long each side says it took is read from one clock each, so the
longer one called, whatever the clocks say. Where the caller writes the id once, as it sends, and
the job of that line goes on, the job's last line closes the call. Never compares texts, and blames
no clock; `timeline.facts.exchange_skews` does.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from timeline.event import PRECISION_NS, Lane, Precision
from timeline.facts.entities import all_of_type, job_pairs
from timeline.facts.outcomes import ID_TYPES

if TYPE_CHECKING:
    from timeline.incident import Incident
    from timeline.store import Snapshot

EXCHANGE_SCHEMA: dict[str, pl.DataType | type[pl.DataType]] = {
    "id": pl.UInt64,  # stands for the id that both wrote
    "caller": pl.Int64,  # numbers that stand for actors
    "callee": pl.Int64,
    "caller_clock": pl.Int64,  # and for clocks, never the same
    "callee_clock": pl.Int64,
    "asked": pl.Int64,  # ns, the caller's first stamp and its last
    "over": pl.Int64,
    "low": pl.Int64,  # ns, by how much the callee's clock runs ahead of the caller's, at least
    "high": pl.Int64,  # and at most
    "first_row": pl.UInt32,  # the caller's first and last line, the callee's first and last line
    "last_row": pl.UInt32,
    "callee_first_row": pl.UInt32,
    "callee_last_row": pl.UInt32,
}
MOST_EXCHANGES = 2_000
"""Spread over the window: a clock needs no more."""
MOST_NAMED = 300_000
"""Lines with an id that are looked at; of more, all lines of some of the ids."""
MOST_ACTORS = 4
"""Services under one id; more are a fan-out whose parts wait for nobody."""
MOST_LINES = 40
"""Lines of one service under one id; more are a session or a tenant, and no call."""
ONE_CALLER = 0.9
"""Share of the exchanges of two services in which the same one took longer: it is the caller."""


def exchanges(incident: Incident) -> pl.DataFrame:
    """EXCHANGE_SCHEMA: every call that one clock wrote of on either side."""
    lines = _lines(incident)
    if lines.is_empty():
        return pl.DataFrame(schema=EXCHANGE_SCHEMA)
    spans = lines.group_by("id", "actor").agg(
        pl.len().alias("lines"),
        pl.col("clock").min(),
        other_clock=pl.col("clock").max(),
        coarse=pl.col("precision").max(),
        begun=pl.col("at").first(),
        ended=pl.col("at").last(),
        first_row=pl.col("row").first(),
        last_row=pl.col("row").last(),
    )
    spans = spans.filter(
        (pl.col("clock") == pl.col("other_clock")) & (pl.col("lines") <= MOST_LINES)
    ).drop("other_clock", "lines")
    spans = _with_jobs(incident, spans).with_columns(length=pl.col("ended") - pl.col("begun"))
    others = spans.select(pl.all().name.suffix("_callee")).rename({"id_callee": "id"})
    both = spans.join(others, on="id").filter(
        (pl.col("actor") != pl.col("actor_callee"))
        & (pl.col("clock") != pl.col("clock_callee"))
        & (pl.col("length") > pl.col("length_callee"))
    )
    # Of three or four it is the longest that waits for all; between the others nothing is known.
    both = both.filter(
        (pl.col("length") == pl.col("length").max().over("id"))
        & (pl.len().over("id") < MOST_ACTORS)
    )
    return _shaped(both)


def _lines(incident: Incident) -> pl.DataFrame:
    """(row, id, actor, clock, precision, at) of log lines whose id lines of another clock carry as
    well, by time. Names are numbers here: texts cost ten times as much."""
    snapshot = incident.snapshot
    broad = [key for key in snapshot.broad_keys if key.partition(":")[0] in ID_TYPES]
    named = pl.concat([_ids(snapshot, kind, broad) for kind in ID_TYPES])
    if named.is_empty():
        return pl.DataFrame()
    one_in = -(-named.height // MOST_NAMED)
    named = named.filter(pl.col("id") % one_in == 0) if one_in > 1 else named
    rows, events = named.get_column("row"), snapshot.events
    unnamed = pl.col("clock").is_null() | (pl.col("clock") == "")
    told = named.hstack([events.get_column(name).gather(rows) for name in _COLUMNS])
    told = told.filter(pl.col("lane") == Lane.LOG.value).select(
        "row",
        "id",
        pl.col("actor").to_physical().fill_null(-1),
        pl.when(unnamed)
        .then(-1 - pl.col("source").to_physical().cast(pl.Int64))
        .otherwise(pl.col("clock").to_physical())
        .alias("clock"),
        pl.col("precision").to_physical(),
        at="timestamp",
    )
    actor, clock = pl.col("actor"), pl.col("clock")
    shared = told.group_by("id").agg(
        (actor.min() != actor.max()).alias("actors"),
        (clock.min() != clock.max()).alias("clocks"),
        since=pl.col("at").min(),
    )
    shared = shared.filter(pl.col("actors") & pl.col("clocks"))
    if shared.height > MOST_EXCHANGES:
        shared = shared.sort("since", "id").gather_every(-(-shared.height // MOST_EXCHANGES))
    return told.join(shared.select("id"), on="id", how="semi").sort("at", "row")


def _ids(snapshot: Snapshot, kind: str, broad: list[str]) -> pl.DataFrame:
    """(row, id) of the keys of one type but for the `broad` ones; of one value the `id` is the same
    in every type."""
    pairs = all_of_type(snapshot, kind)
    pairs = pairs.filter(~pl.col("key").is_in(broad)) if broad else pairs
    return pairs.select("row", id=pl.col("key").str.slice(len(kind) + 1).hash())


_COLUMNS = ("lane", "actor", "clock", "source", "precision", "timestamp")


def _with_jobs(incident: Incident, spans: pl.DataFrame) -> pl.DataFrame:
    """`spans`, those of one line drawn out to the last line of the one job that the line names."""
    alone = spans.filter(pl.col("first_row") == pl.col("last_row"))
    named = incident.shared(job_pairs)
    if alone.is_empty() or named.is_empty():
        return spans
    jobs = named.filter(pl.col("row").is_in(alone.get_column("first_row").implode()))
    jobs = jobs.filter(pl.len().over("row") == 1)
    if jobs.is_empty():
        return spans
    about = named.filter(pl.col("key").is_in(jobs.get_column("key").implode()))
    rows, events = about.get_column("row"), incident.snapshot.events
    lane, actor, clock, at = (
        events.get_column(name).gather(rows) for name in ("lane", "actor", "clock", "timestamp")
    )
    about = about.select("key", "row").hstack(
        [lane, actor.to_physical(), clock.to_physical().cast(pl.Int64), at.alias("at")]
    )
    ends = (
        about.filter(pl.col("lane") == Lane.LOG.value)
        .sort("at", "row")
        .group_by("key", "actor", "clock", maintain_order=True)
        .agg(closed=pl.col("at").last(), closing_row=pl.col("row").last())
    )
    told = alone.select("id", "actor", "clock", "first_row").join(
        jobs, left_on="first_row", right_on="row"
    )
    told = told.with_columns(pl.col("actor").cast(ends.schema["actor"]))
    told = told.join(ends, on=["key", "actor", "clock"]).select(
        "id", pl.col("actor").cast(spans.schema["actor"]), "closed", "closing_row"
    )
    drawn = spans.join(told, on=["id", "actor"], how="left")
    return drawn.with_columns(
        ended=pl.coalesce("closed", "ended"), last_row=pl.coalesce("closing_row", "last_row")
    ).drop("closed", "closing_row")


def of_one_direction(told: pl.DataFrame) -> pl.DataFrame:
    """`told` (EXCHANGE_SCHEMA) by `asked`, without the calls of two services of which now the one
    and now the other took longer."""
    names = ["caller", "callee"]
    ways = told.group_by(names).agg(calls=pl.len())
    back = ways.select(caller="callee", callee="caller", back="calls")
    ways = ways.join(back, on=names, how="left").with_columns(pl.col("back").fill_null(0))
    clear = ways.filter(pl.col("calls") >= ONE_CALLER * (pl.col("calls") + pl.col("back")))
    return told.join(clear.select(names), on=names, how="semi").sort("asked", "id", "callee")


_UNITS = pl.Series([PRECISION_NS[precision] for precision in Precision], dtype=pl.Int64)
"""Length of one unit, ns, by the number that the store gives a precision."""


def _shaped(both: pl.DataFrame) -> pl.DataFrame:
    coarsest = both.select(pl.max_horizontal("coarse", "coarse_callee")).to_series()
    unit = _UNITS.gather(coarsest.cast(pl.UInt32))
    told = both.select(
        "id",
        caller="actor",
        callee="actor_callee",
        caller_clock="clock",
        callee_clock="clock_callee",
        asked="begun",
        over="ended",
        low=pl.col("ended_callee") - pl.col("ended") - unit,
        high=pl.col("begun_callee") - pl.col("begun") + unit,
        first_row="first_row",
        last_row="last_row",
        callee_first_row="first_row_callee",
        callee_last_row="last_row_callee",
    )
    return told.select(pl.col(n).cast(kind) for n, kind in EXCHANGE_SCHEMA.items())
