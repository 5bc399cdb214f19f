"""Calls that the one who was called refused, made by jobs that ended well all the same.

Whoever refuses writes it under the id of the call and knows neither job nor record. The caller
wrote that id once, beside its job or its record, as it sent the call: so the refusal is led over
the caller's line to the run in which it was sent. How the refusal was answered is not asked: a
caller that does not look cannot see it. Somebody who did look says a word of trouble, fails the
attempt or tries again, and none of these are told.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

import polars as pl

from timeline.event import SEVERITY_ERROR, SEVERITY_WARN, Lane
from timeline.facts.entities import entity_pairs, pairs_of_type
from timeline.facts.failed_calls import RUN_SCHEMA, SLACK_NS, FailedCall, finished_runs
from timeline.facts.lines import lines_where
from timeline.facts.outcomes import ID_TYPES, under_one_name, work_ids
from timeline.facts.polite_errors import LEAST, LEAST_OTHERS, Contrast, usual_row

if TYPE_CHECKING:
    from timeline.incident import Incident

BY_CALL = "call"
"""How the failure belongs to the job, beside the ways of `timeline.facts.failed_calls`."""
MOST_CALLS = 2_000
"""Ids with a refusal that are looked at, the earliest: more of them are one story."""
FEW_ACTORS = 3
"""Services under the id of one call; more are a session, or a trace of everything."""


def refused_calls(incident: Incident, known: Iterable[int]) -> list[FailedCall]:
    """Every such run, by time, without the refusals in the event rows `known`."""
    loud = _loud(incident, known)
    if loud.is_empty():
        return []
    keys = incident.snapshot.keys_of(loud.get_column("row"))
    ids = work_ids(keys).sort("row").get_column("key").unique(maintain_order=True)
    ids = ids.filter(~ids.is_in(list(incident.snapshot.broad_keys))).head(MOST_CALLS)
    if ids.is_empty():
        return []
    lines = under_one_name(incident, ids).filter(pl.col("lane") == Lane.LOG.value)
    sent = _sent(lines)
    if sent.is_empty():
        return []
    runs = _runs_of(incident, sent)
    return _quiet(incident, runs, loud) if runs.height else []


def _loud(incident: Incident, known: Iterable[int]) -> pl.DataFrame:
    window = incident.window
    return lines_where(
        incident,
        (pl.col("lane") == Lane.LOG.value)
        & (pl.col("severity_number") >= SEVERITY_WARN)
        & pl.col("timestamp").is_between(window.start, window.end, "left")
        & ~pl.col("row").is_in(list(known)),
    )


def _sent(lines: pl.DataFrame) -> pl.DataFrame:
    """The mild lines of others under ids of which one service alone has trouble (`callee`, the row
    `error_row` at `failed`)."""
    severe = pl.col("severity_number") >= SEVERITY_WARN
    per = (
        lines.sort("timestamp", "row")
        .group_by("key", maintain_order=True)
        .agg(
            troubled=pl.col("actor").filter(severe).n_unique(),
            actors=pl.col("actor").n_unique(),
            callee=pl.col("actor").filter(severe).first(),
            error_row=pl.col("row").filter(severe).last(),
            failed=pl.col("timestamp").filter(severe).last(),
            worst=pl.col("severity_number").max(),
        )
    )
    per = per.filter((pl.col("troubled") == 1) & pl.col("actors").is_between(2, FEW_ACTORS))
    named = lines.select("row", "key", "timestamp", "actor", "source").join(per, on="key")
    return named.filter(pl.col("actor") != pl.col("callee"))


def _runs_of(incident: Incident, sent: pl.DataFrame) -> pl.DataFrame:
    """`sent` with the runs that ended well in which each line was written and the call refused."""
    keys = incident.snapshot.keys_of(sent.get_column("row").unique())
    by_job = pairs_of_type(keys, "job").rename({"key": "job"})
    broad = incident.snapshot.broad_keys
    things = entity_pairs(keys).filter(
        ~pl.col("key").is_in(list(broad))
        & ~pl.col("key").str.contains(rf"^(?:{'|'.join(ID_TYPES)}):")
    )
    by_thing = things.join(by_job, on="row", how="anti").join(incident.jobs.entities, on="key")
    jobs = pl.concat([by_job.select("row", "job"), by_thing.select("row", "job")]).unique()
    failed = incident.jobs.runs.filter(~pl.col("outcome").is_in(["finished", "open"]))
    runs = incident.shared(finished_runs).filter(
        pl.col("job").is_in(jobs.get_column("job").implode())
        & ~pl.col("job").is_in(failed.get_column("job").implode())
    )
    runs = runs.filter(pl.len().over("job") == 1)
    told = sent.join(jobs, on="row").join(runs.select(list(RUN_SCHEMA)), on="job")
    first, last = pl.col("start") - SLACK_NS, pl.col("end") + SLACK_NS
    told = told.filter(
        pl.col("timestamp").is_between(first, last) & pl.col("failed").is_between(first, last)
    )
    told = told.sort("failed", "error_row", "timestamp", "row")
    return told.unique("job", keep="first", maintain_order=True)


def _quiet(incident: Incident, runs: pl.DataFrame, loud: pl.DataFrame) -> list[FailedCall]:
    """Those of `runs` of whose job and things nobody but the callee said a word of trouble."""
    held = incident.jobs.entities.join(runs.select("job"), on="job", how="semi")
    about = pl.concat([held.select("job", "key"), runs.select("job", key="job")]).unique()
    keys = incident.snapshot.keys_of(loud.get_column("row")).join(about, on="key")
    spoken = keys.join(loud.select("row", "timestamp", "actor"), on="row").join(
        runs.select("job", "callee", "start", said="timestamp"), on="job"
    )
    noticed = spoken.filter(
        (pl.col("actor") != pl.col("callee")) & (pl.col("timestamp") >= pl.col("start") - SLACK_NS)
    ).get_column("job")
    things: dict[str, list[str]] = {}
    for job, key in held.sort("key").select("job", "key").iter_rows():
        things.setdefault(job, []).append(key)
    silent = runs.filter(~pl.col("job").is_in(noticed.implode()))
    return [
        FailedCall(
            one["job"],
            one["caller"],
            one["callee"],
            tuple(things.get(one["job"], ())),
            BY_CALL,
            one["worst"] >= SEVERITY_ERROR,
            one["failed"],
            one["end"],
            one["start_row"],
            one["error_row"],
            one["end_row"],
            (one["source"],),
        )
        for one in silent.iter_rows(named=True)
    ]


def left_by_others(incident: Incident, calls: Iterable[FailedCall]) -> Contrast | None:
    """What the things of other runs of the same callers that ended well have, and whether those of
    `calls` have it; None where too few are known, or nothing is had by nearly all of the others.

    Runs that only the worker's lines tell of count like those of a queue: a broker forgets them.
    """
    mine = list(calls)
    failed = {key for call in mine for key in call.things}
    if len(failed) < LEAST:
        return None
    runs = incident.shared(finished_runs).filter(
        pl.col("caller").is_in(sorted({call.caller for call in mine}))
        & ~pl.col("job").is_in(sorted({call.job for call in mine}))
    )
    held = incident.jobs.entities.join(runs.select("job").unique(), on="job", how="semi")
    kinds = {key.partition(":")[0] for key in failed}
    broad = incident.snapshot.broad_keys
    named = held.get_column("key").unique().to_list()
    others = {key for key in named if key.partition(":")[0] in kinds and key not in broad} - failed
    return usual_row(incident, failed, others) if len(others) >= LEAST_OTHERS else None
