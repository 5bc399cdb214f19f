"""One dramatiq message: what it says of its job, and the transitions that it remembers.

A retry overwrites stamp and traceback of the failure before it, a message that dies keeps those of
the failure before its last, and starts are not noted (dramatiq 2.2.1, middleware/retries.py: only
a message that is enqueued again is written). Messages are JSON; a body of another encoder is told
by its size and never loaded.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from connectors.dramatiq.options import MESSAGES, DramatiqOptions
from connectors.queues.payload import (
    call_text,
    cut,
    keys_of,
    mapping,
    names_for,
    number,
    sequence_of,
    word,
)
from connectors.queues.transitions import (
    CLIENT_CLOCK,
    WORKER_CLOCK,
    JobFacts,
    Moment,
    epoch_ns,
    iso,
)
from timeline.clean import clean
from timeline.event import Kind, Meaning, Precision
from timeline.keys import KeyRules

MS_NS = 1_000_000
TITLE_ARGUMENTS = 120


@dataclass(frozen=True, slots=True)
class Message:
    """One message and where it was found: `waiting`, `held`, `delayed` or `dead`."""

    redis_id: str
    queue: str
    place: str
    key: str
    fields: Mapping[str, object] = field(default_factory=dict)
    unread: str = ""
    """What a body is that was not read; empty for JSON."""
    died: int | None = None
    """ns UTC by the worker's clock."""

    @property
    def options(self) -> Mapping[str, object]:
        return mapping(self.fields.get("options"))

    @property
    def id(self) -> str:
        return word(self.fields.get("message_id")) or clean(self.redis_id)

    def stamp(self, value: object) -> int | None:
        return epoch_ns(value, MS_NS) if isinstance(value, int | float | str) else None

    @property
    def due(self) -> int | None:
        return self.stamp(self.options.get("eta")) if self.place == "delayed" else None


@dataclass(frozen=True, slots=True)
class MessageWords:
    """Turns messages into facts and moments."""

    options: DramatiqOptions
    key_rules: KeyRules

    def facts(self, message: Message) -> JobFacts:
        fields, options = message.fields, message.options
        actor = word(fields.get("actor_name"))
        positional = sequence_of(fields.get("args"))
        shown = call_text(positional, mapping(fields.get("kwargs")))
        short = shown if len(shown) <= TITLE_ARGUMENTS else f"{shown[:TITLE_ARGUMENTS]}…"
        configured = names_for(actor, self.options.arguments)
        found = keys_of(self.key_rules, shown, configured, positional)
        retries = number(options.get("retries"))
        allowed = number(options.get("max_retries"))
        details: dict[str, object] = {"redis_message_id": clean(message.redis_id)}
        if message.due is not None:
            details["due_at"] = iso(message.due)
        if message.unread:
            details["body"] = message.unread
        return JobFacts(
            id=message.id,
            title=f"{actor}({short})" if actor else f"message {message.id} ({message.unread})",
            job_class=actor,
            queue=clean(message.queue),
            args=cut(shown),
            status=message.place,
            keys=tuple(dict.fromkeys((f"job:{message.id}", *found))),
            attempt=None if retries is None else retries + 1,
            retries_left=None if retries is None or allowed is None else max(allowed - retries, 0),
            details=details,
        )

    def moments(self, message: Message, now: int) -> Iterator[Moment]:
        """First enqueued, last failed, dead; a message without any stamp is seen now."""
        queue, options = clean(message.queue), message.options
        ref = clean(f"{message.key}{MESSAGES}#{message.redis_id}")
        sent = message.stamp(message.fields.get("message_timestamp"))
        failed = message.stamp(options.get("requeue_timestamp"))
        if sent is None:
            yield Moment(
                kind=Kind.JOB_ENQUEUED,
                timestamp=now,
                words=f"is {message.place} on {queue} now",
                ref=f"{ref}@{now}",
                meaning=Meaning.POLLED,
                details={"now": True},
            )
        else:
            until = "" if message.due is None or failed else f", delayed until {iso(message.due)}"
            yield self._moment(
                Kind.JOB_ENQUEUED,
                sent,
                f"enqueued on {queue}{until}",
                f"{ref}@sent",
                clock=self.options.producer_clock or CLIENT_CLOCK,
                meaning=Meaning.SENT,
            )
        if failed is not None:
            count = number(options.get("retries")) or 1
            words = f"failed on {queue} (failure {count}) and was put back to be tried again"
            words += f", due {iso(message.due)}" if message.due is not None else ""
            error = word(options.get("traceback"))
            yield self._moment(Kind.JOB_RETRIED, failed, words, f"{ref}@failed", error=error)
        if message.died is not None:
            words = f"was given up and lies with the dead of {queue} (its last error is not kept)"
            yield self._moment(Kind.JOB_DEAD, message.died, words, f"{ref}@dead")

    def _moment(
        self,
        kind: Kind,
        stamp: int,
        words: str,
        ref: str,
        *,
        clock: str = WORKER_CLOCK,
        meaning: Meaning = Meaning.OCCURRED,
        error: str = "",
    ) -> Moment:
        return Moment(kind, stamp, words, ref, clock, meaning, Precision.MILLISECOND, error=error)
