"""Job runs that were under way on one thing at the same time, and what was written meanwhile.

A run counts from its start to its end; where the queue forgot it, from the worker's first line
about it to its last. Of a run without an end only what is known counts: to the last sign of life of
the worker that lost it, or to its last line. Two runs of one job are left to
`delivered-again`. Never says that an overlap did harm.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import polars as pl

from timeline.event import Kind, Lane
from timeline.facts.lines import keyed_lines

if TYPE_CHECKING:
    from timeline.event import Event
    from timeline.incident import Incident

NEIGHBOURS = 3
"""How many earlier starts on the same thing each run is compared with: more at once are a crowd,
and the crowd shows in these already."""
MAX_OPEN = 500
"""Runs without an end of which the last sign is looked for."""
CALL = r"^(?:request|trace|correlation)(?:_[a-z]+)?:"
"""Keys of the call in whose name a job runs. Jobs of one call share its id, and nothing more."""
WRITES = (Kind.ROW_UPDATED.value, Kind.ROW_VERSION.value, Kind.ROW_DELETED.value)
"""A creation is none: before it there was nothing to work on together."""

PAIR_SCHEMA: dict[str, pl.DataType | type[pl.DataType]] = {
    "pair": pl.UInt32,
    "key": pl.String,  # the thing
    "one": pl.String,  # job key of the run that began first
    "two": pl.String,
    "class_one": pl.String,
    "class_two": pl.String,
    "start_one": pl.Int64,
    "end_one": pl.Int64,  # end, or the last sign of the run
    "start_two": pl.Int64,
    "end_two": pl.Int64,
    "start_row_one": pl.UInt32,
    "end_row_one": pl.UInt32,  # null where the run has no end of its own
    "start_row_two": pl.UInt32,
    "end_row_two": pl.UInt32,
}


@dataclass(frozen=True, slots=True)
class Written:
    """One write of a thing's own row; `row` is the event, `at` ns UTC, `name` as `orders/77`."""

    row: int
    at: int
    name: str


def pairs_in(incident: Incident) -> pl.DataFrame:
    """PAIR_SCHEMA: runs of two jobs on one thing whose stamps overlap, by start of the second."""
    entities = incident.jobs.entities.filter(
        ~pl.col("key").is_in(list(incident.snapshot.broad_keys)) & ~pl.col("key").str.contains(CALL)
    )
    several = entities.group_by("key").len().filter(pl.col("len") > 1).select("key")
    if several.is_empty():
        return pl.DataFrame(schema=PAIR_SCHEMA)
    runs = runs_of(incident).join(entities.join(several, on="key", how="semi"), on="job")
    runs = runs.with_columns(pl.col("job_class").fill_null(""))
    runs = _capped(incident, runs).sort("key", "start", "job", "start_row")
    met = []
    for distance in range(1, NEIGHBOURS + 1):
        earlier = [
            pl.col(name).shift(distance).alias(f"{name}_1")
            for name in ("key", "job", "job_class", "start", "end", "start_row", "end_row")
        ]
        same = pl.col("key") == pl.col("key_1")
        meet = (pl.col("start") < pl.col("end_1")) & (pl.col("job") != pl.col("job_1"))
        met.append(runs.with_columns(earlier).filter(same & meet))
    named = {"one": "job_1", "two": "job", "class_one": "job_class_1", "class_two": "job_class"}
    for name in ("start", "end", "start_row", "end_row"):
        named |= {f"{name}_one": f"{name}_1", f"{name}_two": name}
    pairs = pl.concat(met).select("key", **{to: pl.col(name) for to, name in named.items()})
    pairs = pairs.sort("start_two", "start_one", "key", "one", "two").with_row_index("pair")
    return pairs.select(pl.col(name).cast(dtype) for name, dtype in PAIR_SCHEMA.items())


def edges_of(incident: Incident, pairs: pl.DataFrame) -> Mapping[int, Event]:
    """By row: the events with which the runs of `pairs` begin and the first of each two ends."""
    names = ("start_row_one", "start_row_two", "end_row_one")
    rows = sorted({row for name in names for row in pairs.get_column(name).drop_nulls()})
    return dict(zip(rows, incident.snapshot.events_at(rows), strict=True))


def runs_of(incident: Incident) -> pl.DataFrame:
    """Attempts of jobs (job, job_class, worker, start, end, start_row, end_row): as the queue tells
    them, or where it forgot, from the worker's first line under the job's key to its last."""
    names = ("job", "job_class", "worker", "start", "end", "start_row", "end_row")
    told = incident.jobs.runs.select(names)
    frame = incident.executions.frame
    logged = frame.filter(
        (pl.col("kind") == "job")
        & (pl.col("outcome") == "logged")
        & (pl.col("end") > pl.col("start"))  # one line alone tells of no run
        & pl.col("actor").cast(pl.String).is_in(list(incident.workers))
    )
    if logged.is_empty():
        return told
    rows = incident.executions.rows_of(logged.get_column("execution"))
    stamps = incident.snapshot.events.get_column("timestamp").gather(rows.get_column("row"))
    lines = rows.with_columns(stamps.alias("at")).sort("at", "row")
    ends = lines.group_by("execution").agg(
        start_row=pl.col("row").first(), end_row=pl.col("row").last()
    )
    classes = incident.jobs.summary.select("job", "job_class")
    spoken = logged.with_columns(job="id", worker=pl.col("actor").cast(pl.String)).join(
        ends, on="execution"
    )
    spoken = spoken.join(classes, on="job", how="left", maintain_order="left")
    return pl.concat([told, spoken.select(pl.col(n).cast(told.schema[n]) for n in names)])


def _capped(incident: Incident, runs: pl.DataFrame) -> pl.DataFrame:
    """`runs` with the last sign for an end where there is none; without the runs that have none."""
    unended = runs.filter(pl.col("end").is_null()).unique(["job", "start"]).head(MAX_OPEN)
    if unended.is_empty():
        return runs
    last = _last_signs(incident, unended)
    signs = pl.DataFrame(
        [(job, start, end) for (job, start), end in last.items()],
        schema={"job": pl.String, "start": pl.Int64, "sign": pl.Int64},
        orient="row",
    )
    capped = runs.join(signs, on=["job", "start"], how="left", maintain_order="left")
    return capped.with_columns(end=pl.coalesce("end", "sign")).drop("sign").drop_nulls("end")


def _last_signs(incident: Incident, unended: pl.DataFrame) -> Mapping[tuple[str, int], int]:
    """By (job, start): when the run was last known to be under way, ns."""
    lost = {
        (one.job, one.start): one.alive
        for one in incident.lost_attempts
        if one.start is not None and one.alive is not None
    }
    lines = keyed_lines(incident, unended.get_column("job"))
    lines = lines.filter(pl.col("lane") == Lane.LOG.value).rename({"key": "job"})
    inside = lines.join(unended.select("job", "worker", "start"), on="job").filter(
        (pl.col("timestamp") > pl.col("start")) & (pl.col("actor").is_in(list(incident.workers)))
    )
    spoken = inside.group_by("job", "start").agg(pl.col("timestamp").max())
    found = {(job, start): at for job, start, at in spoken.iter_rows()}
    return found | {key: at for key, at in lost.items() if at > key[1]}


def writes_in(incident: Incident, pairs: pl.DataFrame) -> Mapping[int, tuple[Written, ...]]:
    """By pair: writes of the thing's own row from the second start to the end of both, in order.

    Where versions of a row are recorded they tell its writes; its present update stamp would tell
    the last of them again.
    """
    records = incident.records
    owned = records.owners.filter(pl.col("key").is_in(pairs.get_column("key").unique().implode()))
    empty = (pl.col("kind") == Kind.ROW_VERSION.value) & (pl.col("columns") == "{}")
    told = records.versions.filter(pl.col("kind").is_in(WRITES) & ~empty.fill_null(value=False))
    told = told.join(owned, on="record").with_columns(
        version=pl.col("kind") == Kind.ROW_VERSION.value
    )
    told = told.filter(pl.col("version") | ~pl.col("version").any().over("record"))
    until = pl.max_horizontal("end_one", "end_two")
    inside = (
        told.join(pairs.select("pair", "key", "start_two", until=until), on="key")
        .filter(pl.col("timestamp").is_between(pl.col("start_two"), pl.col("until")))
        .unique(["pair", "record", "timestamp"], keep="first", maintain_order=True)
        .sort("pair", "timestamp", "row")
    )
    found: dict[int, list[Written]] = {}
    for pair, row, at, name in inside.select("pair", "row", "timestamp", "record").iter_rows():
        found.setdefault(pair, []).append(Written(row, at, name.removeprefix("row:")))
    return {pair: tuple(writes) for pair, writes in found.items()}
