"""From a row of Celery's tables to what it tells: of a message when it was taken, of a result how
its task ended. JSON is read, pickle and every other format stays closed.
"""

from __future__ import annotations

import binascii
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from connectors.celery.messages import Message, message_from
from connectors.celery.results import KINDS
from connectors.queues.payload import call_text, json_value, opaque, too_large, word
from connectors.queues.transitions import WORKER_CLOCK, Moment, iso, transition
from connectors.sqlqueue.jobs import Call, JobLife, Row
from connectors.sqlqueue.shape import System
from timeline.event import Event, Kind, Meaning, Precision
from timeline.keys import KeyRules

TAKEN_STAGE = 2
"""Between the message's sending and whatever its task comes to, at the same stamp."""
TEXT_HEAD = 4
"""Bytes that PostgreSQL counts for a text beside its characters."""


def call_of_result(row: Row, _opaque_format: str) -> Call:
    """The call that an extended result keeps: two values, each as the serializer wrote it."""
    name = row.text("job_class")
    called = name.rpartition(".")[2] or f"task {row.job}"
    arguments, positional, unopened = _arguments(row)
    return Call(name, arguments, positional, unopened=unopened, called=called)


def _arguments(row: Row) -> tuple[str, Sequence[object], str]:
    """Arguments as text, the positional ones as values, and why they were not opened."""
    size = row.whole("args_bytes")
    if size is None:
        return "", (), ""
    try:
        content = binascii.unhexlify(row.text("args"))
    except (binascii.Error, ValueError):  # cut where a text may be no longer
        content = b""
    if not content:
        return "", (), too_large(max(size - TEXT_HEAD, 0) // 2)
    if content == b"\n":
        return "", (), ""
    first, _, second = content.partition(b"\n")
    positional, named = json_value(first or b"[]"), json_value(second or b"{}")
    if isinstance(positional, list) and isinstance(named, dict):
        return call_text(positional, named), positional, ""
    if isinstance(positional, str) and isinstance(named, str):  # Python's repr of them
        told = positional.removeprefix("(").removesuffix(")").removesuffix(",")
        rest = named.removeprefix("{").removesuffix("}")
        return word(", ".join(part for part in (told, rest) if part)), (), ""
    return "", (), opaque(content)


@dataclass(frozen=True, slots=True)
class ResultRows:
    """Rows of one table of results as events."""

    life: JobLife

    @classmethod
    def of_table(
        cls,
        source: str,
        system: System,
        label: str,
        rules: KeyRules,
        arguments: Mapping[str, Sequence[str]],
    ) -> ResultRows:
        return cls(JobLife(source, system, label, label, rules, arguments, call=call_of_result))

    def task(self, row: Row) -> str:
        return row.job

    def keys(self, row: Row) -> tuple[str, ...]:
        return self.life.keys(row)

    def unopened(self, row: Row) -> str:
        return str(self.life.facts(row).details.get("payload", ""))

    def events(self, row: Row, now: int) -> Iterator[Event]:
        """Its transitions; a state that tells none, as it was written or, without a time, seen."""
        told = list(self.life.of(row, (), now))
        yield from told or (self._state(row, now),)

    def _state(self, row: Row, now: int) -> Event:
        state, written = row.text("state"), row.stamp("@date_done")
        kind, words = KINDS.get(state, (Kind.LOG, f"is {state or 'of no state'}"))
        if written is None:
            words += " (seen now; Celery keeps no time of this state)"
        moment = Moment(
            kind,
            now if written is None else written,
            words,
            f"{self.life.label}/{row.id}#{state}@{now if written is None else written}",
            clock="" if written is None else WORKER_CLOCK,
            meaning=Meaning.POLLED if written is None else Meaning.OCCURRED,
            worker=row.text("worker"),
            error=row.text("error"),
            details={"now": True} if written is None else {},
        )
        return transition(self.life.source, self.life.facts(row), moment)


@dataclass(frozen=True, slots=True)
class MessageRows:
    """Rows of the broker's table as events."""

    source: str
    label: str
    rules: KeyRules
    arguments: Mapping[str, Sequence[str]] = field(default_factory=dict)
    parsed: dict[str, Message | None] = field(default_factory=dict)
    """By the row's id: a payload is written once and never changed."""

    def message(self, row: Row) -> Message | None:
        """The message, or None when it is none of kombu's, or too large to fetch."""
        if row.id not in self.parsed:
            content = row.text("args").encode("utf-8", "surrogatepass")
            message = message_from(content, row.text("queue")) if content else None
            self.parsed[row.id] = message
        return self.parsed[row.id]

    def task(self, row: Row) -> str:
        message = self.message(row)
        return "" if message is None else message.id

    def keys(self, row: Row) -> tuple[str, ...]:
        message = self.message(row)
        return () if message is None else message.facts(self.rules, self.arguments, "").keys

    def unopened(self, row: Row) -> str:
        message = self.message(row)
        return "" if message is None else message.opaque

    def events(self, row: Row, now: int) -> Iterator[Event]:
        """When it was taken, or that it waits at `now`."""
        message = self.message(row)
        if message is None:
            return
        state, taken = row.text("state"), row.stamp("@timestamp")
        facts = message.facts(self.rules, self.arguments, state)
        if state == "waiting":
            yield transition(self.source, facts, self._waits(row, message, now))
        elif taken is not None:
            yield transition(self.source, facts, self._taken(row, message, taken))

    def _waits(self, row: Row, message: Message, now: int) -> Moment:
        again = "again " if message.redelivered or message.retries else ""
        return Moment(
            Kind.JOB_ENQUEUED,
            now,
            f"waits {again}on {message.queue or '?'} now (when it was sent is not kept)",
            f"{self.label}/{row.id}#waiting@{now}",
            meaning=Meaning.POLLED,
            details={"now": True},
        )

    def _taken(self, row: Row, message: Message, taken: int) -> Moment:
        words = f"was taken from {message.queue or '?'} by a worker"
        if message.retries:
            words += f" for attempt {message.retries + 1}"
        if message.redelivered:
            words += " again: another worker gave it back"
        if message.eta is not None and message.eta > taken:
            words += f", which holds it until {iso(message.eta)}"
        return Moment(
            Kind.LOG,
            taken,
            words,
            f"{self.label}/{row.id}#taken@{taken}",
            clock=WORKER_CLOCK,
            precision=Precision.MICROSECOND,
            stage=TAKEN_STAGE,
        )
