"""Every job anybody mentioned: its transitions, its runs, and the entities in its arguments.

Built from queue events, and from log lines that carry a `job:` key when the queue itself has
forgotten. It never guesses an entity from a bare number.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import polars as pl

from timeline.event import Kind, Lane
from timeline.facts.entities import entity_pairs
from timeline.facts.fields import field_texts
from timeline.facts.job_names import job_names
from timeline.once import once

if TYPE_CHECKING:
    from timeline.incident import Incident

ENDS = (
    Kind.JOB_FINISHED.value,
    Kind.JOB_FAILED.value,
    Kind.JOB_RETRIED.value,
    Kind.JOB_DEAD.value,
)

FIELDS = ("job_class", "queue", "args", "status", "worker", "error")
"""What connectors say of a job beside each transition."""
TRANSITION_SCHEMA: dict[str, pl.DataType | type[pl.DataType]] = {
    "row": pl.UInt32,
    "timestamp": pl.Int64,
    "seq": pl.UInt64,
    "source": pl.String,
    "clock": pl.String,
    "kind": pl.String,
    "job": pl.String,  # the key, `job:8f2c`
    "job_class": pl.String,
    "queue": pl.String,
    "args": pl.String,
    "status": pl.String,
    "worker": pl.String,
    "error": pl.String,
}

RUN_SCHEMA: dict[str, pl.DataType | type[pl.DataType]] = {
    "job": pl.String,
    "job_class": pl.String,
    "worker": pl.String,
    "clock": pl.String,
    "start": pl.Int64,
    "end": pl.Int64,  # null while running, or when the end was forgotten
    "outcome": pl.String,  # finished, failed, retried, dead; open without an end
    "start_row": pl.UInt32,
    "end_row": pl.UInt32,
}


@dataclass(frozen=True)
class Jobs:
    """Jobs of an incident.

    `transitions` has one line per queue event (TRANSITION_SCHEMA, time order), `entities` one per
    (job, key) with the entity keys that stand in a job's arguments or in lines about it, `named`
    one per (row, job): every event that names the job.
    """

    transitions: pl.DataFrame
    entities: pl.DataFrame
    named: pl.DataFrame

    @once
    def summary(self) -> pl.DataFrame:
        """One line per job of the queue: class, queue, args, status, worker, first stamps (ns)."""

        def first(kind: Kind) -> pl.Expr:
            return pl.col("timestamp").filter(pl.col("kind") == kind.value).min()

        latest = [
            pl.col(name).drop_nulls().last()
            for name in ("job_class", "queue", "args", "status", "worker", "error")
        ]
        return self.transitions.group_by("job", maintain_order=True).agg(
            *latest,
            enqueued=first(Kind.JOB_ENQUEUED),
            started=first(Kind.JOB_STARTED),
            ended=pl.col("timestamp").filter(pl.col("kind").is_in(ENDS)).max(),
            finished=first(Kind.JOB_FINISHED),
            first_seen=pl.col("timestamp").min(),
        )

    @once
    def runs(self) -> pl.DataFrame:
        """Attempts of jobs: a start and the next end of the same job (RUN_SCHEMA)."""
        moves = self.transitions.filter(pl.col("kind") != Kind.JOB_ENQUEUED.value).sort(
            ["job", "timestamp", "seq"], maintain_order=True
        )
        same = pl.col("job").shift(-1) == pl.col("job")  # one job's moves stand together
        following = [
            pl.when(same).then(pl.col(name).shift(-1)).alias(f"next_{name}")
            for name in ("kind", "timestamp", "row")
        ]
        starts = moves.with_columns(following).filter(pl.col("kind") == Kind.JOB_STARTED.value)
        ended = pl.col("next_kind").is_in(ENDS)
        runs = starts.select(
            "job",
            "job_class",
            "worker",
            "clock",
            pl.col("timestamp").alias("start"),
            pl.when(ended).then("next_timestamp").alias("end"),
            pl.when(ended)
            .then(pl.col("next_kind").str.strip_prefix("job."))
            .otherwise(pl.lit("open"))
            .alias("outcome"),
            pl.col("row").alias("start_row"),
            pl.when(ended).then("next_row").alias("end_row"),
        )
        return runs.select(pl.col(name).cast(dtype) for name, dtype in RUN_SCHEMA.items())

    def also_named(self, jobs: Iterable[str]) -> Mapping[str, tuple[str, ...]]:
        """The further `job:` keys of those of a queue's `jobs` that have any: Solid Queue numbers a
        row and carries Active Job's id beside it, which is what the logs write."""
        wanted = sorted(set(jobs))
        if not wanted:
            return {}
        own = self.transitions.select("row", "job").filter(pl.col("job").is_in(wanted))
        both = own.join(self.named.rename({"job": "other"}), on="row")
        both = both.filter(pl.col("other") != pl.col("job"))
        if both.is_empty():
            return {}
        told = both.group_by("job").agg(pl.col("other").unique().sort())
        return {job: tuple(others) for job, others in told.iter_rows()}

    def all_names(self, jobs: set[str]) -> tuple[str, ...]:
        """`jobs` and their further keys, sorted."""
        return tuple(sorted(jobs.union(*self.also_named(jobs).values())))

    def with_entity(self, key: str) -> list[str]:
        """Keys of the jobs that concern the entity `key`, sorted."""
        held = self.entities.filter(pl.col("key") == key).get_column("job")
        return sorted(held.unique().to_list())

    def entities_of(self, job: str) -> list[str]:
        """Entity keys in the arguments of the job with key `job`, sorted."""
        held = self.entities.filter(pl.col("job") == job).get_column("key")
        return sorted(held.unique().to_list())

    def rows_of(self, job: str, *kinds: Kind) -> list[int]:
        """Event rows of the job's transitions of any of `kinds` (all when none), time order."""
        held = self.transitions.filter(pl.col("job") == job)
        if kinds:
            held = held.filter(pl.col("kind").is_in([kind.value for kind in kinds]))
        return held.get_column("row").to_list()


def jobs_in(incident: Incident) -> Jobs:
    """All jobs of the incident; empty frames when nobody mentions one."""
    snapshot = incident.snapshot
    named = job_names(snapshot)
    beside = snapshot.keys_of(named.get_column("row"))
    return Jobs(_transitions(snapshot.events, named), _entities(beside, named), named)


def _transitions(events: pl.DataFrame, named: pl.DataFrame) -> pl.DataFrame:
    rows = events.select(
        (pl.col("lane") == Lane.QUEUE.value).arg_true().cast(pl.UInt32)
    ).to_series()
    queue = events[rows].with_columns(row=rows)
    queue = queue.filter(pl.col("kind").cast(pl.String).str.starts_with("job."))
    if queue.is_empty():
        return pl.DataFrame(schema=TRANSITION_SCHEMA)
    source, clock = (pl.col(name).cast(pl.String).fill_null("") for name in ("source", "clock"))
    told = queue.select(
        "row",
        "timestamp",
        "seq",
        source,
        pl.when(clock == "").then(source).otherwise(clock).alias("clock"),
        pl.col("kind").cast(pl.String),
    ).hstack(field_texts(queue.get_column("attributes"), *FIELDS))
    first = named.unique("row", keep="first", maintain_order=True)
    joined = told.join(first, on="row", how="inner").sort(["timestamp", "source", "seq", "row"])
    return joined.select(pl.col(name).cast(dtype) for name, dtype in TRANSITION_SCHEMA.items())


def _entities(beside: pl.DataFrame, named: pl.DataFrame) -> pl.DataFrame:
    pairs = named.join(entity_pairs(beside), on="row", how="inner").select("job", "key")
    value = pl.col("key").str.replace("^[^:]*:", "")
    own = value == pl.col("job").str.replace("^[^:]*:", "")  # a message is not about itself
    return pairs.unique().filter(~own).sort(["job", "key"])
