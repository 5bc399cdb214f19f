"""What an RQ installation is like right now, as events: depths, retries coming due, workers."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from connectors.queues.present import QueueNow, depth_event
from connectors.rq.decoding import nanoseconds
from connectors.rq.options import Names
from connectors.rq.reads import QueueState, Worker
from timeline.clean import clean
from timeline.event import Event, Kind, Lane, Precision, intrinsic_seq
from timeline.window import SECOND_NS

LATEST_S = 2**33
"""Due times beyond the year 2242 are RQ's way of saying never; they are counted, not dated."""


@dataclass(frozen=True, slots=True)
class PresentEvents:
    """Builds the present-state events of one source."""

    source: str
    names: Names

    def depth(self, state: QueueState, workers: Iterable[Worker], now: int) -> Event:
        """How much waits, runs and comes due in one queue at `now` (ns UTC, Redis' clock), and how
        many of the registered `workers` take from it."""
        takers = sum(_takes(worker, state.name) for worker in workers)
        due = [
            (clean(job), int(score * SECOND_NS))
            for job, score in state.scheduled
            if 0 < score < LATEST_S
        ]
        queue = QueueNow(
            clean(state.name),
            clean(self.names.queue(state.name)),
            waiting=state.depth,
            running=len(state.running),
            scheduled=state.counts["scheduled"],
            due=due,
            overdue=[clean(job) for job in state.overdue],
            takers=takers,
            counts=state.counts,
            note="no worker takes from it" if state.depth and not takers else "",
        )
        return depth_event(self.source, queue, now)

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


def _takes(worker: Worker, queue: str) -> bool:
    """Whether a worker that has not signed off lists the queue among its own."""
    named = (name.strip() for name in worker.fields["queues"].split(","))
    return not worker.fields["death"] and queue in named
