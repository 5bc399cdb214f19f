"""Pastes of links, traces, log lines and prose, and what must be made of each."""

from __future__ import annotations

import json
from urllib.parse import quote

from tests.timeline.pasted_alerts import Case

_AT = "2026-03-14T02:13:40"
_BERLIN_OR_UTC = ("2026-03-14T01:13:40", _AT)
_PANES = {
    "abc": {
        "datasource": "loki",
        "queries": [{"expr": '{app="shop-web", env="prod"} |= `timeout`'}],
        "range": {"from": "1773453600000", "to": "1773454800000"},
    }
}
_MOVED = {**_PANES, "xyz": {"range": {"from": "1773440000000", "to": "1773454800000"}}}
_TIME_G = "_g=(filters:!(),time:(from:'2026-03-14T02:00:00.000Z',to:'2026-03-14T02:20:00.000Z'))"

LINKS: tuple[Case, ...] = (
    Case(
        "Kibana's Discover",
        f"https://kibana.example/app/discover#/?{_TIME_G}"
        "&_a=(columns:!(_source),query:(language:kuery,"
        "query:'service.name%20:%20%22shop-web%22%20and%20trace.id:4bf92f35'))",
        "Kibana link",
        ("2026-03-14T02:20:00",),
        service="shop-web",
        keys=("trace:4bf92f35",),
        before=20,
    ),
    Case(
        "Kibana, relative",
        "https://kibana.example/app/discover#/?_g=(time:(from:now-15m,to:now))&_a=()",
        "Kibana link",
        says="depends on when it was looked at",
    ),
    Case(
        "OpenSearch Dashboards",
        f"https://logs.example/_dashboards/app/data-explorer/discover#?{_TIME_G}",
        "OpenSearch Dashboards link",
        ("2026-03-14T02:20:00",),
    ),
    Case(
        "Grafana's Explore",
        f"https://grafana.example/explore?schemaVersion=1&panes={quote(json.dumps(_PANES))}&orgId=1",
        "Grafana link",
        ("2026-03-14T02:20:00",),
        service="shop-web",
        environment="prod",
        before=20,
    ),
    Case(
        "Grafana's Explore with two ranges",
        f"https://grafana.example/explore?panes={quote(json.dumps(_MOVED))}&orgId=1",
        "Grafana link",
        says="different time ranges",
    ),
    Case(
        "Grafana's Explore of old",
        "https://grafana.example/explore?orgId=1&left="
        + quote(json.dumps(["1773453600000", "1773454800000", "Loki", {"expr": '{app="mailer"}'}])),
        "Grafana link",
        ("2026-03-14T02:20:00",),
        service="mailer",
    ),
    Case(
        "a dashboard with ISO times and variables",
        "https://grafana.example/d/ab/shop?orgId=1&from=2026-03-14T02:00:00.000Z"
        "&to=2026-03-14T02:20:00.000Z&var-service=sentry-relay&var-host=All",
        "Grafana link",
        ("2026-03-14T02:20:00",),
        service="sentry-relay",
    ),
    Case(
        "a dashboard of the last hour",
        "https://grafana.example/d/ab/shop?orgId=1&from=now-1h&to=now",
        "Grafana link",
        says="depends on when",
    ),
    Case(
        "a dashboard of a month",
        "https://grafana.example/d/ab/shop?from=1770000000000&to=1773454800000",
        "Grafana link",
        says="long",
    ),
    Case(
        "Datadog's logs",
        "https://app.datadoghq.com/logs?query=service%3Ashop-web%20env%3Aprod"
        "&from_ts=1773453600000&to_ts=1773454800000&live=false",
        "Datadog link",
        ("2026-03-14T02:20:00",),
        service="shop-web",
        environment="prod",
    ),
    Case(
        "Datadog's live view",
        "https://app.datadoghq.com/logs?from_ts=1773453600000&to_ts=1773454800000&live=true",
        "Datadog link",
        says="moves on",
    ),
)

TRACES: tuple[Case, ...] = (
    Case(
        "Java",
        "2026-03-14T02:13:40.482Z ERROR [main] o.s.Checkout request_id=8f2c - failed\n"
        "java.lang.IllegalStateException: no stock\n"
        "\tat com.acme.shop.Stock.take(Stock.java:112)\n"
        "\tat java.base/java.lang.Thread.run(Thread.java:840)\n",
        "Java stack trace",
        (f"{_AT}.482",),
        keys=("request:8f2c",),
        before=30,
    ),
    Case(
        "Clojure",
        "2026-03-14T02:13:40Z ERROR shop.core - boom\n"
        "clojure.lang.ExceptionInfo: boom {:order-id 4711}\n"
        " at shop.core$take_stock.invokeStatic(core.clj:42)\n",
        "Clojure stack trace",
        (_AT,),
    ),
    Case(
        "Python without a zone",
        "2026-03-14 02:13:40,482 ERROR shop boom\nTraceback (most recent call last):\n"
        '  File "/app/sentry_sdk/x.py", line 3, in f\nKeyError: 1\n',
        "Python stack trace",
        ("2026-03-14T01:13:40.482", f"{_AT}.482"),
        says="names no zone",
    ),
    Case(
        "Python without a stamp",
        'Traceback (most recent call last):\n  File "/app/x.py", line 3, in f\n'
        "KeyError: 'job_id=8f2c'\n",
        "Python stack trace",
        says="halfawake at job:8f2c",
    ),
    Case(
        "Ruby",
        "E, [2026-03-14T02:13:40.482913 #12] ERROR -- : RuntimeError: boom\n"
        "app/models/user.rb:12:in `save!'\n",
        "Ruby stack trace",
        ("2026-03-14T01:13:40.482913", f"{_AT}.482913"),
        says="names no zone",
    ),
    Case(
        "Node",
        "[2026-03-14T02:13:40.482Z] error: boom\nTypeError: x is not a function\n"
        "    at Object.<anonymous> (/app/server.js:12:5)\n",
        "Node stack trace",
        (f"{_AT}.482",),
    ),
    Case(
        "Go",
        "2026/03/14 02:13:40 http: panic serving 10.0.0.9:51234: boom\ngoroutine 41 [running]:\n"
        "main.take(...)\n\t/app/stock.go:12 +0x1d\n",
        "Go stack trace",
        _BERLIN_OR_UTC,
        says="names no zone",
    ),
    Case(
        "Elixir's console names no day",
        "02:13:40.482 [error] GenServer Shop.Stock terminating\n** (RuntimeError) boom\n"
        "    (shop 0.1.0) lib/shop/stock.ex:12: Shop.Stock.take/1\n",
        "Elixir stack trace",
        says="names no day",
    ),
    Case(
        ".NET with an offset",
        "2026-03-14 03:13:40.482 +01:00 [ERR] boom\nSystem.InvalidOperationException: boom\n"
        "   at Shop.Stock.Take(Int32 n) in /src/Stock.cs:line 12\n",
        ".NET stack trace",
        (f"{_AT}.482",),
    ),
)

LINES: tuple[Case, ...] = (
    Case(
        "a JSON line",
        json.dumps(
            {"timestamp": f"{_AT}.482Z", "level": "error", "message": "x", "service": "web"}
        ),
        "JSON log line",
        (f"{_AT}.482",),
        service="web",
    ),
    Case(
        "a JSON line in milliseconds",
        '{"level":50,"time":1773454420482,"pid":12,"msg":"boom","req_id":"8f2c"}',
        "JSON log line",
        (f"{_AT}.482",),
        keys=("request:8f2c",),
    ),
    Case(
        "a list of rows",
        '[{"ts": 1773454420.5, "msg": "boom"}]',
        "JSON log line",
        (f"{_AT}.5",),
    ),
    Case(
        "a hit of Elasticsearch",
        json.dumps({"_index": "logs", "_source": {"@timestamp": f"{_AT}Z", "message": "boom"}}),
        "JSON log line",
        (_AT,),
    ),
    Case(
        "logfmt",
        "ts=2026-03-14T02:13:40.482Z level=error msg=boom service=shop-web trace_id=4bf92f35",
        "log line",
        (f"{_AT}.482",),
        service="shop-web",
        keys=("trace:4bf92f35",),
    ),
    Case(
        "an access log",
        '10.0.0.9 - frank [14/Mar/2026:02:13:40 +0000] "POST /orders HTTP/1.1" 502 157',
        "log line",
        (_AT,),
    ),
    Case("an epoch in front", "1773454420.482913 redis lost", "log line", (f"{_AT}.482913",)),
    Case("an epoch in ns", "1773454420482913117 kernel: oom", "log line", (f"{_AT}.482913117",)),
    Case(
        "syslog",
        "Mar 14 02:13:40 web-1 sshd[12]: error: boom",
        "log line",
        _BERLIN_OR_UTC,
        says="names no zone",
    ),
    Case(
        "PostgreSQL",
        "2026-03-14 02:13:40.482 UTC [812] ERROR:  deadlock detected",
        "log line",
        (f"{_AT}.482",),
    ),
    Case("docker", "web-1  | 2026-03-14T02:13:40Z ERROR boom", "log line", (_AT,)),
    Case(
        "the one error of three lines",
        "2026-03-14T01:40:00Z INFO a\n2026-03-14T02:13:40Z ERROR b\n2026-03-14T02:45:00Z INFO c",
        "log lines",
        (_AT,),
    ),
    Case(
        "lines an hour apart",
        "2026-03-14T01:13:40Z INFO a\n2026-03-14T02:13:40Z INFO b",
        "log lines",
        _BERLIN_OR_UTC,
        says="lie 1 h apart",
    ),
    Case(
        "a line about another time has none of its own",
        "user 12 created_at=2025-01-01T00:00:00Z cannot log in, request_id=8f2c",
        "text",
        says="no time in it",
    ),
    Case(
        "klog",
        "E0314 02:13:40.482913       1 reflector.go:138] failed",
        "log line",
        ("2026-03-14T01:13:40.482913", f"{_AT}.482913"),
        says="names no zone",
    ),
    Case(
        "Spark's short year",
        "26/03/14 02:13:40 ERROR Executor: boom",
        "log line",
        ("2014-03-26T01:13:40", "2014-03-26T02:13:40", "2026-03-14T01:13:40", _AT),
        says="both ways",
    ),
)

PROSE: tuple[Case, ...] = (
    Case(
        "day or month first",
        "checkout is down since 03/04/2026 02:13 UTC",
        "text",
        ("2026-03-04T02:13:00",),  # 3 April has not come yet
    ),
    Case(
        "day or month first, both past",
        "checkout is down since 03/02/2026 02:13 UTC",
        "text",
        ("2026-02-03T02:13:00", "2026-03-02T02:13:00"),
        says="both ways",
    ),
    Case("German", "Ausfall seit 14. März 2026 um 03:13 MEZ", "text", ("2026-03-14T02:13:00",)),
    Case("French", "en panne depuis le 14 mars 2026 à 02h13 UTC", "text", ("2026-03-14T02:13:00",)),
    Case("Spanish", "desde el 14 de marzo de 2026, 02:13 UTC", "text", ("2026-03-14T02:13:00",)),
    Case("Japanese", "2026年3月14日 11:13:40 JST から", "log line", (_AT,)),
    Case(
        "a month's name of two languages",
        "od 14 listopada 2025 02:13 UTC",
        "text",
        ("2025-10-14T02:13:00", "2025-11-14T02:13:00"),
        says="both ways",
    ),
    Case(
        "a named zone",
        "errors since 2026-03-14 03:13:40 Europe/Berlin",
        "text",
        (_AT,),
    ),
    Case(
        "a span is no offset",
        "errors 2026-03-14 02:13-01:00",
        "text",
        ("2026-03-14T01:13:00", "2026-03-14T02:13:00"),  # at -01:00 it would lie ahead
        says="end of a span",
    ),
    Case(
        "a deploy is not the fault",
        "shop-web is slow, deployed at 2026-03-13T16:00:00Z, request_id=8f2c",
        "text",
        says="halfawake at request:8f2c",
    ),
    Case(
        "yesterday, of when",
        "It began yesterday and got worse 20 minutes ago",
        "text",
        says="counts from a time",
    ),
    Case(
        "two times nobody explains",
        "see 2026-03-14T02:13:40Z and 2026-03-14T02:20:00Z",
        "text",
        (_AT, "2026-03-14T02:20:00"),
        says="first and the last",
    ),
)
CASES = (*LINKS, *TRACES, *LINES, *PROSE)
