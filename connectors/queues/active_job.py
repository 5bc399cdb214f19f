"""What a Ruby queue's JSON job says: its class and arguments, also inside Active Job's envelope.

Rails puts its own envelope into the arguments of a Sidekiq, Resque, Que or delayed_job job
(activejob 7.1, core.rb: serialize). It is JSON; nothing of it is ever built or called.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from connectors.queues.payload import call_text, cut, mapping, number, sequence_of, word
from timeline.event import Precision

TITLE_CHARACTERS = 160
"""Of a call in a job's title; the whole of it is among the arguments."""
DEEPEST = 40
"""Nesting of arguments that is still looked into."""
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MARKS = frozenset(("_aj_symbol_keys", "_aj_ruby2_keywords", "_aj_hash_with_indifferent_access"))


@dataclass(frozen=True, slots=True)
class RubyCall:
    """One call: class and arguments of the job itself, not of the wrapper around it."""

    job_class: str
    arguments: Sequence[object]
    active_job_id: str = ""
    """Active Job's own id, a UUID that Rails logs; empty for a plain job."""
    executions: int | None = None
    """Attempts that Active Job had begun when the job was pushed."""
    enqueued_at: int | None = None
    """ns UTC by the clock of the process that enqueued, where Active Job tells."""
    precision: Precision = Precision.SECOND

    @property
    def text(self) -> str:
        """The arguments as a person would write them, cleaned, not cut."""
        return call_text(self.arguments, {})

    @property
    def title(self) -> str:
        """`WelcomeMail(4711)`, cut."""
        shown = cut(self.text)
        if len(shown) > TITLE_CHARACTERS:
            shown = f"{shown[:TITLE_CHARACTERS]}…"
        return f"{self.job_class or 'a job without a class'}({shown})"


def call_of(payload: Mapping[str, object]) -> RubyCall:
    """The call of a job's JSON object: of its own, or of the Active Job job it wraps."""
    arguments = sequence_of(payload.get("args"))
    envelope = mapping(arguments[0]) if len(arguments) == 1 else {}
    if not ("job_class" in envelope and "arguments" in envelope):
        return RubyCall(word(payload.get("class")), arguments)
    stamp = word(envelope.get("enqueued_at"))
    return RubyCall(
        word(payload.get("wrapped")) or word(envelope.get("job_class")),
        [_plain(value, DEEPEST) for value in sequence_of(envelope.get("arguments"))],
        word(envelope.get("job_id")),
        number(envelope.get("executions")),
        iso_ns(stamp),
        precision_of(stamp),
    )


def iso_ns(stamp: str) -> int | None:
    """ns UTC of an ISO 8601 text with its offset, exact to the microsecond; None for any other.

    Active Job writes nine digits since Rails 7.1; the last three are dropped.
    """
    try:
        moment = datetime.fromisoformat(stamp)
    except ValueError:
        return None
    if moment.tzinfo is None:
        return None
    whole = (moment - _EPOCH) // timedelta(microseconds=1) * 1_000
    return whole if whole > 0 else None


def precision_of(stamp: str) -> Precision:
    return Precision.MICROSECOND if "." in stamp else Precision.SECOND


def _plain(value: object, deeper: int) -> object:
    """Arguments without Active Job's marks: a GlobalID as its text, a wrapped value as itself."""
    if deeper == 0:
        return "…"
    if isinstance(value, list):
        return [_plain(part, deeper - 1) for part in value]
    if not isinstance(value, dict):
        return value
    if "_aj_globalid" in value:
        return value["_aj_globalid"]
    if "_aj_serialized" in value and "value" in value:
        return _plain(value["value"], deeper - 1)
    return {k: _plain(v, deeper - 1) for k, v in value.items() if k not in _MARKS}
