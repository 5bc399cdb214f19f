"""Alertmanager: its webhook (version 4), alerts of its API, and its chat and e-mail texts.

`startsAt` is when the rule began to fire, which is the end of its `for:` (Prometheus documents
both); `endsAt` of a firing alert lies in the future and is nobody's end.
"""

from __future__ import annotations

import re

from timeline.finding import JsonValue
from timeline.pasted.alert_text import alert_text
from timeline.pasted.contract import Instant, Meaning, Pasted
from timeline.pasted.fields import (
    ENVIRONMENT_NAMES,
    SERVICE_NAMES,
    Fields,
    common,
    json_of,
    keys_in,
    lateness,
    record,
    records,
    stamp_at,
    text_of,
    texts_in,
)
from timeline.pasted.labels import found_in

_HEAD = re.compile(r"\[(?:FIRING|RESOLVED)(?::\d+)?\]", re.IGNORECASE)


def understood(text: str) -> Pasted | None:
    value = json_of(text)
    if value is not None:
        groups = alerts_of(value)
        return from_alerts("Alertmanager webhook", groups, value) if groups else None
    return alert_text("Alertmanager message", text) if _HEAD.search(text[:5_000]) else None


def alerts_of(value: JsonValue) -> list[Fields]:
    """The alerts of a webhook or of the API; none for anything else."""
    inside = value.get("alerts") if isinstance(value, dict) else value
    found = [one for one in records(inside) if "startsAt" in one and "labels" in one]
    if not found and isinstance(value, dict) and "startsAt" in value and "labels" in value:
        return [value]
    return found


def from_alerts(kind: str, alerts: list[Fields], value: JsonValue) -> Pasted:
    """Alerts in Alertmanager's shape, which Grafana's alerting shares."""
    firing = [one for one in alerts if _status(one) != "resolved"]
    told = firing or alerts
    whole = record(value, "commonLabels")
    labels: list[Fields] = [{**whole, **record(one, "labels")} for one in told]
    said = "\n".join(texts_in([dict(record(one, "labels")) for one in told]))
    notes = "\n".join(texts_in([dict(record(one, "annotations")) for one in told]))
    late, why = lateness(f"{said}\n{notes}\n" + "\n".join(texts_in(dict(_common_notes(value)))))
    links = [text_of(one, "generatorURL", "dashboardURL") for one in told]
    remarks = []
    if firing and len(firing) < len(alerts):
        remarks.append(f"{len(alerts) - len(firing)} of the group resolved, left out")
    return Pasted(
        kind,
        title=f"{common(labels, ('alertname',)) or 'several rules'}, {_counted(firing, alerts)}",
        instants=_instants(told),
        service=common(labels, SERVICE_NAMES),
        environment=common(labels, ENVIRONMENT_NAMES),
        keys=keys_in(f"{said}\n{notes}"),
        links=tuple(dict.fromkeys(link for link in links if link)),
        remarks=tuple(remarks),
        late=late,
        late_why=why,
    )


def _common_notes(value: JsonValue) -> Fields:
    return record(value, "commonAnnotations")


def _instants(alerts: list[Fields]) -> tuple[Instant, ...]:
    starts = [(stamp_at(one, "startsAt"), Meaning.STARTED) for one in alerts]
    over = [one for one in alerts if _status(one) == "resolved"]
    return found_in([*starts, *((stamp_at(one, "endsAt"), Meaning.RESOLVED) for one in over)])


def _status(alert: Fields) -> str:
    """`firing` or `resolved`; the API says `active` inside an object."""
    status = alert.get("status")
    return status.lower() if isinstance(status, str) else text_of(record(alert, "status"), "state")


def _counted(firing: list[Fields], alerts: list[Fields]) -> str:
    return f"{len(firing)} firing" if firing else f"{len(alerts)} resolved"
