"""Every sign of a piece of work that a team named: its jobs, its log lines, its rows, as runs.

A run is one job, or one line and the lines that share its key, or one row. Owns how work is
recognised; whether a run was due, late or one too many is for others to say.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import polars as pl

from timeline.event import Kind, Lane
from timeline.facts.run_signs import BEGIN_WORDS, END_WORDS, last_signs, worker_signs
from timeline.facts.sight import heard
from timeline.facts.spoken import form, lines_with
from timeline.plain_texts import plain_form

if TYPE_CHECKING:
    from timeline.incident import Incident
    from timeline.knowledge import Work

MAX_RUNS = 1_000
"""Runs of one piece of work that are looked at one by one, latest first; a schedule that fires more
often within a window is a poll."""
BEGIN_LINE = (
    r"(?i)\b(?:start(?:ed|ing|s)?|begin(?:s|ning)?|began|launch(?:ed|ing)?|trigger(?:ed)?)\b"
)
END_LINE = r"(?i)\b(?:finish(?:ed)?|done|complete[ds]?|succeeded|ended|success)\b"
FAIL_LINE = r"(?i)\b(?:fail(?:s|ed|ure)?|abort(?:ed)?|error|gave up|crashed|rejected|raised)\b"
"""How services say that a run began, ended well or ended badly."""

RUN_SCHEMA: dict[str, pl.DataType | type[pl.DataType]] = {
    "name": pl.String,  # `job:8f2c`, the key its lines share, or empty
    "sent": pl.Int64,  # when it was put on a queue; null where nobody says
    "start": pl.Int64,  # when it began; null for a job that was never started
    "end": pl.Int64,  # null while it runs, or when nobody says
    "outcome": pl.String,  # finished, failed, dead, open, waiting, logged
    "source": pl.String,
    "clock": pl.String,
    "actor": pl.String,
    "row": pl.UInt32,  # the event that shows it first
    "start_row": pl.UInt32,
    "end_row": pl.UInt32,
    "last": pl.Int64,  # when a run without an end was last heard of; null where it was not
    "last_row": pl.UInt32,
}


@dataclass(frozen=True, slots=True)
class Run:
    """One run of a piece of work; see RUN_SCHEMA. Instants in ns UTC."""

    name: str
    sent: int | None
    start: int | None
    end: int | None
    outcome: str
    source: str
    clock: str
    actor: str
    row: int
    start_row: int | None
    end_row: int | None
    last: int | None = None
    last_row: int | None = None

    @property
    def at(self) -> int:
        """When something set it off: its push, else its start, else its end."""
        for at in (self.sent, self.start, self.end):
            if at is not None:
                return at
        raise ValueError(f"a run of {self.name!r} without any instant")


def runs_from(frame: pl.DataFrame) -> tuple[Run, ...]:
    """RUN_SCHEMA as objects, by the instant that set them off; at most `MAX_RUNS`, the latest."""
    told = [Run(**told) for told in frame.tail(MAX_RUNS).iter_rows(named=True)]
    return tuple(sorted(told, key=lambda run: (run.at, run.name, run.row)))


def runs_of(incident: Incident, work: Work) -> tuple[Run, ...]:
    """All runs of `work` that any source shows, in time order."""
    if work.job_class or work.queue:
        return runs_from(job_runs(incident, jobs_of(incident, work)))
    if work.table:
        return runs_from(_row_runs(incident, work))
    return runs_from(_line_runs(incident, work)) if work.log else ()


def sources_of(incident: Incident, work: Work, runs: Sequence[Run]) -> tuple[str, ...]:
    """The sources that would show a run of `work`: those that did, else all of its lane."""
    seen = tuple(sorted({run.source for run in runs}))
    if seen:
        return seen
    if work.job_class or work.queue:
        return heard(incident, Lane.QUEUE)
    return heard(incident, Lane.DATABASE if work.table else Lane.LOG)


def is_class(column: str, name: str) -> pl.Expr:
    """Whether a job class is `name`, in full or but for its module or namespace."""
    last = pl.col(column).str.extract(r"([^.:]+)$", 1)
    return (pl.col(column) == name) | (last == name)


def jobs_of(incident: Incident, work: Work) -> pl.DataFrame:
    """One line per job of `work`, as `Jobs.summary` has it."""
    jobs = incident.jobs.summary
    if work.job_class:
        jobs = jobs.filter(is_class("job_class", work.job_class))
    if work.queue:
        jobs = jobs.filter(pl.col("queue") == work.queue)
    return jobs


def job_runs(incident: Incident, jobs: pl.DataFrame) -> pl.DataFrame:
    """RUN_SCHEMA of the jobs in `jobs` (lines of `Jobs.summary`): a retried job is one run."""
    moves = incident.jobs.transitions.join(jobs.select("job"), on="job", how="semi")
    kind = pl.col("kind")
    begun = kind == Kind.JOB_STARTED.value
    over = kind.is_in([Kind.JOB_FINISHED.value, Kind.JOB_FAILED.value, Kind.JOB_DEAD.value])

    def last(name: str) -> pl.Expr:
        return pl.col(name).filter(over).last()

    ended = over.any() & (last("timestamp") >= pl.col("timestamp").filter(begun).max().fill_null(0))
    told = moves.group_by("job", maintain_order=True).agg(
        sent=pl.col("timestamp").filter(kind == Kind.JOB_ENQUEUED.value).min(),
        start=pl.col("timestamp").filter(begun).min(),
        end=pl.when(ended).then(last("timestamp")),
        outcome=pl.when(ended)
        .then(last("kind").str.strip_prefix("job."))
        .when(begun.any())
        .then(pl.lit("open"))
        .otherwise(pl.lit("waiting")),
        source=pl.col("source").first(),
        clock=pl.col("clock").filter(begun).first(),
        actor=pl.col("worker").drop_nulls().last().fill_null(""),
        row=pl.col("row").first(),
        start_row=pl.col("row").filter(begun).first(),
        end_row=pl.when(ended).then(last("row")),
        first=pl.col("timestamp").min(),
    )
    named = told.rename({"job": "name"}).with_columns(
        pl.col("clock").fill_null(pl.col("source")),
        sent=pl.when(pl.coalesce("sent", "start", "end").is_null()).then("first").otherwise("sent"),
    )
    signs = worker_signs(incident, named).select("row", "last", "last_row")
    heard_of = named.join(signs, on="row", how="left", maintain_order="left")
    return _as_runs(heard_of.sort(pl.coalesce("sent", "start", "end"), "name"))


def _row_runs(incident: Incident, work: Work) -> pl.DataFrame:
    """A row that the work leaves is its end; nothing is known of its beginning."""
    written = incident.records.versions.filter(
        (pl.col("table").str.replace(r"^.*\.", "") == work.table.rpartition(".")[2])
        & (pl.col("kind") == Kind.ROW_INSERTED.value)
    )
    if work.log:
        body = incident.snapshot.events.get_column("body").gather(written.get_column("row"))
        written = written.filter(body.str.contains(work.log, literal=True))
    once = written.unique("record", keep="first", maintain_order=True)
    told = once.select(
        "source",
        "row",
        name="record",
        sent=pl.lit(None),
        start=pl.lit(None),
        end="timestamp",
        outcome=pl.lit("finished"),
        clock="source",
        actor="table",
        start_row=pl.lit(None),
        end_row="row",
    )
    return _as_runs(told.sort("end", "row"))


def _line_runs(incident: Incident, work: Work) -> pl.DataFrame:
    """Lines with the text of `work`: those that say that it begins, each with its end."""
    lines = lines_with(incident, pl.col("body").str.contains(work.log, literal=True))
    return with_signs(incident, line_runs(incident, lines))


def with_signs(incident: Incident, runs: pl.DataFrame) -> pl.DataFrame:
    """`runs` (RUN_SCHEMA) with the end that a run's own ids lead to, where its lines named none,
    and else with the last that was heard of it."""
    signs = last_signs(incident, runs.filter(pl.col("end").is_null()), runs)
    if signs.is_empty():
        return runs
    text = pl.col("body")
    failed = text.str.contains(FAIL_LINE) | (pl.col("severity_number") >= 17)
    ended = text.str.contains(END_LINE) | text.str.contains(END_WORDS) | failed
    told = signs.select("row", ended=ended, failed=failed, at="last", at_row="last_row")
    runs = runs.join(told, on="row", how="left", maintain_order="left")
    over = pl.col("end").is_null() & pl.col("ended").fill_null(value=False)
    outcome = pl.when("failed").then(pl.lit("failed")).otherwise(pl.lit("finished"))
    found = runs.with_columns(
        end=pl.when(over).then("at").otherwise("end"),
        end_row=pl.when(over).then("at_row").otherwise("end_row"),
        outcome=pl.when(over).then(outcome).otherwise("outcome"),
        last=pl.when(pl.col("end").is_null() & ~over).then("at"),
        last_row=pl.when(pl.col("end").is_null() & ~over).then("at_row"),
    )
    return _as_runs(found)


def line_runs(incident: Incident, lines: pl.DataFrame) -> pl.DataFrame:
    """RUN_SCHEMA of `lines` (SPOKEN_COLUMNS) that tell of one piece of work.

    One line shipped twice counts once. Where some lines say that it begins, those are the runs;
    otherwise the lines of the first one's form are, so that later steps are no runs of their own.
    """
    once = lines.unique(["timestamp", "actor", "body"], keep="first", maintain_order=True)
    keys = incident.snapshot.keys_of(once.get_column("row"))
    machine = keys.filter(pl.col("key").str.contains(r"^(?:job|request|trace|message):"))
    named = machine.unique("row", keep="first", maintain_order=True)
    texts = once.get_column("body")

    def says(wording: str) -> pl.Expr:
        return pl.col("body").str.contains(plain_form(texts, wording))

    told = once.join(named, on="row", how="left", maintain_order="left").with_columns(
        pl.col("key").fill_null("").alias("name"),
        begins=says(BEGIN_LINE) | says(BEGIN_WORDS),
        ends=says(END_LINE) | says(END_WORDS),
        fails=says(FAIL_LINE) | (pl.col("severity_number") >= 17),
        form=form("body", texts),
    )
    begun = told.filter(pl.col("begins") & ~pl.col("ends"))
    if begun.is_empty() and told.height:
        begun = told.filter(pl.col("form") == told["form"][0])
    begun = begun.filter((pl.col("name") == "") | pl.struct("name", "actor").is_first_distinct())
    over = told.filter(pl.col("ends") | pl.col("fails")).filter(
        ~pl.col("row").is_in(begun.get_column("row").implode())
    )
    return _as_runs(_with_ends(begun.tail(MAX_RUNS), over))


def _with_ends(begun: pl.DataFrame, over: pl.DataFrame) -> pl.DataFrame:
    """Each beginning with the first end after it that the same actor wrote about the same key.

    An end closes only the last beginning before it: of two, the first was left open.
    """
    by = ["name", "actor"]
    ends = over.select(
        *by,
        "timestamp",
        end="timestamp",
        end_row="row",
        outcome=pl.when("fails").then(pl.lit("failed")).otherwise(pl.lit("finished")),
    )
    told = begun.sort("timestamp").join_asof(
        ends.sort("timestamp"), on="timestamp", by=by, strategy="forward", check_sortedness=False
    )
    again = pl.col("end_row").is_not_null() & (
        pl.col("end_row") == pl.col("end_row").shift(-1).over(by)
    )
    return told.select(
        "name",
        "source",
        "clock",
        "actor",
        "row",
        start="timestamp",
        start_row="row",
        sent=pl.lit(None),
        end=pl.when(~again.fill_null(value=False)).then("end"),
        end_row=pl.when(~again.fill_null(value=False)).then("end_row"),
        outcome=pl.when(again.fill_null(value=False))
        .then(pl.lit("logged"))
        .otherwise(pl.col("outcome").fill_null("logged")),
    )


def _as_runs(told: pl.DataFrame) -> pl.DataFrame:
    """RUN_SCHEMA of `told`; nothing more was heard of runs that name no last sign."""
    missing = [pl.lit(None).alias(name) for name in RUN_SCHEMA if name not in told.columns]
    return told.with_columns(missing).select(
        pl.col(name).cast(dtype) for name, dtype in RUN_SCHEMA.items()
    )


RUN_KEY = r"\d{4}-\d{2}-\d{2}(?:[T ]\d{2}:\d{2}(?::\d{2})?(?:\.\d+)?(?:Z|[+-]\d{2}:?\d{2})?)?"
"""A date or an instant in ISO 8601: what names one run of something that is repeated."""
HOP_COUNTER = r"\b(?:hop|hops|try|tries|attempt|attempts|receive_count|round)[\"']?[=:]\s*\d+"
_DATED = re.compile(RUN_KEY)


def run_keys(text: str) -> tuple[str, ...]:
    """The dates and instants in one text."""
    return tuple(_DATED.findall(text))


def lineage(args: str = "args") -> pl.Expr:
    """A call's arguments without dates and hop counters: equal for all runs of repeated work."""
    plain = pl.col(args).fill_null("")
    return plain.str.replace_all(RUN_KEY, "<date>").str.replace_all(HOP_COUNTER, "<hop>")
