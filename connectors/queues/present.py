"""What a queue is like right now, as one event a queue: depth, running, retries coming due.

A depth is "now, not then" unless the queue keeps its history; such an event says `"now": true`,
may lie outside the window, and is drawn hatched.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from connectors.queues.transitions import LATEST_NS, iso
from timeline.event import Event, Kind, Lane, Precision, intrinsic_seq
from timeline.window import MINUTE_NS

NEXT_WAVE_MINUTES = 30
"""How far ahead the due times of scheduled jobs are counted, minute by minute."""
NEXT_DUE_JOBS = 20
"""Jobs named one by one among those that come due."""


@dataclass(frozen=True, slots=True)
class QueueNow:
    """One queue at the instant of looking. Names are cleaned."""

    name: str
    ref: str
    """Where it is kept: a Redis key, a table."""
    waiting: int
    running: int
    scheduled: int = 0
    due: Sequence[tuple[str, int]] = ()
    """Job id and due time (ns UTC), soonest first, of scheduled jobs and retries."""
    overdue: Sequence[str] = ()
    """Running jobs whose worker has missed its heartbeat."""
    oldest: int | None = None
    """Stamp (ns UTC) of the job that has waited longest, where the queue tells."""
    takers: int | None = None
    """Workers or consumers that take from it now; None where the queue does not tell."""
    counts: Mapping[str, int] = field(default_factory=dict)
    """Further counts in the queue's own words."""
    note: str = ""
    """What a person must know beside the counts: `nobody consumes it`. Cleaned."""
    details: Mapping[str, object] = field(default_factory=dict)
    """Further JSON values worth showing, cleaned."""


def depth_event(source: str, queue: QueueNow, now: int) -> Event:
    """How much waits, runs and comes due in one queue at `now` (ns UTC, the queue's clock)."""
    due = due_by_minute((stamp for _, stamp in queue.due), now)
    words = f"{queue.name} now: {queue.waiting} waiting, {queue.running} running"
    if queue.scheduled:
        words += f", {queue.scheduled} scheduled"
    if soon := sum(due.values()):
        words += f" ({soon} come due in the next {NEXT_WAVE_MINUTES} min)"
    if queue.note:
        words += f"; {queue.note}"
    attributes: dict[str, object] = {
        **queue.details,
        "now": True,
        "queue": queue.name,
        "depth": queue.waiting,
        "running": queue.running,
        "overdue": list(queue.overdue),
        "counts": dict(queue.counts),
        "due_by_minute": due,
        "next_due": [
            {"job_id": job, "due_at": iso(stamp)}
            for job, stamp in queue.due[:NEXT_DUE_JOBS]
            if 0 < stamp < LATEST_NS
        ],
    }
    if queue.takers is not None:
        attributes["takers"] = queue.takers
    if queue.oldest is not None:
        attributes["oldest_waits_since"] = iso(queue.oldest)
    ref = f"{queue.ref}@{now}"
    return Event(
        timestamp=now,
        source=source,
        lane=Lane.QUEUE,
        kind=Kind.METRIC,
        body=words,
        ref=ref,
        seq=intrinsic_seq(ref),
        actor=queue.name,
        precision=Precision.MICROSECOND,
        attributes=json.dumps(attributes, ensure_ascii=False),
    )


def as_of_now(event: Event) -> Event:
    """A stamp outside the window that explains what is there now: how a running job came to run."""
    details = json.loads(event.attributes or "{}")
    return replace(event, attributes=json.dumps({**details, "now": True}, ensure_ascii=False))


def due_by_minute(due: Iterable[int], now: int) -> dict[str, int]:
    """Jobs that come due in each of the next minutes, keyed by whole minutes from now."""
    counts: dict[str, int] = {}
    for stamp in due:
        ahead = stamp - now
        if 0 <= ahead < NEXT_WAVE_MINUTES * MINUTE_NS:
            minute = str(ahead // MINUTE_NS)
            counts[minute] = counts.get(minute, 0) + 1
    return counts
