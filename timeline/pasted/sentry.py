"""Sentry: an event, an issue and the webhooks as JSON, and its messages.

An issue has a first and a last time seen; when they lie apart nobody but the reader knows which
of them is meant. The time of an event is the error's own and not late.
"""

from __future__ import annotations

import re
from dataclasses import replace

from timeline.finding import JsonValue
from timeline.pasted.alert_text import alert_text, is_message
from timeline.pasted.contract import Instant, Meaning, Pasted
from timeline.pasted.fields import (
    ENVIRONMENT_NAMES,
    SERVICE_NAMES,
    Fields,
    json_of,
    keys_in,
    named,
    record,
    stamp_at,
    tags,
    text_of,
    texts_in,
)
from timeline.pasted.labels import found_in

_MARK = re.compile(r"sentry", re.IGNORECASE)
_DATE = re.compile(r"^date\b:?", re.IGNORECASE | re.MULTILINE)


def understood(text: str) -> Pasted | None:
    value = json_of(text)
    if value is None:
        return _message(text) if is_message(text, _MARK) else None
    for place in ((), ("event",), ("data", "event"), ("data", "error"), ("data", "issue")):
        fields = record(value, *place)
        if _is_event(fields):
            return _event(fields)
        if "firstSeen" in fields and "lastSeen" in fields:
            return _issue(fields)
    return None


def _is_event(fields: Fields) -> bool:
    has_id = "eventID" in fields or "event_id" in fields
    times = {"dateCreated", "datetime", "timestamp", "dateReceived"}
    return has_id and bool(times & set(fields))


def _event(event: Fields) -> Pasted:
    labels: dict[str, JsonValue] = {**tags(event.get("tags")), **dict(event)}
    stamp = stamp_at(event, "dateCreated", "datetime", "timestamp")
    project = record(dict(event), "project")
    read = {name: event.get(name) for name in ("title", "message", "extra", "contexts")}
    read["tags"] = tags(event.get("tags"))
    traced = record(dict(event), "contexts", "trace")
    trace = text_of(traced, "trace_id")
    keys = keys_in("\n".join(texts_in(read)) + (f"\ntrace_id={trace}" if trace else ""))
    return Pasted(
        "Sentry event",
        title=text_of(event, "title", "message", "culprit"),
        instants=found_in([(stamp, Meaning.LINE)]),
        service=named(tags(event.get("tags")), SERVICE_NAMES) or text_of(project, "slug"),
        environment=named(labels, ENVIRONMENT_NAMES),
        keys=tuple(dict.fromkeys(keys)),
        links=tuple(filter(None, [text_of(event, "web_url", "permalink")])),
    )


def _issue(issue: Fields) -> Pasted:
    seen = [(stamp_at(issue, name), Meaning.SEEN) for name in ("firstSeen", "lastSeen")]
    return Pasted(
        "Sentry issue",
        title=text_of(issue, "title", "culprit", "shortId"),
        instants=found_in(seen),
        service=text_of(record(dict(issue), "project"), "slug"),
        keys=keys_in(text_of(issue, "title")),
        links=tuple(filter(None, [text_of(issue, "permalink", "web_url")])),
    )


def _message(text: str) -> Pasted:
    """In a message of Sentry `Date:` is the event's own time unless mail headers stand above."""
    told = alert_text("Sentry message", text)
    if re.search(r"^(?:from|to|subject|received):", text[:20_000], re.IGNORECASE | re.M):
        return replace(told, late=None, late_why="")
    if not _DATE.search(text[:20_000]):
        return replace(told, late=None, late_why="")
    meant = Meaning.MENTIONED if told.relative else Meaning.LINE  # a phrase may say otherwise
    own = tuple(
        Instant(one.stamp, meant if one.meaning is Meaning.SENT else one.meaning)
        for one in told.instants
    )
    return replace(told, instants=own, late=None, late_why="")
