"""Readers for whom time stood still: they find the older rows of a table, and none of the newer.

A connection whose transaction is never ended (REPEATABLE READ, the default of MariaDB and MySQL), a
copy that is no longer fed, a cache that is never filled again: all of them answer as of one
instant. Their answers are right for older rows, so that only the two together show it: nothing that
was there since an instant was found, older rows were.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import polars as pl

from timeline.event import Event, Kind
from timeline.facts.answered_writes import answered_write
from timeline.facts.entities import pairs_of_type
from timeline.facts.lines import lines_where
from timeline.keys import split_key

if TYPE_CHECKING:
    from timeline.facts.lookups import Lookup
    from timeline.facts.records import Record
    from timeline.incident import Incident

MIN_MISSED = 3
"""Rows that a reader did not find; one or two have reasons of their own."""
MIN_FOUND = 3
"""Older rows that it had to do with and did not miss: it reads this table, and is answered."""
TOLD_AFTER_NS = 100_000_000
"""A lookup that failed is told within this time; one whose beginning is not told may be so old."""
OLD_SNAPSHOT = "the same reader found older rows and none that was there since: an old snapshot"
"""Why a row that was not found may have been committed long before."""


@dataclass(frozen=True, slots=True)
class StillReader:
    """`actor` found none of the rows that were there from `since` (ns UTC) on, and `found` older
    ones."""

    actor: str
    since: int
    found: int


def still_readers(incident: Incident, lookups: Sequence[Lookup]) -> Mapping[int, StillReader]:
    """The reader of every lookup (by its event row) for whom time stood still.

    Of a row, the answer of the request that wrote it says that it was there, before the run began
    that did not find it.
    """
    if len(lookups) < MIN_MISSED:
        return {}
    records = incident.records.of_entities(sorted({lookup.key for lookup in lookups}))
    groups: dict[tuple[str, str, str], list[tuple[Lookup, Record, Event]]] = {}
    events = incident.snapshot.events_at([lookup.row for lookup in lookups])
    for lookup, event in zip(lookups, events, strict=True):
        record = records.get(lookup.key)
        if record is not None and event.actor:
            kind = split_key(lookup.key)[0]
            groups.setdefault((event.actor, record.table, kind), []).append((lookup, record, event))
    told: dict[int, StillReader] = {}
    for (actor, table, kind), missed in groups.items():
        since = _all_there_since(incident, missed) if len(missed) >= MIN_MISSED else []
        if not since:
            continue
        found = _found(incident, actor, kind, {lookup.key for lookup, _, _ in missed})
        others = incident.records.of_entities(sorted(found)).values()
        born = [one.created for one in others if one.table == table and one.created is not None]
        if len(born) >= MIN_FOUND and max(born) < min(since):
            reader = StillReader(actor, min(since), len(born))
            told.update({lookup.row: reader for lookup, _, _ in missed})
    return told


def run_start(incident: Incident, lookup: Lookup, event: Event) -> Event | None:
    """The beginning of the run in which the lookup failed, None where none is told."""
    rows = incident.jobs.rows_of(lookup.job, Kind.JOB_STARTED)
    for started in reversed(incident.snapshot.events_at(rows)):
        if started.timestamp <= event.timestamp:
            return started
    return None


def _all_there_since(
    incident: Incident, missed: Iterable[tuple[Lookup, Record, Event]]
) -> list[int]:
    """When each of the rows was there (ns); empty where that is not known of one."""
    found: list[int] = []
    for one in missed:
        since = _there_since(incident, *one)
        if since is None:
            return []
        found.append(since)
    return found


def _there_since(incident: Incident, lookup: Lookup, record: Record, event: Event) -> int | None:
    """When the row was there by its writer's answer; None when not before the run began."""
    begun = run_start(incident, lookup, event)
    answer = answered_write(incident, record, begun or event)
    if answer is None:
        return None
    since = answer[0].timestamp
    return None if begun is None and event.timestamp - since < TOLD_AFTER_NS else since


def _found(incident: Incident, actor: str, kind: str, missed: set[str]) -> set[str]:
    """Things of one kind that the lines of `actor` are about, and that it did not miss."""
    rows = lines_where(incident, pl.col("actor") == actor).get_column("row")
    keys = pairs_of_type(incident.snapshot.keys_of(rows), kind).get_column("key")
    return set(keys.to_list()) - missed
