"""Whether a row became visible only after somebody had looked for it, and how sure that is.

Two proofs. With a commit time: the lookup precedes the commit. Without any clock: the primary
answered "not found", and the primary holds the row now, so it became visible in between. The
second one is only as good as the exclusion of a replica, a deletion and another shard.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from timeline.event import Event, Kind, Meaning, Precision
from timeline.facts.records import LONGEST_TRANSACTION_NS
from timeline.facts.words import instant, length
from timeline.order import Order, Verdict, at_least, before, weakest

if TYPE_CHECKING:
    from timeline.facts.records import Record
    from timeline.incident import Incident

EARLY_ID_NS = 1_000_000_000
"""A serial id is handed out inside the transaction whose start is `created_at`; a lookup earlier
than that by more than this belongs to another life of the id."""

BEHIND_NS = 500_000_000
"""A replica that is less behind than this is as far behind as replicas are."""

REPLICA_WORDS = r"(?i)\b(?:replica|standby|slave|secondary|read[ _-]?only|reader)\b"
SHARD_WORDS = r"(?i)\b(?:shard|tenant|partition)\b"
SOFT_DELETE_COLUMNS = ("deleted_at", "discarded_at", "archived_at", "removed_at")

NOT_FOUND_THEN_THERE = "the database answered not found, and holds the row now"


@dataclass(frozen=True, slots=True)
class Visibility:
    """The claim "looked up, then visible". `event` shows the row, `order` is the claim itself."""

    verdict: Verdict
    because: str
    event: Event
    order: Order
    alternatives: tuple[str, ...] = ()


def seen_later(
    incident: Incident, lookup: Event, record: Record, *, exact: bool
) -> Visibility | None:
    """How sure it is that `record` became visible after `lookup`; None when it is refuted."""
    if is_deleted(record):
        return None
    timeless = _without_clock(incident, lookup, record, exact=exact)
    commit = commit_event(incident, record)
    if commit is None:
        return timeless
    order = before(lookup, commit, incident.clocks)
    if order.verdict is None:
        return None  # visible before the lookup: a replica, a shard or a cache, not this race
    if commit.timestamp <= lookup.timestamp:
        words = f"commit {instant(commit.timestamp)} and lookup are inside the clock bounds"
        stale = ("a stale read from a replica",)
        return Visibility(Verdict.POSSIBLE, words, commit, order, stale)
    if record.rewritten:
        return timeless  # the commit is that of a later version
    if at_least(timeless.verdict, order.verdict):
        return replace(timeless, event=commit)
    if not record.untouched:
        words = f"{order.because}, if nothing wrote the row again"
        return Visibility(weakest((order.verdict, Verdict.LIKELY)), words, commit, order)
    return _graded(order.verdict, order.because, commit, order, exact=exact)


def _without_clock(incident: Incident, lookup: Event, record: Record, *, exact: bool) -> Visibility:
    doubts = _doubts(incident, lookup, record)
    order = Order(weakest(found for found, _ in doubts), NOT_FOUND_THEN_THERE)
    because = next(
        (words for found, words in doubts if found is order.verdict),
        f"{NOT_FOUND_THEN_THERE} (same primary, no replica known, id named, no clock needed)",
    )
    alternatives = tuple(words for _, words in doubts)
    visible = seen_event(incident, record)
    verdict = order.verdict or Verdict.POSSIBLE
    return _graded(verdict, because, visible, order, exact=exact, alternatives=alternatives)


def _graded(
    verdict: Verdict,
    because: str,
    event: Event,
    order: Order,
    *,
    exact: bool,
    alternatives: tuple[str, ...] = (),
) -> Visibility:
    """The verdict, at most likely when the entity had to be inferred."""
    if not exact and verdict is Verdict.CERTAIN:
        verdict = Verdict.LIKELY
        because = "the message does not say which row was missing; the job's arguments do"
    return Visibility(verdict, because, event, order, alternatives)


def _doubts(incident: Incident, lookup: Event, record: Record) -> list[tuple[Verdict, str]]:
    """Everything that keeps the proof without a clock from being certain."""
    doubts: list[tuple[Verdict, str]] = []
    told = f"{lookup.body} {lookup.attributes or ''}"
    if re.search(REPLICA_WORDS, told) or incident.records.replicated:
        doubts.append((Verdict.POSSIBLE, "the lookup may have been answered by a replica"))
    elif record.created is not None:
        sample = incident.replicas.lag_at(lookup.timestamp)
        if sample is not None and sample.lag >= max(lookup.timestamp - record.created, BEHIND_NS):
            words = f"a replica was {length(sample.lag)} behind then and may have answered"
            doubts.append((Verdict.POSSIBLE, words))
    if re.search(SHARD_WORDS, told):
        doubts.append((Verdict.POSSIBLE, "the lookup may have asked another shard or tenant"))
    if record.endpoint is None:
        doubts.append((Verdict.LIKELY, "whether the row was read on the primary is not known"))
    if record.created is None:
        doubts.append((Verdict.POSSIBLE, "when the row was created is not known"))
    elif lookup.timestamp - record.created > LONGEST_TRANSACTION_NS:
        age = length(lookup.timestamp - record.created)
        doubts.append((Verdict.POSSIBLE, f"the row was created {age} before the lookup"))
    elif record.pk.isdigit() and record.created - lookup.timestamp > EARLY_ID_NS:
        doubts.append((Verdict.POSSIBLE, "the row was created after the lookup: an id used again"))
    seen = _seen_at(incident, record)
    latest = incident.clocks.interval(lookup)[1]
    earliest = seen - incident.clocks.bound(record.source).behind
    if latest >= earliest:
        doubts.append((Verdict.POSSIBLE, "the row was read no later than the lookup failed"))
    return doubts


def commit_event(incident: Incident, record: Record) -> Event | None:
    """The commit of the row's visible version as the server recorded it, or None."""
    if record.commit is None:
        return None
    if record.commit_row is not None:
        return incident.snapshot.event(record.commit_row)
    shown = incident.snapshot.event(record.any_row)
    return replace(
        shown,
        timestamp=record.commit,
        kind=Kind.TXN_COMMIT,
        meaning=Meaning.COMMITTED,
        precision=Precision.MICROSECOND,
        body=f"{record.table} {record.pk} committed",
    )


def seen_event(incident: Incident, record: Record) -> Event:
    """The reading that showed the row; its stamp is when it was read, an upper bound."""
    shown = incident.snapshot.event(record.any_row)
    return replace(
        shown,
        timestamp=_seen_at(incident, record),
        kind=Kind.ROW_VERSION,
        meaning=Meaning.POLLED,
        body=f"{record.table} {record.pk} visible",
    )


def _seen_at(incident: Incident, record: Record) -> int:
    return record.seen or incident.collected_at or incident.window.end


def is_deleted(record: Record) -> bool:
    """Whether the row is known to have been deleted, also by a soft-delete column."""
    if record.deleted is not None:
        return True
    try:
        columns = json.loads(record.columns or "{}")
    except ValueError:
        return False
    return isinstance(columns, dict) and any(columns.get(name) for name in SOFT_DELETE_COLUMNS)
