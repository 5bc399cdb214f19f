"""CloudWatch alarms: the SNS message, the EventBridge event, and the e-mail.

The state changes once enough periods were over their limit, so it is late by their sum.
"""

from __future__ import annotations

import re
from dataclasses import replace

from timeline.finding import JsonValue
from timeline.pasted.alert_text import alert_text
from timeline.pasted.contract import Meaning, Pasted
from timeline.pasted.fields import (
    ENVIRONMENT_NAMES,
    SERVICE_NAMES,
    UNKNOWN_LATE_NS,
    Fields,
    json_of,
    keys_in,
    named,
    record,
    stamp_at,
    tags,
    text_of,
)
from timeline.pasted.labels import found_in
from timeline.window import SECOND_NS

_MARK = re.compile(r"Amazon CloudWatch Alarm|^- State Change: ", re.MULTILINE)
_NAME = re.compile(r"^- (?:Alarm )?Name: +(.{1,200})$", re.MULTILINE)
_LATE = "an alarm is late by its period times the periods it evaluates"
MOST_PERIODS = 10_080
"""Evaluated periods times their length reach a week at most (CloudWatch's own limit)."""


def understood(text: str) -> Pasted | None:
    value = json_of(text)
    if value is None:
        return _mail(text) if _MARK.search(text[:20_000]) else None
    if not isinstance(value, dict):
        return None
    if "AlarmName" in value and "NewStateValue" in value:
        trigger = record(value, "Trigger")
        labels = tags(trigger.get("Dimensions"))
        stamp = stamp_at(value, "StateChangeTime")
        told = _told(text_of(value, "AlarmName"), stamp_state(value, "NewStateValue"), labels)
        told = replace(told, instants=found_in([(stamp, _meaning(value, "NewStateValue"))]))
        return _late(replace(told, keys=keys_in(text_of(value, "AlarmDescription"))), trigger)
    if value.get("detail-type") == "CloudWatch Alarm State Change":
        state = record(value, "detail", "state")
        stamp = stamp_at(state, "timestamp") or stamp_at(value, "time")
        told = _told(text_of(record(value, "detail"), "alarmName"), stamp_state(state, "value"), {})
        return _late(replace(told, instants=found_in([(stamp, _meaning(state, "value"))])), {})
    return None


def stamp_state(fields: Fields, name: str) -> str:
    return text_of(fields, name).upper()


def _meaning(fields: Fields, name: str) -> Meaning:
    return Meaning.RESOLVED if stamp_state(fields, name) == "OK" else Meaning.STARTED


def _told(name: str, state: str, labels: dict[str, JsonValue]) -> Pasted:
    service = named({k.lower(): v for k, v in labels.items()}, ("servicename", *SERVICE_NAMES))
    return Pasted(
        "CloudWatch alarm",
        title=f"{name}: {state}",
        service=service,
        environment=named(labels, ENVIRONMENT_NAMES),
    )


def _mail(text: str) -> Pasted:
    name = _NAME.search(text[:20_000])
    told = alert_text("CloudWatch e-mail", text, name[1].strip() if name else "")
    if re.search(r"^- State Change: +\S+ +-> +OK", text[:20_000], re.MULTILINE):
        ends = tuple(
            replace(one, meaning=Meaning.RESOLVED) if one.meaning is Meaning.STARTED else one
            for one in told.instants
        )
        told = replace(told, instants=ends)
    return _late(told, {})


def _late(told: Pasted, trigger: Fields) -> Pasted:
    period, count = trigger.get("Period"), trigger.get("EvaluationPeriods")
    if (
        isinstance(period, int)
        and isinstance(count, int)
        and 0 < period * count <= 60 * MOST_PERIODS
    ):
        why = f"{_LATE} ({count} of {period} s)"
        return replace(told, late=period * count * SECOND_NS, late_why=why)
    return replace(told, late=UNKNOWN_LATE_NS, late_why=f"{_LATE}, not said")
