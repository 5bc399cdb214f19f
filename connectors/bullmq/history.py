"""From the entries of a queue's stream to transitions, each on Redis' own clock.

A stall is told as what it is: noticed at one instant, while the worker was lost at some time
before it, at least a whole lock duration after it last renewed its lock.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from connectors.bullmq.options import Names
from connectors.bullmq.stream import MS_NS, Entry
from connectors.queues.transitions import Moment, epoch_ns, iso
from timeline.clean import clean
from timeline.event import Event, Kind, Lane, Precision, intrinsic_seq
from timeline.window import SECOND_NS

QUEUE_EVENTS = {
    "paused": "was paused",
    "resumed": "was resumed",
    "drained": "has no job waiting any more",
    "cleaned": "was cleaned by hand",
}
TOO_MANY_STALLS = "job stalled more than"
"""How the reason of a failure begins that is none of the job's own (bullmq 4 to 6)."""
TOLD = {"added": "added", "active": "started", "completed": "ended", "failed": "ended"}
"""Stream events that say what a stamp of the hash says too."""


@dataclass(frozen=True, slots=True)
class Neighbours:
    """The entries right before and behind one; None at an end of what was read."""

    before: Entry | None
    behind: Entry | None


def with_neighbours(entries: Sequence[Entry]) -> Iterator[tuple[Entry, Neighbours]]:
    """Every entry with those that the same script may have written."""
    for place, entry in enumerate(entries):
        before = entries[place - 1] if place else None
        behind = entries[place + 1] if place + 1 < len(entries) else None
        yield entry, Neighbours(before, behind)


def told_by_stream(entries: Sequence[Entry]) -> Mapping[str, frozenset[str]]:
    """By job: which of `added`, `started`, `ended` the stream tells."""
    told: dict[str, set[str]] = {}
    for entry in entries:
        if (stage := TOLD.get(entry.event)) is not None:
            told.setdefault(entry.job, set()).add(stage)
    return {job: frozenset(stages) for job, stages in told.items()}


@dataclass(frozen=True, slots=True)
class StreamWords:
    """What one queue's entries mean."""

    names: Names
    lock_duration_s: float

    def moment(self, entry: Entry, beside: Neighbours, last_start: int | None) -> Moment | None:
        """The transition of a job, or None for an entry that another one tells better.

        `last_start`: stamp (ns UTC) of the job's `active` entry before this one, where known.
        """
        queue = clean(self.names.queue)
        match entry.event:
            case "added" if not _is(beside.behind, "delayed", entry.job):
                return self._moment(entry, Kind.JOB_ENQUEUED, f"added to {queue}")
            case "active":
                return self._moment(entry, Kind.JOB_STARTED, f"started on {queue}")
            case "completed":
                return self._moment(entry, Kind.JOB_FINISHED, f"finished on {queue}")
            case "failed":
                return self._failed(entry, last_start)
            case "retries-exhausted":
                tries = entry.fields.get("attemptsMade", "all its")
                return self._moment(entry, Kind.JOB_DEAD, f"used up its attempts ({tries})")
            case "waiting":
                return self._waiting(entry, beside)
            case "delayed":
                return self._delayed(entry, beside)
            case "stalled":
                return self._stalled(entry, last_start)
        return None

    def change(self, source: str, entry: Entry) -> Event | None:
        """What happened to the queue as a whole, or to a job by hand."""
        queue = clean(self.names.queue)
        words = QUEUE_EVENTS.get(entry.event, "")
        body = f"{queue} {words}" if words else ""
        if entry.event == "removed":
            body = f"job {entry.job} was removed from {queue}"
        elif entry.event in ("duplicated", "deduplicated"):
            body = f"job {entry.job} was not added to {queue}: {entry.event}"
        if not body:
            return None
        ref = self._ref(entry)
        return Event(
            timestamp=entry.stamp,
            source=source,
            lane=Lane.QUEUE,
            kind=Kind.CHANGE,
            body=body,
            ref=ref,
            seq=intrinsic_seq(ref),
            actor=queue,
            precision=Precision.MILLISECOND,
            keys=(f"job:{entry.job}",) if entry.job else (),
            attributes=json.dumps({"queue": queue, **entry.fields}, ensure_ascii=False),
        )

    def _waiting(self, entry: Entry, beside: Neighbours) -> Moment | None:
        """A new job's `waiting` says no more than `added`; a stalled job's is told by `stalled`."""
        came_from = entry.fields.get("prev", "")
        if not came_from or _is(beside.behind, "stalled", entry.job):
            return None
        if came_from == "failed":
            return self._moment(entry, Kind.JOB_RETRIED, "had failed and waits to be tried again")
        if came_from == "active":
            words = "went back to waiting at once (an attempt failed, or a rate limit held it)"
            return self._moment(entry, Kind.JOB_RETRIED, words)
        words = f"waits again on {clean(self.names.queue)}, was {came_from}"
        return self._moment(entry, Kind.JOB_ENQUEUED, words)

    def _delayed(self, entry: Entry, beside: Neighbours) -> Moment:
        due = epoch_ns(entry.fields.get("delay"), MS_NS)
        until = f"until {iso(due)}" if due is not None else "for a while"
        details = {} if due is None else {"due_at": iso(due)}
        if _is(beside.before, "added", entry.job):
            words, kind = f"added to {clean(self.names.queue)}, delayed {until}", Kind.JOB_ENQUEUED
        else:
            words = f"is to be tried again: delayed {until} (BullMQ notes no reason)"
            kind = Kind.JOB_RETRIED
        return self._moment(entry, kind, words, details=details)

    def _failed(self, entry: Entry, last_start: int | None) -> Moment:
        """A failure; one for too many stalls is noticed like a stall, long after the crash."""
        reason, words = entry.fields.get("failedReason", ""), f"failed on {clean(self.names.queue)}"
        lost = self._lost(entry, last_start) if reason.startswith(TOO_MANY_STALLS) else {}
        if "started_at" not in lost:  # BullMQ 5 and later start it once more to fail it
            return self._moment(entry, Kind.JOB_FAILED, words, reason)
        words += f" (its worker renewed its lock last before {lost['lock_last_renewed_before']})"
        return self._moment(entry, Kind.JOB_FAILED, words, reason, lost)

    def _stalled(self, entry: Entry, last_start: int | None) -> Moment:
        lost = self._lost(entry, last_start)
        since = f"after {lost['started_at']} and " if "started_at" in lost else ""
        words = (
            "stalled: its lock had expired and it waits again. Its worker renewed it last "
            f"{since}before {lost['lock_last_renewed_before']} (lock of {self.lock_duration_s:g} s)"
        )
        return self._moment(entry, Kind.JOB_RETRIED, words, details=lost)

    def _lost(self, entry: Entry, last_start: int | None) -> dict[str, str]:
        """The stretch in which the worker was lost, by what its lock allows."""
        renewed_before = entry.stamp - int(self.lock_duration_s * SECOND_NS)
        lost = {
            "declared_lost_at": iso(entry.stamp),
            "lock_last_renewed_before": iso(renewed_before),
        }
        if last_start is not None and last_start <= renewed_before:
            lost["started_at"] = iso(last_start)
        return lost

    def _moment(
        self,
        entry: Entry,
        kind: Kind,
        words: str,
        error: str = "",
        details: Mapping[str, object] | None = None,
    ) -> Moment:
        return Moment(
            kind=kind,
            timestamp=entry.stamp,
            words=words,
            ref=self._ref(entry),
            precision=Precision.MILLISECOND,
            error=error,
            details=details or {},
        )

    def _ref(self, entry: Entry) -> str:
        return clean(f"{self.names.key('events')}@{entry.id}")


def _is(entry: Entry | None, event: str, job: str) -> bool:
    return entry is not None and (entry.event, entry.job) == (event, job)
