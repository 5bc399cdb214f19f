"""Lookups that failed although the row had been committed before: what was there, and since when.

The other half of `timeline.facts.visibility`: a commit after the lookup is a race, a commit before
it is a read of something older than the primary. That a commit came first is told by its recorded
time, by the answer of the request that wrote the row, or by the row's age. Never guesses why.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import polars as pl

from timeline.event import PRECISION_NS, Event, Kind
from timeline.facts.entities import pairs_of_type
from timeline.facts.lines import keyed_lines
from timeline.facts.lookups import Lookup
from timeline.facts.pushes import WRITE_SLACK_NS
from timeline.facts.records import LONGEST_TRANSACTION_NS
from timeline.facts.visibility import commit_event, is_deleted, seen_later
from timeline.facts.words import length
from timeline.order import Order, Verdict, at_least, before

if TYPE_CHECKING:
    from timeline.facts.records import Record
    from timeline.incident import Incident

COMMIT, ANSWER, AGE, WRITE = "commit", "answer", "age", "write"
"""What says that the row was there: its commit time, the answer of the request that wrote it, its
age; `write` says only when its transaction began."""
ANSWERED = r"(?i)\b[23]\d\d\b|\b(?:completed|finished|responded|answered)\b"
"""How a service logs that it has answered a request with success."""
LONGEST_LAG_NS = 600_000_000_000
"""A replica that is ten minutes behind is an outage of its own; an older row that is not found is
out of the job's scope (a tenant, a soft deletion), unless a lag was measured."""


@dataclass(frozen=True, slots=True)
class MissedRead:
    """A job or request looked for a row at `event` and did not find it; `shown` is the event that
    says that it was there, by `how`, and `order` how sure it is that it came first."""

    lookup: Lookup
    record: Record
    event: Event
    started: Event | None
    shown: Event
    how: str
    order: Order

    @property
    def gap(self) -> int:
        """For how long the row had been there, ns."""
        return self.event.timestamp - self.shown.timestamp


def missed_reads(incident: Incident, lookups: Sequence[Lookup]) -> list[MissedRead]:
    """Those of `lookups` whose rows were, or may have been, visible before; in the same order.

    Lookups that a race with the commit explains at least likely are none of them.
    """
    records = incident.records.of_entities(sorted({lookup.key for lookup in lookups}))
    found = []
    for lookup in lookups:
        record = records.get(lookup.key)
        if record is None or is_deleted(record):
            continue
        event = incident.snapshot.event(lookup.row)
        raced = seen_later(incident, event, record, exact=lookup.exact)
        if raced is not None and at_least(raced.verdict, Verdict.LIKELY):
            continue
        told = _there(incident, lookup, record, event)
        if told is not None:
            found.append(told)
    return found


def _there(incident: Incident, lookup: Lookup, record: Record, event: Event) -> MissedRead | None:
    """The best word for the row's being there before the lookup, or None where it was not."""
    started = _start(incident, lookup, event)
    signs = [*_commit(incident, record, event), *_answer(incident, record, event)]
    signs += _written(incident, record, event)
    signs.sort(key=lambda sign: list(Verdict).index(sign[2].verdict or Verdict.POSSIBLE))
    if not signs or signs[0][2].verdict is None:
        return None
    shown, how, order = signs[0]
    return MissedRead(lookup, record, event, started, shown, how, order)


_Sign = tuple[Event, str, Order]
_UNITS = {precision.value: length_ns for precision, length_ns in PRECISION_NS.items()}


def _commit(incident: Incident, record: Record, event: Event) -> list[_Sign]:
    """The commit of any version before the lookup: the first one's came no later."""
    commit = commit_event(incident, record)
    if commit is None:
        return []
    order = before(commit, event, incident.clocks)
    if order.verdict is None or commit.timestamp > event.timestamp:
        return []
    return [(commit, COMMIT, order)]


def _answer(incident: Incident, record: Record, event: Event) -> list[_Sign]:
    """The last line of the request that wrote the row, when it says that it succeeded."""
    created = record.created
    if created is None:
        return []
    snapshot = incident.snapshot
    about = snapshot.keys_of(snapshot.rows_with([record.record, *_owner(incident, record)]))
    near = snapshot.events.get_column("timestamp").gather(about.get_column("row"))
    about = about.filter((near - created).abs() <= LONGEST_TRANSACTION_NS)
    rows = about.get_column("row").unique()
    held = snapshot.keys_of(rows)
    named = pl.concat([pairs_of_type(held, name) for name in ("request", "trace")])
    requests = named.get_column("key").unique()
    lines = keyed_lines(incident, requests.to_list())
    lines = lines.filter((pl.col("lane") == "log") & (pl.col("timestamp") <= event.timestamp))
    # Whoever began a request answers it; a job may go on under its name elsewhere.
    lines = lines.filter(pl.col("actor") == pl.col("actor").first().over("key"))
    spans = lines.group_by("key").agg(
        first=pl.col("timestamp").min(),
        row=pl.col("row").sort_by("timestamp", "row").last(),
        last=pl.col("timestamp").max(),
        body=pl.col("body").sort_by("timestamp", "row").last(),
    )
    # A stamp in milliseconds stands at the beginning of its own; the row's has microseconds.
    precision = snapshot.events.get_column("precision").gather(spans.get_column("row"))
    unit = precision.cast(pl.String).replace_strict(_UNITS, return_dtype=pl.Int64)
    spans = (
        spans.with_columns(until=pl.col("last") + unit - 1)
        .filter(
            (pl.col("first") - WRITE_SLACK_NS <= created)
            & (pl.col("until") >= created)
            & pl.col("body").str.contains(ANSWERED)
        )
        .sort("last", "key")
    )
    if spans.is_empty():
        return []
    answer = snapshot.event(spans["row"][0])
    order = before(answer, event, incident.clocks)
    if order.verdict is None:
        return []
    if order.verdict is Verdict.CERTAIN:
        order = Order(Verdict.LIKELY, "the request that wrote it had been answered")
    return [(answer, ANSWER, order)]


def _owner(incident: Incident, record: Record) -> tuple[str, ...]:
    return incident.key_rules.row_keys(record.table, record.pk)


def _written(incident: Incident, record: Record, event: Event) -> list[_Sign]:
    """The row's age: a transaction is hardly open for a minute."""
    if record.created is None or record.created_row is None or record.created > event.timestamp:
        return []
    written, age = incident.snapshot.event(record.created_row), event.timestamp - record.created
    if age > LONGEST_TRANSACTION_NS:
        words = f"it was written {length(age)} before; a transaction is hardly open that long"
        return [(written, AGE, Order(Verdict.LIKELY, words))]
    return [(written, WRITE, Order(Verdict.POSSIBLE, "when it was committed is not on record"))]


def _start(incident: Incident, lookup: Lookup, event: Event) -> Event | None:
    """The beginning of the run in which the lookup failed."""
    rows = incident.jobs.rows_of(lookup.job, Kind.JOB_STARTED)
    for started in reversed(incident.snapshot.events_at(rows)):
        if started.timestamp <= event.timestamp:
            return started
    return None


def later_success(incident: Incident, job: str, event: Event) -> Event | None:
    """The first success of the same job after `event`."""
    rows: Sequence[int] = incident.jobs.rows_of(job, Kind.JOB_FINISHED)
    events = incident.snapshot.events_at(rows)
    return next((done for done in events if done.timestamp > event.timestamp), None)
