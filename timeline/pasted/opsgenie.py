"""Opsgenie: its webhook (`createdAt` in ms, `updatedAt` in ns) and its messages."""

from __future__ import annotations

import re

from timeline.finding import JsonValue
from timeline.pasted.alert_text import alert_text, is_message
from timeline.pasted.contract import Meaning, Pasted
from timeline.pasted.fields import (
    ENVIRONMENT_NAMES,
    SERVICE_NAMES,
    json_of,
    keys_in,
    lateness,
    named,
    record,
    stamp_at,
    tags,
    text_of,
    texts_in,
)
from timeline.pasted.labels import found_in

_MARK = re.compile(r"opsgenie", re.IGNORECASE)


def understood(text: str) -> Pasted | None:
    value = json_of(text)
    if value is None:
        return alert_text("Opsgenie message", text) if is_message(text, _MARK) else None
    alert = record(value, "alert") or record(value, "data")
    if "message" not in alert or not ({"alertId", "tinyId"} & set(alert)):
        return None
    details: dict[str, JsonValue] = {
        **tags(alert.get("tags")),
        **tags(alert.get("details")),
    }
    read = {name: alert.get(name) for name in ("message", "description", "details", "tags")}
    told = "\n".join(texts_in(read))
    late, why = lateness(told)
    action = text_of(record(value), "action")
    return Pasted(
        "Opsgenie webhook",
        title=text_of(alert, "message"),
        instants=found_in([(stamp_at(alert, "createdAt"), Meaning.STARTED)]),
        service=named(details, SERVICE_NAMES) or text_of(alert, "entity"),
        environment=named(details, ENVIRONMENT_NAMES),
        keys=keys_in(told),
        remarks=(f"the action {action} is later than the start",)
        if action and action.lower() != "create"
        else (),
        late=late,
        late_why=why,
    )
