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
from timeline.facts.entities import pairs_of_type
from timeline.keys import TOO_BROAD_MINIMUM, TOO_BROAD_SHARE

if TYPE_CHECKING:
    from timeline.incident import Incident

EXECUTION_SCHEMA: dict[str, pl.DataType | type[pl.DataType]] = {
    "execution": pl.UInt32,  # index into the frame
    "id": pl.String,  # the key that names it, `request:1f3a` or `job:8f2c`
    "kind": pl.String,  # request or job
    "actor": pl.String,
    "clock": pl.String,  # the clock of its stamps; never empty
    "start": pl.Int64,
    "end": pl.Int64,  # null when it never ended, or nobody told
    "outcome": pl.String,  # logged, or how a job run ended: finished, failed, retried, dead, open
}
MEMBER_SCHEMA: dict[str, pl.DataType | type[pl.DataType]] = {
    "row": pl.UInt32,
    "execution": pl.UInt32,
}
JOB_KEY = "job:"


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
        held = self.lines.filter(pl.col("row").is_in(rows.cast(pl.UInt32).implode()))
        return held.join(self.frame.select("group", "execution"), on="group").select(*MEMBER_SCHEMA)

    def rows_of(self, executions: pl.Series) -> pl.DataFrame:
        """(row, execution) pairs of the given executions."""
        wanted = executions.cast(pl.UInt32).implode()
        groups = self.frame.filter(pl.col("execution").is_in(wanted)).select("group", "execution")
        held = self.lines.filter(pl.col("group").is_in(groups.get_column("group").implode()))
        return held.join(groups, on="group").select(*MEMBER_SCHEMA)


def executions_in(incident: Incident) -> Executions:
    """All executions of the incident; empty frames when no event carries such a key."""
    logged, lines = _logged(incident)
    runs = incident.jobs.runs
    told = runs.select(
        pl.col("job").alias("id"),
        pl.lit("job").alias("kind"),
        pl.col("worker").fill_null("").alias("actor"),
        "clock",
        "start",
        "end",
        "outcome",
        pl.concat_str("job", "start_row", separator="#").hash().alias("group"),
        "start_row",
        "end_row",
    )
    repeated = (logged["kind"] == "job") & logged["id"].is_in(told["id"].implode())
    logged = logged.filter(~repeated)
    ends = [told.select(row=name, group="group").drop_nulls() for name in ("start_row", "end_row")]
    frame = pl.concat([logged, told.drop("start_row", "end_row")], how="vertical_relaxed")
    frame = frame.with_row_index("execution")
    typed = [pl.col(name).cast(dtype) for name, dtype in EXECUTION_SCHEMA.items()]
    return Executions(frame.select(*typed, "group"), pl.concat([lines, *ends]))


def _logged(incident: Incident) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Executions told by log lines, one per (key, actor), and (row, group) of their lines."""
    snapshot = incident.snapshot
    named = _named_rows(snapshot.keys)
    context = snapshot.events.select("timestamp", "lane", "actor", "clock", "source")[
        named.get_column("row")
    ]
    speaker = pl.col("actor").to_physical().fill_null(0).cast(pl.UInt64)
    lines = named.hstack(context).filter(pl.col("lane") == Lane.LOG.value)
    # The hash lives and dies with these frames; it is not stable between versions of polars.
    lines = lines.with_columns(group=pl.col("key").hash() ^ speaker)
    limit = max(TOO_BROAD_MINIMUM, int(lines.height * TOO_BROAD_SHARE))
    spans = (
        lines.with_row_index("line")
        .group_by("group")
        .agg(
            pl.col("line").min(),
            pl.col("timestamp").min().alias("start"),
            pl.col("timestamp").max().alias("end"),
            pl.len().alias("lines"),
        )
        .filter(pl.col("lines") <= limit)
        .sort("start", "line")
    )
    first = lines.select("key", "actor", "clock", "source")[spans.get_column("line")]
    clock = pl.col("clock").cast(pl.String).fill_null("")
    told = spans.hstack(first).select(
        pl.col("key").alias("id"),
        pl.when(pl.col("key").str.starts_with(JOB_KEY))
        .then(pl.lit("job"))
        .otherwise(pl.lit("request"))
        .alias("kind"),
        pl.col("actor").cast(pl.String).fill_null(""),
        pl.when(clock == "").then(pl.col("source").cast(pl.String)).otherwise(clock).alias("clock"),
        "start",
        "end",
        pl.lit("logged").alias("outcome"),
        "group",
    )
    return told, lines.select("row", "group")


def _named_rows(keys: pl.DataFrame) -> pl.DataFrame:
    """The one key per row that names its execution: request before trace before job."""
    named = pairs_of_type(keys, "request")
    for name in ("trace", "job"):
        more = pairs_of_type(keys, name)
        if more.height:
            named = pl.concat([named, more.join(named.select("row"), on="row", how="anti")])
    if named.get_column("row").n_unique() == named.height:
        return named
    return named.unique("row", keep="first", maintain_order=True)
