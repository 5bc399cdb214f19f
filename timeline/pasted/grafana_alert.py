"""Grafana alerts: the webhook of unified alerting, the older webhook, and the texts of both.

The older webhook (`ruleName`, `evalMatches`) holds no time at all.
"""

from __future__ import annotations

import re

from timeline.pasted.alert_text import alert_text
from timeline.pasted.alertmanager import alerts_of, from_alerts
from timeline.pasted.contract import Pasted
from timeline.pasted.fields import json_of, keys_in, tags, text_of

_MARKS = re.compile(r"\[(?:Alerting|No Data|Firing|Resolved)\]|grafana", re.IGNORECASE)
_SAYS_ALERT = re.compile(
    r"\[Alerting\]|\[No Data\]|Alert rule|ruleName|Dashboard:|Silence:|View alert"
)


def understood(text: str) -> Pasted | None:
    value = json_of(text)
    if isinstance(value, dict):
        if "orgId" in value and (alerts := alerts_of(value)):
            return from_alerts("Grafana alert", alerts, value)
        if "ruleName" in value and ("evalMatches" in value or "ruleUrl" in value):
            labels = tags(value.get("tags"))
            return Pasted(
                "Grafana alert (before version 9)",
                title=text_of(value, "ruleName", "title"),
                service=text_of(labels, "service"),
                environment=text_of(labels, "environment", "env"),
                keys=keys_in(text_of(value, "message")),
                links=tuple(filter(None, [text_of(value, "ruleUrl")])),
                remarks=("this webhook holds no time",),
            )
        return None
    if value is None and _MARKS.search(text[:5_000]) and _SAYS_ALERT.search(text[:20_000]):
        return alert_text("Grafana message", text)
    return None
