"""Pastes of alerting systems and what must be made of each: written here, shaped like the real."""

from __future__ import annotations

import json
from typing import NamedTuple


class Case(NamedTuple):
    """`pins` are the instants in UTC: one is a pin, more are a question, none a refusal.

    `says` must be in the question or the refusal; `before` are the minutes before T.
    """

    name: str
    text: str
    kind: str
    pins: tuple[str, ...] = ()
    says: str = ""
    service: str = ""
    environment: str = ""
    keys: tuple[str, ...] = ()
    before: int | None = None


def _alert(start: str, end: str = "0001-01-01T00:00:00Z", **labels: str) -> dict[str, object]:
    return {
        "status": "firing" if end.startswith("0001") else "resolved",
        "labels": {"alertname": "HighErrorRate", "service": "shop-web", "env": "prod", **labels},
        "annotations": {"summary": "5xx above 2 %"},
        "startsAt": start,
        "endsAt": end,
        "generatorURL": "https://prometheus.example/graph?g0.expr=up",
        "fingerprint": "9f2c",
    }


def _webhook(*alerts: dict[str, object], **more: object) -> str:
    head = {"version": "4", "groupKey": "{}:{}", "status": "firing", "receiver": "pager"}
    return json.dumps({**head, "alerts": list(alerts), **more})


def _pagerduty(event_type: str, occurred: str, **more: object) -> str:
    incident = {
        "id": "PABC123",
        "type": "incident",
        "number": 1207,
        "title": "shop-web: checkout p99 above 4 s",
        "created_at": "2026-03-14T02:13:40Z",
        "html_url": "https://acme.pagerduty.com/incidents/PABC123",
        "service": {"id": "PSVC", "summary": "shop-web"},
        **more,
    }
    event = {"id": "01E", "event_type": event_type, "occurred_at": occurred, "data": incident}
    return json.dumps({"event": event})


def _alarm(value: str) -> dict[str, object]:
    return {
        "AlarmName": "shop-web-5xx",
        "AlarmDescription": "too many errors",
        "NewStateValue": value,
        "StateChangeTime": "2026-03-14T02:13:40.482+0000",
        "Region": "EU (Frankfurt)",
        "Trigger": {
            "Period": 60,
            "EvaluationPeriods": 5,
            "Dimensions": [{"name": "ServiceName", "value": "shop-web"}],
        },
    }


_AT = "2026-03-14T02:13:40"
_GRAFANA = {**_alert(f"{_AT}Z"), "valueString": "[ var='A' value=7 ]", "dashboardURL": ""}
_OPSGENIE = {
    "alertId": "70413a06",
    "message": "queue mailers is stuck",
    "createdAt": 1773454420482,
    "updatedAt": 1773454480482000000,
    "tags": ["service:mailer", "env:prod"],
    "details": {"request_id": "8f2c41"},
}
_SENTRY_EVENT = {
    "eventID": "a3f9c0de",
    "title": "RecordNotFound: User 4711",
    "dateCreated": f"{_AT}.117Z",
    "dateReceived": "2026-03-14T02:13:44Z",
    "project": {"slug": "shop-web"},
    "tags": [{"key": "environment", "value": "production"}, {"key": "request_id", "value": "8f2c"}],
    "contexts": {"trace": {"trace_id": "4bf92f3577b34da6a3ce929d0e0e4736"}},
}
_DATADOG = {
    "alert_transition": "Triggered",
    "date": "1773454420000",
    "title": "[Triggered] errors on shop-web",
    "tags": "env:prod,service:shop-web,monitor",
    "alert_query": "avg(last_5m):sum:errors{service:shop-web} > 10",
}

ALERTS: tuple[Case, ...] = (
    Case(
        "one firing alert",
        _webhook(_alert(f"{_AT}.482Z")),
        "Alertmanager webhook",
        (f"{_AT}.482",),
        service="shop-web",
        environment="prod",
        before=45,
    ),
    Case(
        "the rule's own wait is in its annotation",
        _webhook(
            {**_alert(f"{_AT}Z"), "annotations": {"halfawake": "for=10m interval=30s service=x"}}
        ),
        "Alertmanager webhook",
        (_AT,),
        service="shop-web",
        environment="prod",
        before=41,  # 30 + 10 + half a minute, rounded up below
    ),
    Case(
        "two of a group within minutes",
        _webhook(_alert("2026-03-14T02:15:10Z"), _alert(f"{_AT}Z", service="mailer")),
        "Alertmanager webhook",
        (_AT,),
        environment="prod",
    ),
    Case(
        "one of the group has fired for three days",
        _webhook(_alert("2026-03-11T09:00:00Z"), _alert(f"{_AT}Z")),
        "Alertmanager webhook",
        ("2026-03-11T09:00:00", _AT),
        says="first and the last of 2 times",
    ),
    Case(
        "a resolved one beside a firing one",
        _webhook(_alert("2026-03-13T20:00:00Z", "2026-03-13T20:30:00Z"), _alert(f"{_AT}Z")),
        "Alertmanager webhook",
        (_AT,),
    ),
    Case(
        "a start with an offset and nanoseconds",
        _webhook(_alert("2026-03-14T03:13:40.123456789+01:00")),
        "Alertmanager webhook",
        (f"{_AT}.123456789",),
    ),
    Case(
        "alerts of the API",
        json.dumps([{**_alert(f"{_AT}Z"), "status": {"state": "active"}}]),
        "Alertmanager webhook",
        (_AT,),
        service="shop-web",
    ),
    Case(
        "an alert that starts in an hour",
        _webhook(_alert("2026-03-14T04:13:40Z")),
        "Alertmanager webhook",
        says="future",
    ),
    Case(
        "Slack with Go's way to print a time",
        "[FIRING:1] HighErrorRate (shop-web prod)\nservice: shop-web\nenv: prod\n"
        "Started: 2026-03-14 02:13:40.123 +0000 UTC\nrequest_id=8f2c41aa\n",
        "Alertmanager message",
        (f"{_AT}.123",),
        service="shop-web",
        environment="prod",
        keys=("request:8f2c41aa",),
    ),
    Case(
        "Slack without a time",
        "[FIRING:1] HighErrorRate (shop-web prod)\nerrors above 2 % for 10m",
        "Alertmanager message",
        says="no time in it",
    ),
    Case(
        "Slack's clock names no day",
        "alertbot APP  2:14 AM\n[FIRING:1] HighErrorRate",
        "Alertmanager message",
        says="no time in it",
    ),
    Case(
        "an e-mail that says only when it was sent",
        "From: alertmanager@example.org\nDate: Sat, 14 Mar 2026 02:14:10 +0000\n"
        "Subject: [FIRING:1] HighErrorRate\n\nLabels\nservice = shop-web\n",
        "Alertmanager message",
        ("2026-03-14T02:14:10",),
        service="shop-web",
        before=45,
    ),
    Case(
        "a time in an alert that is not the alert's",
        "[FIRING:1] CertificateExpires\nThe certificate is good up to 2026-03-14 01:00:00 UTC",
        "Alertmanager message",
        says="but not what happened then",
    ),
    Case(
        "a resolved message with its end alone",
        "[RESOLVED] HighErrorRate\nResolved: 2026-03-14 02:31:00 UTC",
        "Alertmanager message",
        says="only its end",
    ),
    Case(
        "a resolved message with both",
        "[RESOLVED] HighErrorRate\nStarted: 2026-03-14 02:13:40 UTC\n"
        "Ended: 2026-03-14 02:31:00 UTC",
        "Alertmanager message",
        (_AT,),
    ),
    Case(
        "Grafana's unified alerting",
        _webhook(_GRAFANA, orgId=1, title="[FIRING:1] HighErrorRate"),
        "Grafana alert",
        (_AT,),
        service="shop-web",
        environment="prod",
    ),
    Case(
        "Grafana before version 9 has no time",
        json.dumps({"ruleName": "p99", "evalMatches": [], "ruleUrl": "https://g.example/d/x"}),
        "Grafana alert (before version 9)",
        says="holds no time",
    ),
    Case(
        "Grafana's message",
        "[Alerting] p99 of checkout\nAlert rule: p99\nTriggered: 2026-03-14 02:13:40 CET\n",
        "Grafana message",
        ("2026-03-14T01:13:40",),
    ),
    Case(
        "PagerDuty's webhook",
        _pagerduty("incident.triggered", "2026-03-14T02:13:41Z"),
        "PagerDuty webhook",
        (_AT,),
        service="shop-web",
        before=45,
    ),
    Case(
        "PagerDuty's acknowledgement is no start",
        _pagerduty("incident.acknowledged", "2026-03-14T02:40:00Z"),
        "PagerDuty webhook",
        (_AT,),
    ),
    Case(
        "PagerDuty's acknowledgement without the start",
        _pagerduty("incident.acknowledged", "2026-03-14T02:40:00Z", created_at=None),
        "PagerDuty webhook",
        says="later than the start",
    ),
    Case(
        "an event for PagerDuty",
        json.dumps(
            {
                "event_action": "trigger",
                "payload": {
                    "summary": "disk full",
                    "timestamp": "2026-03-14T03:13:40+01:00",
                    "component": "postgres",
                    "custom_details": {"env": "staging"},
                },
            }
        ),
        "PagerDuty event",
        (_AT,),
        service="postgres",
        environment="staging",
    ),
    Case(
        "PagerDuty's text with a zone of two countries",
        "PagerDuty incident #1207\nService: shop-web\nOpened: Mar 13, 2026 at 6:13 PM PST\n"
        "Acknowledged: Mar 13, 2026 at 6:40 PM PST",
        "PagerDuty message",
        ("2026-03-13T10:13:00", "2026-03-14T02:13:00"),
        says="short for more than one",
    ),
    Case(
        "PagerDuty's text, the label on its own line",
        "PagerDuty\nOpened\nMarch 14, 2026, 2:13 AM (UTC)\nService\nshop-web",
        "PagerDuty message",
        ("2026-03-14T02:13:00",),
    ),
    Case(
        "a link to PagerDuty alone",
        "https://acme.pagerduty.com/incidents/PABC123",
        "PagerDuty message",
        says="no time in it",
    ),
    Case(
        "Opsgenie's webhook in milliseconds",
        json.dumps({"action": "Create", "alert": _OPSGENIE}),
        "Opsgenie webhook",
        (f"{_AT}.482",),
        service="mailer",
        environment="prod",
        keys=("request:8f2c41",),
    ),
    Case(
        "Opsgenie's message",
        "Opsgenie alert #42: queue is stuck\nCreated: Sat Mar 14 02:13:40 UTC 2026\nenv: prod",
        "Opsgenie message",
        (_AT,),
        environment="prod",
    ),
    Case(
        "Sentry's event",
        json.dumps(_SENTRY_EVENT),
        "Sentry event",
        (f"{_AT}.117",),
        service="shop-web",
        environment="production",
        keys=("request:8f2c", "trace:4bf92f3577b34da6a3ce929d0e0e4736"),
        before=30,
    ),
    Case(
        "Sentry's webhook with an epoch",
        json.dumps(
            {"data": {"event": {"event_id": "a3", "timestamp": 1773454420.117, "title": "boom"}}}
        ),
        "Sentry event",
        (f"{_AT}.117",),
    ),
    Case(
        "Sentry's issue, seen once",
        json.dumps(
            {"shortId": "SHOP-1", "firstSeen": f"{_AT}Z", "lastSeen": "2026-03-14T02:20:00Z"}
        ),
        "Sentry issue",
        (_AT,),
    ),
    Case(
        "Sentry's issue, seen for a week",
        json.dumps(
            {"shortId": "SHOP-1", "firstSeen": "2026-03-07T10:00:00Z", "lastSeen": f"{_AT}Z"}
        ),
        "Sentry issue",
        ("2026-03-07T10:00:00", _AT),
        says="lie 6 d",
    ),
    Case(
        "Sentry's message, relative, without the time it was sent",
        "Sentry: new issue SHOP-WEB-1A\nRecordNotFound\nFirst seen: 2 hours ago",
        "Sentry message",
        says="'2 hours ago' counts from a time that is not in it",
    ),
    Case(
        "Sentry's mail, relative to when it was sent",
        "From: noreply@sentry.example\nDate: Sat, 14 Mar 2026 02:43:40 +0000\n"
        "Subject: SHOP-WEB-1A\n\nLast seen: 30 minutes ago",
        "Sentry message",
        (_AT,),
        before=31,
    ),
    Case(
        "Sentry's message with the event's date",
        "Sentry SHOP-WEB-1A\nDate: March 14, 2026, 2:13:40 a.m. UTC\nenvironment: production",
        "Sentry message",
        (_AT,),
        environment="production",
    ),
    Case(
        "Datadog's webhook",
        json.dumps(_DATADOG),
        "Datadog webhook",
        (_AT,),
        service="shop-web",
        environment="prod",
        before=35,
    ),
    Case(
        "Datadog's webhook of a recovery",
        json.dumps({**_DATADOG, "alert_transition": "Recovered"}),
        "Datadog webhook",
        says="only its end",
    ),
    Case(
        "Datadog's message",
        "[Triggered] [P2] errors on shop-web\navg(last_10m):sum:errors{service:shop-web} > 10\n"
        "The monitor was last triggered at Sat Mar 14 2026 02:13:40 UTC.",
        "Datadog monitor",
        (_AT,),
        service="shop-web",
        before=30,
    ),
    Case(
        "CloudWatch by SNS",
        json.dumps({"Type": "Notification", "Message": json.dumps(_alarm("ALARM"))}),
        "CloudWatch alarm",
        (f"{_AT}.482",),
        service="shop-web",
        before=35,
    ),
    Case(
        "CloudWatch is fine again",
        json.dumps(_alarm("OK")),
        "CloudWatch alarm",
        says="only its end",
    ),
    Case(
        "CloudWatch by EventBridge",
        json.dumps(
            {
                "detail-type": "CloudWatch Alarm State Change",
                "time": "2026-03-14T02:13:41Z",
                "detail": {
                    "alarmName": "shop-web-5xx",
                    "state": {"value": "ALARM", "timestamp": "2026-03-14T02:13:40.482+0000"},
                },
            }
        ),
        "CloudWatch alarm",
        (f"{_AT}.482",),
        before=45,
    ),
    Case(
        "CloudWatch's e-mail",
        "You are receiving this email because your Amazon CloudWatch Alarm has entered ALARM.\n"
        "Alarm Details:\n- Name:                       shop-web-5xx\n"
        "- State Change:               OK -> ALARM\n"
        "- Timestamp:                  Saturday 14 March, 2026 02:13:40 UTC\n",
        "CloudWatch e-mail",
        (_AT,),
    ),
)
