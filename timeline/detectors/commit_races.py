"""The cases behind job-before-commit: one job, one entity, and the steps that prove the race.

Three stories are looked for: a lookup before the row was visible, a lookup for a row that was
rolled back, and a job that finished on the old version of a row. Owned by `job_before_commit`.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import polars as pl

from timeline.event import Event, Kind, Lane
from timeline.facts.entities import pairs_of_type
from timeline.facts.lookups import Lookup
from timeline.facts.pushes import WRITE_SLACK_NS
from timeline.facts.sight import absence, read_until
from timeline.facts.still_readers import OLD_SNAPSHOT, still_readers
from timeline.facts.visibility import Visibility, commit_event, seen_later
from timeline.facts.words import length
from timeline.finding import Step
from timeline.order import CausalEdges, Order, Verdict, at_least, before, weakest

if TYPE_CHECKING:
    from timeline.facts.records import Record
    from timeline.incident import Incident

COMMIT_LINE = r"(?i)\bCOMMIT(?:ted)?\b|\b(?:after|on)_commit\b"
ROLLBACK_LINE = r"(?i)\bROLLBACK\b|\brolled back\b|\brolling back\b|\btransaction aborted\b"

MAX_LINES = 200
"""Lines of one request or entity that are read one by one; a story is told in fewer."""


@dataclass(frozen=True, slots=True)
class RacedJob:
    """One job and the entity it raced. Instants in ns UTC; None and "" when not known.

    `looked_up` is when the lookup failed (or the job finished on the old version), `visible` the
    commit time if a server recorded one, `seen` when the row was read afterwards.
    """

    variant: str
    verdict: Verdict
    because: str
    job: str
    job_class: str
    key: str
    record: str
    table: str
    looked_up: int
    created: int | None
    visible: int | None
    seen: int | None
    healed: bool


@dataclass(frozen=True, slots=True)
class JobStory:
    """A case with the steps that prove it and what else would explain it."""

    case: RacedJob
    steps: tuple[Step, ...]
    alternatives: tuple[str, ...]


def raced_jobs(incident: Incident) -> list[JobStory]:
    """Jobs whose lookup failed and whose row became visible afterwards."""
    found, still = [], still_readers(incident, incident.failed_lookups)
    for lookup in incident.failed_lookups:
        record = incident.records.of_entity(lookup.key)
        if record is None:
            continue
        event = incident.snapshot.event(lookup.row)
        visibility = seen_later(incident, event, record, exact=lookup.exact)
        if visibility and lookup.row in still:
            visibility = replace(visibility, verdict=Verdict.POSSIBLE, because=OLD_SNAPSHOT)
        if visibility is not None:
            found.append(_raced(incident, lookup, event, record, visibility))
    return found


def phantom_jobs(incident: Incident) -> list[JobStory]:
    """Jobs whose row never appeared, pushed by a request that ended in a rollback.

    Without a sign of the rollback a deletion explains the same records, and nothing is said.
    """
    databases = incident.sources_in(Lane.DATABASE)
    found = []
    for lookup in incident.failed_lookups:
        if incident.records.of_entity(lookup.key) is not None:
            continue
        rollback = _rollback(incident, lookup)
        if rollback is None:
            continue
        gone = absence(incident, databases, incident.window.start, read_until(incident))
        read = _table_of_type(incident, lookup.key)
        verdict = Verdict.LIKELY if gone.verdict is Verdict.CERTAIN and read else Verdict.POSSIBLE
        because = next(iter(gone.reasons), "") or (
            "the row is in no table that was read" if read else "no table of this type was read"
        )
        found.append(_phantom(incident, lookup, rollback, verdict, because, read))
    return found


def stale_jobs(incident: Incident) -> list[JobStory]:
    """Jobs pushed while an update of their entity was open, and finished before its commit."""
    records, jobs = incident.records, incident.jobs
    updates = records.summary.filter(
        (pl.col("commit") > pl.col("updated")) & (pl.col("updated") != pl.col("created"))
    )
    if updates.is_empty():
        return []
    pairs = (
        updates.join(records.owners, on="record")
        .join(jobs.entities, on="key")
        .join(jobs.runs.filter(pl.col("outcome") == "finished"), on="job")
        .join(jobs.summary.select("job", "enqueued"), on="job")
        .filter(
            (pl.col("enqueued") >= pl.col("updated"))
            & (pl.col("enqueued") < pl.col("commit"))
            & (pl.col("end") < pl.col("commit"))
        )
        .sort("end", "job")
    )
    found = []
    for job, key, row in pairs.select("job", "key", "end_row").iter_rows():
        record = records.of_entity(key)
        story = None if record is None else _stale(incident, job, key, row, record)
        if story is not None:
            found.append(story)
    return found


def _raced(
    incident: Incident, lookup: Lookup, event: Event, record: Record, visibility: Visibility
) -> JobStory:
    push = _around(incident, lookup, Kind.JOB_ENQUEUED)
    start = _around(incident, lookup, Kind.JOB_STARTED)
    healed = _healing(incident, lookup)
    first_commit = _commit_before(incident, lookup, push)
    commit = commit_event(incident, record) if not record.rewritten else None
    case = RacedJob(
        variant="other-transaction" if first_commit is not None else "pre-commit",
        verdict=visibility.verdict,
        because=visibility.because,
        job=lookup.job,
        job_class=_class_of(incident, lookup.job),
        key=lookup.key,
        record=record.record,
        table=record.table,
        looked_up=event.timestamp,
        created=record.created,
        visible=commit.timestamp if commit else None,
        seen=record.seen,
        healed=healed is not None,
    )
    steps = _proof(incident, record, push, start, event, first_commit)
    why = f"{record.table} {record.pk} became visible after the lookup: {visibility.order.because}"
    steps.append(Step("visible", visibility.event, why, visibility.order))
    if healed is not None:
        steps.append(_step(incident, steps, "healing retry", healed, "a later attempt finished"))
    return JobStory(case, tuple(steps), visibility.alternatives)


def _proof(
    incident: Incident,
    record: Record,
    push: Event | None,
    start: Event | None,
    lookup: Event,
    first_commit: Event | None,
) -> list[Step]:
    """Steps from the write to the failed lookup, with the edges that need no clock."""
    written = None if record.created_row is None else incident.snapshot.event(record.created_row)
    edges = CausalEdges()
    if written and push and record.pk.isdigit():
        edges.add(written, push, "the id is in the job's arguments, so it was assigned before")
    if push and start:
        edges.add(push, start, "a job starts after it was pushed")
    if start:
        edges.add(start, lookup, "the lookup happened inside the job's run")
    waited = ""
    if push and start and start.timestamp >= push.timestamp:
        waited = f", {length(start.timestamp - push.timestamp)} after the push"
    told = (
        ("write", written, f"a transaction began to write {record.table} {record.pk}"),
        ("commit", first_commit, "a commit was logged, but not the one that made the row visible"),
        ("push", push, "the job was pushed with the row's id"),
        ("start", start, f"a worker took it{waited}"),
        ("lookup", lookup, f"the job asked for {record.table} {record.pk}: not found"),
    )
    steps: list[Step] = []
    for role, event, why in told:
        if event is not None:
            steps.append(_step(incident, steps, role, event, why, edges))
    return steps


def _phantom(
    incident: Incident,
    lookup: Lookup,
    rollback: Event,
    verdict: Verdict,
    because: str,
    table: str,
) -> JobStory:
    event = incident.snapshot.event(lookup.row)
    push = _around(incident, lookup, Kind.JOB_ENQUEUED)
    steps: list[Step] = []
    for role, told, why in (
        ("push", push, "the job was pushed with the row's id"),
        ("rollback", rollback, "the request that pushed it rolled back"),
        ("lookup", event, f"the job asked for {lookup.key}: not found"),
    ):
        if told is not None:
            steps.append(_step(incident, steps, role, told, why))
    case = RacedJob(
        variant="rollback",
        verdict=verdict if lookup.exact else Verdict.POSSIBLE,
        because=because,
        job=lookup.job,
        job_class=_class_of(incident, lookup.job),
        key=lookup.key,
        record="",
        table=table or lookup.key.partition(":")[0],
        looked_up=event.timestamp,
        created=None,
        visible=None,
        seen=None,
        healed=False,
    )
    return JobStory(case, tuple(steps), ("the row was deleted before the job ran",))


def _stale(incident: Incident, job: str, key: str, end_row: int, record: Record) -> JobStory | None:
    commit = commit_event(incident, record)
    rows = incident.jobs.rows_of(job, Kind.JOB_ENQUEUED)
    if commit is None or not rows or record.updated_row is None:
        return None
    update = incident.snapshot.event(record.updated_row)
    push, end = incident.snapshot.event(rows[-1]), incident.snapshot.event(end_row)
    order = before(end, commit, incident.clocks)
    if order.verdict is None or not at_least(order.verdict, Verdict.LIKELY):
        return None
    case = RacedJob(
        variant="update",
        verdict=weakest((order.verdict, Verdict.LIKELY)),
        because="no record shows which version the job read",
        job=job,
        job_class=_class_of(incident, job),
        key=key,
        record=record.record,
        table=record.table,
        looked_up=end.timestamp,
        created=record.created,
        visible=commit.timestamp,
        seen=record.seen,
        healed=False,
    )
    steps: list[Step] = []
    for role, event, why in (
        ("update", update, f"a transaction began to change {record.table} {record.pk}"),
        ("push", push, "the job was pushed while that transaction was open"),
        ("finished", end, "the job finished"),
        ("commit", commit, "the change became visible"),
    ):
        steps.append(_step(incident, steps, role, event, why))
    return JobStory(case, tuple(steps), ("the job does not read what was changed",))


def _step(
    incident: Incident,
    steps: Sequence[Step],
    role: str,
    event: Event,
    why: str,
    edges: CausalEdges | None = None,
) -> Step:
    order: Order | None = None
    if steps:
        order = before(steps[-1].event, event, incident.clocks, edges)
    return Step(role, event, why, order)


def _around(incident: Incident, lookup: Lookup, kind: Kind) -> Event | None:
    """The job's last transition of `kind` that is not certainly later than the lookup."""
    failed = incident.snapshot.event(lookup.row)
    for row in reversed(incident.jobs.rows_of(lookup.job, kind)):
        event = incident.snapshot.event(row)
        if before(event, failed, incident.clocks).verdict is not None:
            return event
    return None


def _healing(incident: Incident, lookup: Lookup) -> Event | None:
    """The first success after the lookup, of this job or of another of its class and entity."""
    jobs = incident.jobs
    title = _class_of(incident, lookup.job)
    alike = [
        job
        for job in jobs.with_entity(lookup.key)
        if job == lookup.job or (title and _class_of(incident, job) == title)
    ]
    done = jobs.transitions.filter(
        (pl.col("kind") == Kind.JOB_FINISHED.value) & pl.col("job").is_in(alike)
    )
    rows = done.get_column("row").to_list()
    if not rows:  # no queue tells; the workers' logs may
        well = pl.col("job").is_in(alike) & (pl.col("outcome") == "finished")
        rows = incident.handled.filter(well).get_column("end_row").to_list()
    failed = incident.snapshot.event(lookup.row)
    for event in incident.snapshot.events_at(rows):
        order = before(failed, event, incident.clocks)
        if order.verdict is not None and at_least(order.verdict, Verdict.LIKELY):
            return event
    return None


def _class_of(incident: Incident, job: str) -> str:
    held = incident.jobs.summary.filter(pl.col("job") == job).get_column("job_class")
    return str(held[0]) if held.len() and held[0] is not None else ""


def _table_of_type(incident: Incident, key: str) -> str:
    """A table that was read and whose rows have the type of `key`, or an empty string."""
    prefix = key.partition(":")[0] + ":"
    records = incident.records
    held = records.owners.filter(pl.col("key").str.starts_with(prefix)).join(
        records.summary.select("record", "table"), on="record"
    )
    return str(held["table"][0]) if held.height else ""


def _pushing_lines(incident: Incident, lookup: Lookup) -> pl.DataFrame:
    """(row, timestamp, body) of the request that pushed the job.

    It names the job, or it is about the entity and was running when the job was pushed.
    """
    snapshot = incident.snapshot
    named = _requests(incident, [lookup.job])
    if not named:
        push = _around(incident, lookup, Kind.JOB_ENQUEUED)
        spans = incident.executions.frame.filter(
            pl.col("id").is_in(_requests(incident, [lookup.key]))
        )
        if push is not None:
            spans = spans.filter(
                (pl.col("start") - WRITE_SLACK_NS <= push.timestamp)
                & (pl.col("end") + WRITE_SLACK_NS >= push.timestamp)
            )
            named = spans.get_column("id").to_list()
    rows = snapshot.rows_with(named)
    lines = snapshot.events.select(pl.col("timestamp", "body").gather(rows))
    return lines.with_columns(row=rows)


def _requests(incident: Incident, keys: list[str]) -> list[str]:
    """Keys of the requests on whose lines any of `keys` stands."""
    snapshot = incident.snapshot
    held = pairs_of_type(snapshot.keys_of(snapshot.rows_with(keys)), "request")
    return sorted(held.get_column("key").unique().to_list())


def _rollback(incident: Incident, lookup: Lookup) -> Event | None:
    """The sign that the request which pushed the job rolled back, or None."""
    snapshot = incident.snapshot
    aborts = snapshot.events_at(snapshot.rows_with([lookup.key]).to_list()[:MAX_LINES])
    for event in aborts:
        if event.kind is Kind.TXN_ABORT or _tells_rollback(event):
            return event
    lines = _pushing_lines(incident, lookup)
    own = incident.jobs.rows_of(lookup.job)
    told = lines.filter(
        ~pl.col("row").is_in([*own, lookup.row]) & pl.col("body").str.contains(ROLLBACK_LINE)
    )
    return snapshot.event(told["row"][0]) if told.height else None


def _tells_rollback(event: Event) -> bool:
    """Whether a line about the entity itself, written outside its jobs, says so."""
    outside = event.kind is Kind.LOG and not any(key.startswith("job:") for key in event.keys)
    return outside and re.search(ROLLBACK_LINE, event.body) is not None


def _commit_before(incident: Incident, lookup: Lookup, push: Event | None) -> Event | None:
    """A commit that the pushing request logged before the push, or None."""
    if push is None:
        return None
    lines = _pushing_lines(incident, lookup)
    told = lines.filter(pl.col("body").str.contains(COMMIT_LINE))
    for event in incident.snapshot.events_at(told["row"].to_list()[:MAX_LINES]):
        order = before(event, push, incident.clocks)
        if order.verdict is not None and at_least(order.verdict, Verdict.LIKELY):
            return event
    return None
