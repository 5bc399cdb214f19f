"""Lookups that failed although the row had been committed before: what was there, and since when.

The other half of `timeline.facts.visibility`: a commit after the lookup is a race, a commit before
it is a read of something older than the primary. That a commit came first is told by its recorded
time, by the answer of the request that wrote the row, or by the row's age. Never guesses why.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from timeline.event import Event, Kind
from timeline.facts.answered_writes import answered_write
from timeline.facts.lookups import Lookup
from timeline.facts.records import LONGEST_TRANSACTION_NS
from timeline.facts.still_readers import run_start, still_readers
from timeline.facts.visibility import commit_event, is_deleted, seen_later
from timeline.facts.words import length
from timeline.order import Order, Verdict, at_least, before

if TYPE_CHECKING:
    from timeline.facts.records import Record
    from timeline.incident import Incident

COMMIT, ANSWER, AGE, WRITE = "commit", "answer", "age", "write"
"""What says that the row was there: its commit time, the answer of the request that wrote it, its
age; `write` says only when its transaction began."""
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

    Lookups that a race with the commit explains at least likely are none of them, unless an old
    snapshot explains them as well.
    """
    still = still_readers(incident, lookups)
    records = incident.records.of_entities(sorted({lookup.key for lookup in lookups}))
    found = []
    for lookup in lookups:
        record = records.get(lookup.key)
        if record is None or is_deleted(record):
            continue
        event = incident.snapshot.event(lookup.row)
        raced = seen_later(incident, event, record, exact=lookup.exact)
        likely = raced is not None and at_least(raced.verdict, Verdict.LIKELY)
        if likely and lookup.row not in still:
            continue
        begun = run_start(incident, lookup, event)
        told = _there(incident, lookup, record, event, begun)
        if told is not None:
            found.append(told)
    return found


def _there(
    incident: Incident, lookup: Lookup, record: Record, event: Event, started: Event | None
) -> MissedRead | None:
    """The best word for the row's being there before the lookup, or None where it was not."""
    signs = [*_commit(incident, record, event), *_answer(incident, record, event)]
    signs += _written(incident, record, event)
    signs.sort(key=lambda sign: list(Verdict).index(sign[2].verdict or Verdict.POSSIBLE))
    if not signs or signs[0][2].verdict is None:
        return None
    shown, how, order = signs[0]
    return MissedRead(lookup, record, event, started, shown, how, order)


_Sign = tuple[Event, str, Order]


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
    told = answered_write(incident, record, event)
    return [] if told is None else [(told[0], ANSWER, told[1])]


def _written(incident: Incident, record: Record, event: Event) -> list[_Sign]:
    """The row's age: a transaction is hardly open for a minute."""
    if record.created is None or record.created_row is None or record.created > event.timestamp:
        return []
    written, age = incident.snapshot.event(record.created_row), event.timestamp - record.created
    if age > LONGEST_TRANSACTION_NS:
        words = f"it was written {length(age)} before; a transaction is hardly open that long"
        return [(written, AGE, Order(Verdict.LIKELY, words))]
    return [(written, WRITE, Order(Verdict.POSSIBLE, "when it was committed is not on record"))]


def later_success(incident: Incident, job: str, event: Event) -> Event | None:
    """The first success of the same job after `event`."""
    rows: Sequence[int] = incident.jobs.rows_of(job, Kind.JOB_FINISHED)
    events = incident.snapshot.events_at(rows)
    return next((done for done in events if done.timestamp > event.timestamp), None)
