"""One Sidekiq job as its JSON tells it: call, stamps in either unit, the last error.

Job texts were written by whoever could push to Redis: what is no JSON object, or too large, is
described and left closed; a backtrace is unpacked to a bounded size.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import zlib
from collections.abc import Mapping
from dataclasses import dataclass, field

from connectors.queues.active_job import RubyCall, call_of
from connectors.queues.payload import json_value, mapping, number, opaque, sequence_of, word
from connectors.queues.transitions import epoch_ns
from timeline.clean import LINE_BREAK, clean
from timeline.event import Precision
from timeline.window import SECOND_NS

MILLISECOND_NS = 1_000_000
MILLISECONDS_FROM = 1e11
"""A stamp above this is in milliseconds: Sidekiq 8.0 writes them where 7.x wrote float seconds,
and as seconds it would lie beyond the year 5000 (sidekiq 8.0, job_util.rb, job_retry.rb)."""
PAYLOAD_BYTES = 256 * 1024
"""Largest job text that is opened. Sidekiq asks for arguments of a few hundred bytes."""
BACKTRACE_BYTES = 1024 * 1024
"""A backtrace that unpacks to more than this is not one: a small text must not fill the memory."""
BACKTRACE_LINES = 40
ERROR_CHARACTERS = 8_192


@dataclass(frozen=True, slots=True)
class Stamp:
    """One instant as stored. `unit` is what it was written in."""

    timestamp: int
    unit: Precision


@dataclass(frozen=True, slots=True)
class Job:
    """One job. Texts are cleaned; `stamps` holds those that could be read."""

    jid: str
    queue: str
    call: RubyCall
    stamps: Mapping[str, Stamp] = field(default_factory=dict)
    retry_count: int | None = None
    """0 after the first failure (sidekiq 8.1.7, job_retry.rb); None before it."""
    retry_limit: int | None = None
    """Retries that the class asked for; None for the installation's default or none."""
    error: str = ""
    """Backtrace lines, if kept, then `Class: message`."""
    unopened: str = ""
    """Why the text was left closed; empty when it was read."""

    @property
    def title(self) -> str:
        return self.call.title if not self.unopened else f"job {self.jid} ({self.unopened})"

    @property
    def failures(self) -> int:
        """Attempts that have failed so far."""
        return 0 if self.retry_count is None else self.retry_count + 1


def job_from(payload: bytes, queue: str = "") -> Job:
    """The job of one element of a queue or set; never raises for what it holds."""
    if len(payload) > PAYLOAD_BYTES:
        return _closed(payload, queue, f"{len(payload)} bytes, too large to open")
    told = json_value(payload)
    if not isinstance(told, dict):
        return _closed(payload, queue, opaque(payload))
    stamps = {}
    for name in ("created_at", "enqueued_at", "failed_at", "retried_at"):
        if (stamp := stamp_of(told.get(name))) is not None:
            stamps[name] = stamp
    retry = told.get("retry")
    return Job(
        jid=word(told.get("jid")) or digest(payload),
        queue=word(told.get("queue")).removeprefix("queue:") or queue,
        call=call_of(told),
        stamps=stamps,
        retry_count=number(told.get("retry_count")),
        retry_limit=number(retry),
        error=_error(told),
    )


def stamp_of(value: object) -> Stamp | None:
    """Float seconds (up to Sidekiq 7) or whole milliseconds (from 8.0), told by magnitude."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    in_ms = value > MILLISECONDS_FROM
    whole = epoch_ns(value, MILLISECOND_NS if in_ms else SECOND_NS)
    if whole is None:
        return None
    if in_ms:
        return Stamp(whole, Precision.MILLISECOND)
    return Stamp(whole, Precision.SECOND if isinstance(value, int) else Precision.MICROSECOND)


def backtrace(packed: object) -> list[str]:
    """Lines of base64(zlib(JSON array)), or of the plain array that Sidekiq 5 kept; else none.

    Sidekiq 6 broke the base64 into lines, 7 does not.
    """
    lines = sequence_of(packed)
    if isinstance(packed, str):
        try:
            octets = base64.b64decode("".join(packed.split()), validate=True)
            content = zlib.decompressobj().decompress(octets, BACKTRACE_BYTES)
        except (binascii.Error, zlib.error, ValueError):
            return []
        lines = sequence_of(json_value(content))
    return [clean(line) for line in lines[:BACKTRACE_LINES] if isinstance(line, str)]


def digest(payload: bytes) -> str:
    """A name for a job that has none: of its text, so it is the same at every look."""
    return hashlib.blake2b(payload, digest_size=6).hexdigest()


def _closed(payload: bytes, queue: str, why: str) -> Job:
    return Job(jid=digest(payload), queue=queue, call=RubyCall("", ()), unopened=why)


def _error(told: Mapping[str, object]) -> str:
    """What was raised stands last, as `connectors.queues.transitions` expects it."""
    kind, message = word(told.get("error_class")), word(told.get("error_message"))
    if not (kind or message):
        return ""
    raised = ": ".join(part for part in (kind, message.replace(LINE_BREAK, " ")) if part)
    lines = [*backtrace(told.get("error_backtrace")), raised[:ERROR_CHARACTERS]]
    return LINE_BREAK.join(lines)


def text_of(payload: bytes) -> Mapping[str, object]:
    """A small JSON object (a process, a running job); empty when it is none."""
    return mapping(json_value(payload)) if len(payload) <= PAYLOAD_BYTES else {}
