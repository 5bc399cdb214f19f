"""Chains of jobs: each hop a job that pushes the next one of its kind while it runs."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise
from statistics import median
from typing import TYPE_CHECKING

import polars as pl

from timeline.event import Kind
from timeline.facts.chains import MAX_HOPS, MIN_LINKS, Chain, Fork, Hop, last_of, patience_of
from timeline.facts.work import jobs_of, lineage, run_keys

if TYPE_CHECKING:
    from timeline.incident import Incident

BRIEF_SHARE = 0.5
"""A hop runs for less than this share of the time between two hops: it looks, and puts itself back.
A push inside a longer run is more likely a schedule that overtakes its own work."""
PUSH_SLACK_NS = 5_000_000_000
"""How long after a run its push may be stamped: the end is reported first, and clocks differ."""
SLACK_SHARE = 0.25
"""Hops that follow each other so fast that the slack is more of it than this are no chain by time
alone: anything that runs every few seconds would be one."""
FAN_OUT_SHARE = 0.3
"""When more hops than this have several successors, that is how the work is meant,"""
SINGLE_BEFORE = 8
"""unless so many hops in a row had one successor before the first that had several: work that is
meant to fan out does so from its beginning. Once two branches run side by side, time alone gives
both of their pushes to the later one."""
WAITING = (
    "queued",
    "scheduled",
    "deferred",
    "waiting",
    "available",
    "ready",
    "enqueued",
    "delayed",
)
"""What queues call a job that is still there to be taken."""


def job_chains(incident: Incident) -> Iterator[Chain]:
    """Batons among the jobs of the queue, without the work of configured schedules."""
    jobs = incident.jobs
    scheduled = [
        job
        for schedule in incident.knowledge.schedules
        if schedule.work.job_class or schedule.work.queue
        for job in jobs_of(incident, schedule.work).get_column("job").to_list()
    ]
    known = jobs.summary.filter(~pl.col("job").is_in(scheduled))
    if known.is_empty():
        return
    known = known.with_columns(pl.col("job_class").fill_null(""), lineage=lineage())
    known = known.filter(pl.len().over("job_class", "lineage") > MIN_LINKS)
    if known.is_empty():
        return
    links = _links(incident, known)
    by = ["job_class", "lineage"]
    counted = (
        links.group_by(by, maintain_order=True)
        .agg(links=pl.len())
        .join(known.group_by(by).agg(jobs=pl.len()), on=by, maintain_order="left")
    )
    batons = counted.filter((pl.col("links") >= MIN_LINKS) & (pl.col("links") * 2 > pl.col("jobs")))
    for job_class, _, _, part in _parts(batons, known, by):
        own = links.join(part.select("job"), on="job", how="semi")
        chain = _job_chain(incident, job_class, part, own, siblings=_siblings(batons, job_class))
        if chain is not None:
            yield chain


def _parts(
    batons: pl.DataFrame, known: pl.DataFrame, by: Sequence[str]
) -> Iterator[tuple[str, str, int, pl.DataFrame]]:
    for job_class, args, number in batons.select(*by, "links").iter_rows():
        same = (pl.col("job_class") == job_class) & (pl.col("lineage") == args)
        yield job_class, args, number, known.filter(same).sort("first_seen", "job")


def _siblings(batons: pl.DataFrame, job_class: str) -> int:
    """Further chains of the same class with other arguments: one for each thing it waits for."""
    return batons.filter(pl.col("job_class") == job_class).height - 1


def _links(incident: Incident, known: pl.DataFrame) -> pl.DataFrame:
    """(job, before, row, exact): each job with the job of its kind during whose run it was pushed.

    A parent id that names such a job is exact.
    """
    by = ["job_class", "lineage"]
    runs = incident.jobs.runs.drop("job_class").join(
        known.select("job", *by), on="job", maintain_order="left"
    )
    ends = pl.col("end").fill_null(pl.col("start"))
    runs = runs.select(*by, "start", before="job", until=ends + PUSH_SLACK_NS)
    pushed = known.drop_nulls("enqueued").select("job", *by, "enqueued")
    near = (
        pushed.with_columns(at=pl.col("enqueued") + 1)
        .sort("at")
        .join_asof(
            runs.sort("start"),
            left_on="at",
            right_on="start",
            by=by,
            strategy="backward",
            check_sortedness=False,
        )
    )
    inferred = near.filter(
        (pl.col("enqueued") <= pl.col("until")) & (pl.col("job") != pl.col("before"))
    ).select("job", "before", *by, exact=pl.lit(False))
    told = _parents(incident, known).join(
        known.select(pl.col("job").alias("before"), *by), on=["before", *by], how="semi"
    )
    rest = inferred.join(told, on="job", how="anti")
    return pl.concat([told.select(rest.columns), rest]).sort("job")


def _parents(incident: Incident, known: pl.DataFrame) -> pl.DataFrame:
    """(job, before, job_class, lineage, exact) from `parent_id`, as Celery's messages carry it."""
    first = incident.jobs.transitions.unique("job", keep="first", maintain_order=True)
    first = first.join(known.select("job"), on="job", how="semi")
    told = incident.snapshot.events.get_column("attributes").gather(first.get_column("row"))
    parent = told.str.json_path_match("$.parent_id").alias("parent")
    named = first.select("job").with_columns(parent).drop_nulls()
    before = named.select("job", before=pl.concat_str(pl.lit("job:"), "parent"))
    joined = before.join(known.select("job", "job_class", "lineage"), on="job")
    return joined.with_columns(exact=pl.lit(True))


def _job_chain(
    incident: Incident, job_class: str, part: pl.DataFrame, links: pl.DataFrame, siblings: int
) -> Chain | None:
    moves = incident.jobs.transitions.join(part.select("job"), on="job", how="semi")
    first = moves.unique("job", keep="first", maintain_order=True).select("job", "row", "source")
    told = part.tail(MAX_HOPS).join(first, on="job", maintain_order="left")
    hops = [_job_hop(one) for one in told.iter_rows(named=True)]
    exact = bool(links.get_column("exact").all())
    taken = sorted(hop.taken for hop in hops if hop.taken is not None)
    gaps = [two - one for one, two in pairwise(taken)]
    period = int(median(gaps)) if gaps else 0
    lengths = [hop.ended - hop.taken for hop in hops if hop.ended and hop.taken]
    if not period or (not exact and lengths and median(lengths) > BRIEF_SHARE * period):
        return None
    if not exact and period * SLACK_SHARE < PUSH_SLACK_NS:
        return None
    after: dict[str, list[str]] = {}
    for job, before in links.select("job", "before").iter_rows():
        after.setdefault(before, []).append(job)
    by_id = {hop.id: hop for hop in hops}
    starts = moves.filter(pl.col("kind") == Kind.JOB_STARTED.value).group_by("job").len()
    deliveries = dict(starts.iter_rows())
    forked = [job for job, following in after.items() if len(following) > 1 and job in by_id]
    forks = tuple(
        Fork(
            by_id[job],
            tuple(by_id[name] for name in after[job] if name in by_id),
            deliveries.get(job, 1),
        )
        for job in sorted(forked, key=lambda name: by_id[name].at)
    )
    single = (
        sum(1 for job in after if job in by_id and by_id[job].at < forks[0].hop.at) if forks else 0
    )
    if len(forks) > FAN_OUT_SHARE * len(after) and single < SINGLE_BEFORE:
        forks = ()
    is_poll = siblings > 0 or _waits_for_something(hops, incident.jobs.entities, part)
    last = None if is_poll else last_of(incident, hops, patience_of(period, exact=exact))
    if last is not None and last.id in after:
        last = None
    return Chain(
        job_class.rpartition(".")[2] or "a job", "jobs", tuple(hops), period, exact, forks, last
    )


def _waits_for_something(hops: Sequence[Hop], entities: pl.DataFrame, part: pl.DataFrame) -> bool:
    """Whether the hops are about an order or a user and no date: such a chain is meant to end."""
    if any(hop.run for hop in hops):
        return False
    return not entities.join(part.select("job"), on="job", how="semi").is_empty()


def _job_hop(told: dict[str, object]) -> Hop:
    def at(name: str) -> int | None:
        value = told[name]
        return value if isinstance(value, int) else None

    status, ended = str(told["status"] or ""), at("ended")
    outcome = "waiting" if at("started") is None and ended is None else "open"
    if ended is not None:
        outcome = status or "ended"
    elif outcome == "waiting" and status.lower() in WAITING:
        outcome = "still queued"
    keys = run_keys(str(told["args"] or ""))
    return Hop(
        id=str(told["job"]),
        sent=at("enqueued") or (None if at("started") else at("first_seen")),
        taken=at("started"),
        ended=ended,
        outcome=outcome,
        row=at("row") or 0,
        run=keys[0] if keys else "",
        source=str(told["source"]),
        actor=str(told["worker"] or ""),
    )
