"""What an RQ installation is like right now, as events: depths, retries coming due, workers.

A depth is "now, not then": RQ keeps no history, so every such event says `"now": true`.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from connectors.rq.decoding import iso, nanoseconds
from connectors.rq.options import Names
from connectors.rq.reads import QueueState, Worker
from timeline.clean import clean
from timeline.event import Event, Kind, Lane, Precision, intrinsic_seq
from timeline.window import MINUTE_NS, SECOND_NS

NEXT_WAVE_MINUTES = 30
"""How far ahead the due times of scheduled jobs are counted, minute by minute."""
NEXT_DUE_JOBS = 20
LATEST_S = 2**33
"""Due times beyond the year 2242 are RQ's way of saying never; they are counted, not dated."""


@dataclass(frozen=True, slots=True)
class PresentEvents:
    """Builds the present-state events of one source."""

    source: str
    names: Names

    def depth(self, state: QueueState, now: int) -> Event:
        """How much waits, runs and comes due in one queue at `now` (ns UTC, Redis' clock)."""
        queue = clean(state.name)
        due = due_by_minute(state.scheduled, now)
        words = f"{queue} now: {state.depth} waiting, {len(state.running)} running"
        if state.scheduled:
            words += f", {state.counts['scheduled']} scheduled"
        if soon := sum(due.values()):
            words += f" ({soon} come due in the next {NEXT_WAVE_MINUTES} min)"
        attributes = {
            "now": True,
            "queue": queue,
            "depth": state.depth,
            "running": len(state.running),
            "overdue": [clean(job) for job in state.overdue],
            "counts": state.counts,
            "due_by_minute": due,
            "next_due": [
                {"job_id": clean(job), "due_at": iso(int(score * SECOND_NS))}
                for job, score in state.scheduled[:NEXT_DUE_JOBS]
                if 0 < score < LATEST_S
            ],
        }
        ref = f"{clean(self.names.queue(state.name))}@{now}"
        return Event(
            timestamp=now,
            source=self.source,
            lane=Lane.QUEUE,
            kind=Kind.METRIC,
            body=words,
            ref=ref,
            seq=intrinsic_seq(ref),
            actor=queue,
            precision=Precision.MICROSECOND,
            attributes=json.dumps(attributes, ensure_ascii=False),
        )

    def lifetime(self, worker: Worker) -> Iterator[Event]:
        """When a worker started and ended, as its own host stamped it."""
        fields = worker.fields
        host = fields["hostname"] or "an unknown host"
        for stamp_name, words in (("birth", "started"), ("death", "ended")):
            stamp = nanoseconds(fields[stamp_name])
            if stamp is None:
                continue
            ref = f"{self.names.prefix}:worker:{worker.name}#{stamp_name}"
            yield Event(
                timestamp=stamp,
                source=self.source,
                lane=Lane.QUEUE,
                kind=Kind.CHANGE,
                body=f"worker {worker.name} {words} on {host}"
                f" (pid {fields['pid'] or '?'}, queues {fields['queues'] or '?'})",
                ref=ref,
                seq=intrinsic_seq(ref),
                actor=worker.name,
                clock=fields["hostname"] or worker.name,
                precision=Precision.MICROSECOND,
                attributes=json.dumps({"worker": worker.name, **fields}, ensure_ascii=False),
            )


def due_by_minute(scheduled: Iterable[tuple[str, float]], now: int) -> dict[str, int]:
    """Jobs that come due in each of the next minutes, keyed by whole minutes from now."""
    counts: dict[str, int] = {}
    for _, score in scheduled:
        ahead = score * SECOND_NS - now
        if 0 <= ahead < NEXT_WAVE_MINUTES * MINUTE_NS:
            minute = str(int(ahead // MINUTE_NS))
            counts[minute] = counts.get(minute, 0) + 1
    return counts
