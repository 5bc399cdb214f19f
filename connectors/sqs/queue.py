"""One queue as `GetQueueAttributes` tells it, and the events that follow from it."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

from connectors.answers import members, text
from connectors.logs.jsonshape import JsonValue
from connectors.queues.present import QueueNow, depth_event
from connectors.queues.transitions import epoch_ns
from timeline.clean import clean
from timeline.event import SEVERITY_WARN, Event, Kind, Lane, Meaning, Precision, intrinsic_seq
from timeline.window import SECOND_NS

CHANGES = {"CreatedTimestamp": "was created", "LastModifiedTimestamp": "had its attributes changed"}


@dataclass(frozen=True, slots=True)
class Queue:
    """One queue as read. `name` is cleaned."""

    url: str
    name: str
    attributes: Mapping[str, JsonValue]
    dead_letters_of: tuple[str, ...] = ()

    def count(self, name: str) -> int:
        """An attribute that is a number; SQS tells all of them as text."""
        value = text(self.attributes.get(name))
        return int(value) if value.isascii() and value.isdigit() else 0

    @property
    def redrive(self) -> tuple[str, int]:
        """Name of the dead-letter queue and after how many receives, or ("", 0)."""
        policy = _object(text(self.attributes.get("RedrivePolicy")))
        arn, most = text(policy.get("deadLetterTargetArn")), policy.get("maxReceiveCount")
        receives = int(most) if isinstance(most, int | str) and str(most).isdigit() else 0
        return (clean(arn.rpartition(":")[2]), receives) if arn else ("", 0)

    @property
    def is_fifo(self) -> bool:
        return text(self.attributes.get("FifoQueue")) == "true"


def queue_now(source: str, queue: Queue, now: int) -> Event:
    """Counts and rules of a queue at `now` (ns UTC)."""
    target, receives = queue.redrive
    waiting, notes = queue.count("ApproximateNumberOfMessages"), []
    if queue.is_fifo:
        notes.append("FIFO: a message that fails holds up its group")
    if target:
        notes.append(f"after {receives} receives a message goes to {target}")
    if queue.dead_letters_of:
        notes.append(f"it takes the dead letters of {', '.join(queue.dead_letters_of[:5])}")
    visible_again = queue.count("VisibilityTimeout")
    notes.append(f"a message taken is given out again after {visible_again} s")
    details = {
        "dead_letters_to": target,
        "max_receives": receives,
        "dead_letters_of": list(queue.dead_letters_of),
        "fifo": queue.is_fifo,
        "visibility_timeout_s": visible_again,
        "retention_s": queue.count("MessageRetentionPeriod"),
        "delay_s": queue.count("DelaySeconds"),
    }
    event = depth_event(
        source,
        QueueNow(
            queue.name,
            clean(queue.url),
            waiting=waiting,
            running=queue.count("ApproximateNumberOfMessagesNotVisible"),
            scheduled=queue.count("ApproximateNumberOfMessagesDelayed"),
            note=", ".join(notes),
            details=details,
        ),
        now,
    )
    return replace(
        event,
        severity_number=SEVERITY_WARN if waiting and queue.dead_letters_of else 0,
        meaning=Meaning.POLLED,  # the counts settle within about a minute
        precision=Precision.SECOND,
    )


def changes(source: str, queue: Queue) -> Iterator[Event]:
    """When the queue was created and last changed, each with the values of today."""
    told = set()
    for name, words in CHANGES.items():
        stamp = epoch_ns(text(queue.attributes.get(name)), SECOND_NS)
        if stamp is None or stamp in told:
            continue
        told.add(stamp)
        ref = f"{clean(queue.url)}#{name}"
        shown = {clean(key): clean(text(value)) for key, value in queue.attributes.items()}
        yield Event(
            timestamp=stamp,
            source=source,
            lane=Lane.QUEUE,
            kind=Kind.CHANGE,
            body=f"{queue.name} {words}",
            ref=ref,
            seq=intrinsic_seq(ref),
            actor=queue.name,
            precision=Precision.SECOND,
            attributes=json.dumps(shown, ensure_ascii=False),
        )


def _object(told: str) -> dict[str, JsonValue]:
    try:
        return members(json.loads(told))
    except (ValueError, RecursionError):
        return {}
