"""One Celery message as kombu keeps it: envelope and arguments. JSON is read, nothing is loaded.

A body may be pickle or YAML, which run what their author chose: then only the envelope's own text
of the arguments (`argsrepr`, `kwargsrepr`) is shown, and the body by its size.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from connectors.queues.payload import (
    call_text,
    cut,
    iso_ns,
    json_value,
    keys_of,
    mapping,
    names_for,
    number,
    opaque,
    sequence_of,
    word,
)
from connectors.queues.transitions import JobFacts, iso
from timeline.keys import KeyRules

TITLE_ARGUMENTS = 120
JSON_CONTENT = "application/json"


@dataclass(frozen=True, slots=True)
class Message:
    """One message. All texts are cleaned; `arguments` is text, never anything to be loaded."""

    id: str
    task: str
    arguments: str
    positional: Sequence[object] = ()
    queue: str = ""
    eta: int | None = None
    """Due time, ns UTC, of a task with a countdown, an eta or a retry to come."""
    retries: int | None = None
    redelivered: bool = False
    opaque: str = ""
    """What an unopened body is; empty for one that was read."""
    details: Mapping[str, object] = field(default_factory=dict)
    related: tuple[str, ...] = ()
    """Ids of the tasks that started this one."""

    def facts(self, rules: KeyRules, names: Mapping[str, Sequence[str]], status: str) -> JobFacts:
        """What the message says of its task, in the shape of all queues."""
        short = self.arguments[:TITLE_ARGUMENTS]
        dots = "…" if len(self.arguments) > TITLE_ARGUMENTS else ""
        called = self.task.rpartition(".")[2]
        configured = names_for(self.task, names)
        found = keys_of(rules, self.arguments, configured, self.positional)
        details = dict(self.details)
        if self.opaque:
            details["body"] = self.opaque
        return JobFacts(
            id=self.id,
            title=f"{called}({short}{dots})" if called else f"task {self.id or 'without an id'}",
            job_class=self.task,
            queue=self.queue,
            args=cut(self.arguments),
            status=status,
            keys=tuple(dict.fromkeys((f"job:{self.id}", *found))) if self.id else found,
            attempt=None if self.retries is None else self.retries + 1,
            details=details,
        )


def message_from(content: bytes, queue: str = "") -> Message | None:
    """The message in a queue's element; None when it is no kombu message at all."""
    return message_of(json_value(content), queue)


def delivered_from(content: bytes) -> Message | None:
    """The message in a value of `unacked`: `[message, exchange, routing_key]`."""
    parts = sequence_of(json_value(content))
    return message_of(parts[0], word(parts[2])) if len(parts) == 3 else None


def message_of(value: object, queue: str) -> Message | None:
    """A message from its JSON object, of protocol 2 or of protocol 1 (Celery 3)."""
    envelope = mapping(value)
    if not {"body", "headers", "properties"} <= envelope.keys():
        return None
    headers, properties = mapping(envelope["headers"]), mapping(envelope["properties"])
    body, unopened = _body(envelope, headers)
    if not word(headers.get("task")) and "task" in mapping(body):
        headers = {**mapping(body), **headers}  # protocol 1 keeps its headers in the body
        arguments = [headers.get("args"), headers.get("kwargs")]
    else:
        arguments = list(sequence_of(body))[:2]
    positional = list(sequence_of(arguments[0])) if arguments else []
    named = mapping(arguments[1]) if len(arguments) > 1 else {}
    delivery = mapping(properties.get("delivery_info"))
    related = [word(headers.get(name)) for name in ("parent_id", "root_id")]
    job_id = word(headers.get("id")) or word(properties.get("correlation_id"))
    eta = iso_ns(headers.get("eta"))
    details: dict[str, object] = {
        name: word(headers.get(name))
        for name in ("origin", "root_id", "parent_id", "group", "expires")
        if word(headers.get(name))
    }
    if eta is not None:
        details["due_at"] = iso(eta)
    redelivered = any(part.get("redelivered") is True for part in (envelope, headers, delivery))
    if redelivered:
        details["redelivered"] = True
    return Message(
        id=job_id,
        task=word(headers.get("task")),
        arguments=_represented(headers) if unopened else call_text(positional, named),
        positional=positional,
        queue=queue or word(delivery.get("routing_key")),
        eta=eta,
        retries=number(headers.get("retries")),
        redelivered=redelivered,
        opaque=unopened,
        details=details,
        related=tuple(r for r in dict.fromkeys(related) if r and r != job_id),
    )


def _body(envelope: Mapping[str, object], headers: Mapping[str, object]) -> tuple[object, str]:
    """The decoded body, or what it is when it stays closed."""
    stated, body = word(envelope.get("content-type")), envelope["body"]
    content = body.encode("utf-8", "surrogatepass") if isinstance(body, str) else b""
    if word(mapping(envelope["properties"]).get("body_encoding")) == "base64":
        try:
            content = base64.b64decode(content, validate=True)
        except (binascii.Error, ValueError):
            return None, opaque(content, "damaged")
    if compressed := word(headers.get("compression")):
        return None, opaque(content, compressed)
    value = json_value(content) if stated == JSON_CONTENT else None
    return (value, "") if value is not None else (None, opaque(content, stated))


def _represented(headers: Mapping[str, object]) -> str:
    """The arguments as the sender wrote them out for people: `4711, {'kind': 'welcome'}`."""
    positional = word(headers.get("argsrepr")).removeprefix("(").removesuffix(")").removesuffix(",")
    named = word(headers.get("kwargsrepr"))
    return ", ".join(part for part in (positional, "" if named == "{}" else named) if part)
