"""Runs of jobs that ended well although their last transaction was rolled back.

Told by the worker's own debug lines, which note every transaction and how it ended, or by the
database's. The last such word of a run counts; a savepoint that was left is none. Whether the work
was done in spite of it is asked of the rows, as in `timeline.facts.failed_calls`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from timeline.event import SEVERITY_WARN, Lane
from timeline.facts.entities import pairs_of_type
from timeline.facts.failed_calls import SLACK_NS, FailedCall, contrast_of, finished_runs
from timeline.facts.lines import keyed_lines
from timeline.facts.polite_errors import LEAST, LEAST_OTHERS, Contrast, usual_row
from timeline.facts.spoken import ROLLBACK_MARKS, spoken_with

if TYPE_CHECKING:
    from timeline.incident import Incident

BACK = r"(?i)\broll(?:ed)?[ -]?back\b"
NOT_ALL = r"(?i)rollback to |savepoint|rollback_to|rollback prepared|rollback segment"
"""Only a part of a transaction, or nothing that a run did."""
COMMITTED = r"(?i)\bcommit(?:ted)?\b"
MOST_JOBS = 1_000
"""Jobs with such a line, the earliest."""
MOST_OTHERS = 200
MOSTLY = 0.8
"""Other runs whose lines are looked at, the latest, and the share of them that must commit."""


def rolled_back_runs(incident: Incident) -> list[FailedCall]:
    """By the instant of the rollback; `callee` is who wrote of it."""
    lines = spoken_with(incident, ROLLBACK_MARKS)
    if lines.is_empty():
        return []
    body = pl.col("body")
    lines = lines.filter(body.str.contains(BACK) & ~body.str.contains(NOT_ALL))
    if lines.is_empty():
        return []
    named = pairs_of_type(incident.snapshot.keys_of(lines.get_column("row")), "job")
    spoken = named.get_column("key").unique(maintain_order=True).head(MOST_JOBS)
    held = named.rename({"key": "name"}).join(lines, on="row")
    held = held.join(_known_as(incident, spoken), on="name").join(finished_runs(incident), on="job")
    during = pl.col("timestamp").is_between(pl.col("start") - SLACK_NS, pl.col("end") + SLACK_NS)
    held = held.filter(during).sort("timestamp", "row")
    last = held.unique("name", keep="last", maintain_order=True)
    last = last.unique("job", keep="last", maintain_order=True)
    last = last.filter(~pl.col("name").is_in(_not_the_last(incident, last).implode()))
    things = _things(incident, last.get_column("job"))
    return [
        FailedCall(
            job=one["job"],
            caller=one["caller"],
            callee=one["actor"],
            things=things.get(one["job"], ()),
            joined="job",
            grave=False,
            failed_at=one["timestamp"],
            said_at=one["end"],
            start_row=one["start_row"],
            error_row=one["row"],
            said_row=one["end_row"],
            sources=(one["source"],),
        )
        for one in last.iter_rows(named=True)
    ]


def contrast_with(incident: Incident, calls: list[FailedCall]) -> Contrast | None:
    """What the things of other runs have, and whether those of `calls` have it: of the same class
    where the queue tells it, else of the same worker."""
    told = contrast_of(incident, calls)
    failed = {key for call in calls for key in call.things}
    if told is not None or len(failed) < LEAST:
        return told
    kinds = {key.partition(":")[0] for key in failed}
    held = _other_runs(incident, calls).select("job").join(incident.jobs.entities, on="job")
    broad = incident.snapshot.broad_keys
    others = {
        key
        for key in held.get_column("key").unique()
        if key.partition(":")[0] in kinds and key not in broad
    } - failed
    return usual_row(incident, failed, others) if len(others) >= LEAST_OTHERS else None


def others_commit(incident: Incident, calls: list[FailedCall]) -> bool:
    """Whether the lines of nearly all other runs of the same callers tell of a commit."""
    others = _other_runs(incident, calls).get_column("job")
    jobs = others.unique(maintain_order=True).tail(MOST_OTHERS)
    known = incident.jobs.named.filter(pl.col("job").is_in(jobs.implode()))
    both = known.join(incident.jobs.named.rename({"job": "name"}), on="row")
    names = both.select("job", "name").unique()
    lines = keyed_lines(incident, names.get_column("name").to_list())
    said = lines.filter(pl.col("body").str.contains(COMMITTED)).select(name="key")
    ended = names.join(said, on="name", how="semi").get_column("job").n_unique()
    return ended >= LEAST_OTHERS and ended >= MOSTLY * jobs.len()


def _other_runs(incident: Incident, calls: list[FailedCall]) -> pl.DataFrame:
    callers, mine = {call.caller for call in calls}, {call.job for call in calls}
    same = pl.col("caller").is_in(sorted(callers)) & ~pl.col("job").is_in(sorted(mine))
    return finished_runs(incident).filter(same)


def _known_as(incident: Incident, spoken: pl.Series) -> pl.DataFrame:
    """(name, job): each of the names `spoken` with the names under which a queue may know it."""
    named = incident.jobs.named.select("row", "job")
    own = named.filter(pl.col("job").is_in(spoken.implode())).rename({"job": "name"})
    return own.join(named, on="row").select("name", "job").unique().sort("name", "job")


def _not_the_last(incident: Incident, last: pl.DataFrame) -> pl.Series:
    """The names whose run told of a commit afterwards, or of any trouble."""
    lines = keyed_lines(incident, last.get_column("name").to_list())
    lines = lines.filter(pl.col("lane") == Lane.LOG.value).rename({"key": "name"})
    runs = last.select("name", "start", "end", ended="timestamp", rollback="row")
    told = lines.join(runs, on="name").filter(pl.col("row") != pl.col("rollback"))
    stamp = pl.col("timestamp")
    during = stamp.is_between(pl.col("start") - SLACK_NS, pl.col("end") + SLACK_NS)
    went_on = pl.col("body").str.contains(COMMITTED) & (stamp >= pl.col("ended"))
    loud = pl.col("severity_number") >= SEVERITY_WARN
    return told.filter(during & (went_on | loud)).get_column("name").unique()


def _things(incident: Incident, jobs: pl.Series) -> dict[str, tuple[str, ...]]:
    held = incident.jobs.entities.filter(pl.col("job").is_in(jobs.implode())).sort("key")
    found = held.group_by("job").agg("key")
    return {job: tuple(keys) for job, keys in found.iter_rows()}
