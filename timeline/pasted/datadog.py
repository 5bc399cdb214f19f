"""Datadog: monitor messages, the usual webhook variables, and links with `from_ts` and `to_ts`.

A monitor looks at the stretch its query names (`avg(last_5m)`), so it is late by up to that.
"""

from __future__ import annotations

import re
from dataclasses import replace

from timeline.pasted.alert_text import alert_text, is_message
from timeline.pasted.contract import Meaning, Pasted
from timeline.pasted.fields import (
    ENVIRONMENT_NAMES,
    SERVICE_NAMES,
    UNKNOWN_LATE_NS,
    json_of,
    keys_in,
    named,
    stamp_at,
    tags,
    text_of,
)
from timeline.pasted.labels import found_in
from timeline.pin import length_of

_MARK = re.compile(
    r"datadog|^\[(?:Triggered|Re-Triggered|Recovered|Warn|No data)\b[^\]]*\]", re.I | re.M
)
_LAST = re.compile(r"\(last_(\d{1,4}[smhd])\)")


def understood(text: str) -> Pasted | None:
    value = json_of(text)
    if value is None:
        if not is_message(text, _MARK):
            return None
        return _late(alert_text("Datadog monitor", text), text)
    if not isinstance(value, dict) or not ({"alert_transition", "event_type"} & set(value)):
        return None
    labels = tags(value.get("tags"))
    over = text_of(value, "alert_transition").lower() == "recovered"
    stamp = stamp_at(value, "date", "last_updated")
    said = f"{text_of(value, 'title')}\n{text_of(value, 'body')}\n{text_of(value, 'alert_query')}"
    told = Pasted(
        "Datadog webhook",
        title=text_of(value, "title", "event_title"),
        instants=found_in([(stamp, Meaning.RESOLVED if over else Meaning.STARTED)]),
        service=named(labels, SERVICE_NAMES),
        environment=named(labels, ENVIRONMENT_NAMES),
        keys=keys_in(said),
    )
    return _late(told, said)


def _late(told: Pasted, text: str) -> Pasted:
    found = [length_of(match[1]) for match in _LAST.finditer(text[:50_000])]
    lengths = [length for length in found if length]
    if not lengths:
        why = "a monitor is late by the stretch it looks at, which is not said"
        return replace(told, late=UNKNOWN_LATE_NS, late_why=why)
    why = f"a monitor is late by the stretch it looks at (last_{_LAST.findall(text)[0]})"
    return replace(told, late=max(lengths), late_why=why)
