"""PagerDuty: webhooks (v3, v2), an incident of the API, an event of its Events API, messages."""

from __future__ import annotations

import re

from timeline.finding import JsonValue
from timeline.pasted.alert_text import alert_text, is_message
from timeline.pasted.contract import Meaning, Pasted
from timeline.pasted.fields import (
    ENVIRONMENT_NAMES,
    SERVICE_NAMES,
    Fields,
    json_of,
    keys_in,
    lateness,
    named,
    record,
    records,
    stamp_at,
    text_of,
    texts_in,
)
from timeline.pasted.labels import found_in

_MARK = re.compile(r"pagerduty", re.IGNORECASE)


def understood(text: str) -> Pasted | None:
    value = json_of(text)
    if value is None:
        return alert_text("PagerDuty message", text) if is_message(text, _MARK) else None
    if (event := record(value, "event")) and "occurred_at" in event:
        return _incident("PagerDuty webhook", {**record(event, "data")}, event)
    if messages := records(value.get("messages") if isinstance(value, dict) else None):
        incident = record(dict(messages[0]), "incident")
        return _incident("PagerDuty webhook", incident, messages[0]) if incident else None
    if incident := record(value, "incident"):
        return _incident("PagerDuty incident", incident, {}) if _is_incident(incident) else None
    if isinstance(value, dict) and _is_incident(value):
        return _incident("PagerDuty incident", value, {})
    payload = record(value, "payload")
    if isinstance(value, dict) and "event_action" in value and "summary" in payload:
        return _event(payload)
    return None


def _is_incident(fields: Fields) -> bool:
    return "incident_number" in fields or "pagerduty.com" in text_of(fields, "html_url", "self")


def _incident(kind: str, incident: Fields, event: Fields) -> Pasted:
    """T is when the incident was made; what happened to it later is no start."""
    later = text_of(event, "event_type", "event")
    created = stamp_at(incident, "created_at")
    resolved = stamp_at(incident, "resolved_at")
    begun = "trigger" in later
    if created is None and begun:
        created = stamp_at(event, "occurred_at", "created_on")
    if resolved is None and "resolve" in later:
        resolved = stamp_at(event, "occurred_at", "created_on")
    told = "\n".join(texts_in(_without_parts(dict(incident))))
    details: dict[str, JsonValue] = {**record(dict(incident), "body", "details")}
    late, why = lateness(told)
    service = record(dict(incident), "service")
    return Pasted(
        kind,
        title=text_of(incident, "title", "summary", "description"),
        instants=found_in([(created, Meaning.STARTED), (resolved, Meaning.RESOLVED)]),
        service=text_of(service, "summary", "name"),
        environment=named(details, ENVIRONMENT_NAMES),
        keys=keys_in(told),
        links=tuple(filter(None, [text_of(incident, "html_url")])),
        remarks=(f"{later} is later than the start",) if later and not begun else (),
        late=late,
        late_why=why,
    )


def _event(payload: Fields) -> Pasted:
    details: dict[str, JsonValue] = {**record(dict(payload), "custom_details")}
    told = "\n".join(texts_in(dict(payload)))
    late, why = lateness(told)
    return Pasted(
        "PagerDuty event",
        title=text_of(payload, "summary"),
        instants=found_in([(stamp_at(payload, "timestamp"), Meaning.STARTED)]),
        service=named(details, SERVICE_NAMES) or text_of(payload, "component"),
        environment=named(details, ENVIRONMENT_NAMES),
        keys=keys_in(told),
        late=late,
        late_why=why,
    )


def _without_parts(incident: dict[str, JsonValue]) -> dict[str, JsonValue]:
    """Only what people and monitors wrote: PagerDuty's own objects have ids of their own."""
    return {name: incident.get(name) for name in ("title", "description", "body", "summary")}
