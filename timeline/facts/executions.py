"""Everything that had a beginning and an end: requests and job runs.

A request is what one actor logged under one request or trace key; a job run is a start and an end
told by the queue, or, when the queue forgot, what one actor logged under one job key. The span of
a logged execution runs from its first to its last line: it certainly ran then, and a little longer.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import polars as pl

from timeline.event import Lane
from timeline.facts.entities import all_of_type
from timeline.keys import TOO_BROAD_MINIMUM, TOO_BROAD_SHARE

if TYPE_CHECKING:
    from timeline.incident import Incident
    from timeline.store import Snapshot

KINDS = pl.Enum(["request", "job"])
OUTCOMES = pl.Enum(["logged", "finished", "failed", "retried", "dead", "open"])
"""How a job run ended; `logged` is all that log lines alone tell."""

EXECUTION_SCHEMA: dict[str, pl.DataType | type[pl.DataType]] = {
    "execution": pl.UInt32,  # index into the frame
    "id": pl.String,  # the key that names it, `request:1f3a` or `job:8f2c`
    "kind": KINDS,
    "actor": pl.Categorical,
    "clock": pl.Categorical,  # the clock of its stamps; never empty
    "start": pl.Int64,
    "end": pl.Int64,  # null when it never ended, or nobody told
    "outcome": OUTCOMES,
}
"""Every line of a busy log can be a request of its own, so names are categories here, not texts."""
MEMBER_SCHEMA: dict[str, pl.DataType | type[pl.DataType]] = {
    "row": pl.UInt32,
    "execution": pl.UInt32,
}
LOGGED_COLUMNS = tuple(name for name in EXECUTION_SCHEMA if name != "execution")
JOB_KEY = "job:"
PART_LINES = 125_000
"""Lines grouped at a time: a table of a million groups costs as much memory as half the log."""


@dataclass(frozen=True)
class Executions:
    """`frame` has one line per execution (EXECUTION_SCHEMA, then its `group`).

    `lines` holds (row, group) of every event that belongs to one. The keys of an execution are
    those of its rows; they are looked up when asked for, because a list of keys per execution
    would cost more than everything else here.
    """

    frame: pl.DataFrame
    lines: pl.DataFrame

    def of_rows(self, rows: pl.Series) -> pl.DataFrame:
        """(row, execution) pairs of the given event rows."""
        if rows.is_empty():
            return pl.DataFrame(schema=MEMBER_SCHEMA)
        held = self.lines.filter(pl.col("row").is_in(rows.cast(pl.UInt32).implode()))
        return held.join(self.frame.select("group", "execution"), on="group").select(*MEMBER_SCHEMA)

    def rows_of(self, executions: pl.Series) -> pl.DataFrame:
        """(row, execution) pairs of the given executions."""
        if executions.is_empty():
            return pl.DataFrame(schema=MEMBER_SCHEMA)
        wanted = executions.cast(pl.UInt32).implode()
        groups = self.frame.filter(pl.col("execution").is_in(wanted)).select("group", "execution")
        held = self.lines.filter(pl.col("group").is_in(groups.get_column("group").implode()))
        return held.join(groups, on="group").select(*MEMBER_SCHEMA)


def executions_in(incident: Incident) -> Executions:
    """All executions of the incident; empty frames when no event carries such a key."""
    logged, lines = _logged(incident)
    runs = incident.jobs.runs
    if runs.height:
        told = _told(runs)
        repeated = (logged["kind"] == "job") & logged["id"].is_in(told["id"].implode())
        logged = pl.concat([logged.filter(~repeated), told.drop("start_row", "end_row")])
        ends = [
            told.select(row=name, group="group").drop_nulls() for name in ("start_row", "end_row")
        ]
        lines = pl.concat([lines, *ends])
    frame = logged.with_row_index("execution").select(*EXECUTION_SCHEMA, "group")
    return Executions(frame, lines)


def _told(runs: pl.DataFrame) -> pl.DataFrame:
    """Job runs told by the queue, as `_logged` tells executions, with their two event rows."""
    told = runs.select(
        "start",
        "end",
        "start_row",
        "end_row",
        "clock",
        "outcome",
        id="job",
        kind=pl.lit("job"),
        actor=pl.col("worker").fill_null(""),
        group=pl.concat_str("job", "start_row", separator="#").hash(),
    )
    typed = [pl.col(name).cast(EXECUTION_SCHEMA[name]) for name in LOGGED_COLUMNS]
    return told.select(*typed, "group", "start_row", "end_row")


def _logged(incident: Incident) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Executions told by log lines, one per (key, actor), and (row, group) of their lines."""
    events = incident.snapshot.events
    named = _named_rows(incident.snapshot).rechunk()  # texts are shared then, not copied
    rows = named.get_column("row")
    spoken = events.get_column("lane").gather(rows) == Lane.LOG.value
    if not spoken.all():
        named = named.filter(spoken)
        rows = named.get_column("row")
    # The hash lives and dies with these frames; it is not stable between versions of polars.
    speaker = events.get_column("actor").gather(rows).to_physical().fill_null(0)
    group = named.get_column("key").hash() ^ speaker.cast(pl.UInt64)
    lines = pl.DataFrame({"row": rows, "group": group})
    spans = _spans(lines, events.get_column("timestamp").gather(rows))
    first = spans.get_column("line")
    is_job = named.get_column("key").str.starts_with(JOB_KEY).alias("is_job").gather(first)
    ids = named.get_column("key").alias("id").gather(first)
    rows = rows.gather(first)
    del named, first
    names = [events.get_column(name).gather(rows) for name in ("actor", "clock", "source")]
    told = spans.drop("line").hstack([ids, is_job, *names])
    clock = pl.col("clock")
    told = told.select(
        "id",
        pl.when("is_job")
        .then(pl.lit("job", KINDS))
        .otherwise(pl.lit("request", KINDS))
        .alias("kind"),
        pl.col("actor").fill_null(""),
        pl.when(clock.is_null() | (clock == "")).then("source").otherwise(clock).alias("clock"),
        "start",
        "end",
        pl.lit("logged", OUTCOMES).alias("outcome"),
        "group",
    )
    return told, lines


def _spans(lines: pl.DataFrame, stamps: pl.Series) -> pl.DataFrame:
    """(group, line, start, end) of every group that is not too broad, by start.

    `line` is the group's first line; equal starts stand in the order of their first lines.
    """
    limit = max(TOO_BROAD_MINIMUM, int(lines.height * TOO_BROAD_SHARE))
    numbered = pl.DataFrame([lines.get_column("group"), stamps.alias("at")]).with_row_index("line")
    parts = max(1, lines.height // PART_LINES)
    if parts > 1:
        numbered = numbered.with_columns(part=(pl.col("group") % parts).cast(pl.UInt16))
    spans = pl.concat(
        (numbered.lazy().filter(pl.col("part") == part) if parts > 1 else numbered.lazy())
        .group_by("group")
        .agg(
            pl.col("line").min(),
            pl.col("at").min().alias("start"),
            pl.col("at").max().alias("end"),
            pl.len().alias("lines"),
        )
        .filter(pl.col("lines") <= limit)
        .drop("lines")
        .collect()
        for part in range(parts)
    )
    del numbered
    order = spans.select(pl.arg_sort_by("start", "line")).to_series()
    return pl.DataFrame([column.gather(order) for column in spans.iter_columns()])


def _named_rows(snapshot: Snapshot) -> pl.DataFrame:
    """The one key per row that names its execution: request before trace before job."""
    named = _first_of_row(all_of_type(snapshot, "request"))
    for name in ("trace", "job"):
        more = _first_of_row(all_of_type(snapshot, name))
        if more.height:
            named = pl.concat([named, more.join(named.select("row"), on="row", how="anti")])
    return named


def _first_of_row(pairs: pl.DataFrame) -> pl.DataFrame:
    """The first of the `pairs` of each row; those of one row stand together."""
    rows = pairs.get_column("row")
    again = (rows == rows.shift(1)).fill_null(value=False)
    return pairs.filter(~again) if again.any() else pairs
