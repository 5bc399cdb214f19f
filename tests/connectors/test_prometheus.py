"""Prometheus: a real target that goes and comes back, a real alert, and answers that are none."""

from __future__ import annotations

import asyncio
import json
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import httpx
import pytest

from connectors.contract import CheckReport
from connectors.prometheus import PrometheusConnector, PrometheusOptions
from connectors.prometheus.api import ALLOWED, QueryAPI, RequestRefused, Series
from connectors.prometheus.telling import alert_events, curve_events, target_events
from tests.conformance.collecting import Collected, drained
from tests.connectors.loopback_http import Told, as_json, loopback, passing_on
from tests.servers.process import RunningServer, free_port
from tests.servers.prometheus import await_first_scrape, prometheus
from timeline.coverage import Sight
from timeline.event import SEVERITY_ERROR, Event, Kind, Meaning
from timeline.keys import KeyRules
from timeline.problems import (
    AccessRefused,
    BadAnswer,
    NothingHere,
    Overloaded,
    SourceProblem,
)
from timeline.window import SECOND_NS, Budget, Window

QUERIES = {"bad": "sum(", "up": "sum(up)"}
T = 1_790_000_000 * SECOND_NS
# a scrape that a busy machine answers late counts as none: it has all the time there is
SECOND_SCRAPES = """
global: {{scrape_interval: 500ms, scrape_timeout: 500ms, evaluation_interval: 200ms}}
rule_files: [{rules}]
scrape_configs:
  - job_name: shop
    static_configs: [{{targets: ["127.0.0.1:{port}"]}}]
"""
RULES = """
groups:
  - name: shop
    rules:
      - alert: ShopDown
        expr: up{job="shop"} == 0
        for: 400ms
        labels: {severity: page}
"""


class Target:
    """A process that is scraped until it stops listening."""

    def __init__(self, port: int) -> None:
        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                body = b"# TYPE orders_total counter\norders_total 7\n"
                self.send_response(200)
                self.send_header("content-length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, format: str, *args: object) -> None:  # noqa: A002
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", port), Handler)
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()

    def stop(self) -> None:
        self._server.shutdown()
        self._server.server_close()


def until_said(server: RunningServer, query: str, within_s: float = 20.0) -> None:
    """Wait until the server has evaluated what a busy machine may make late."""
    deadline = time.monotonic() + within_s
    while "value" not in httpx.get(f"{server.url}/api/v1/query", params={"query": query}).text:
        assert time.monotonic() < deadline, f"nothing for {query}"
        time.sleep(0.1)


@pytest.fixture(scope="module")
def night(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[RunningServer, Window]]:
    """A target that was away for about two seconds; an alert fired meanwhile."""
    rules = tmp_path_factory.mktemp("rules") / "shop.yml"
    rules.write_text(RULES)
    rules.chmod(0o644)
    for folder in (rules.parent, *rules.parents[1:3]):
        folder.chmod(0o755)
    port = free_port()
    target = Target(port)
    config = SECOND_SCRAPES.replace("{rules}", str(rules)).replace("{port}", str(port))
    with prometheus(config=config) as server:
        await_first_scrape(server)
        start = time.time_ns()
        time.sleep(2)
        target.stop()
        time.sleep(2)
        until_said(server, 'ALERTS{alertstate="firing"}')
        target = Target(port)
        time.sleep(2)
        until_said(server, "up == 1")
        end = time.time_ns()
        target.stop()
        yield server, Window(start + 3 * SECOND_NS, start, end)


def connector(url: str, **options: object) -> PrometheusConnector:
    chosen = PrometheusOptions.model_validate({"url": url, **options})
    return PrometheusConnector("metrics", chosen, KeyRules())


def fetched(asked: PrometheusConnector, window: Window, rows: int = 50_000) -> Collected:
    async def fetch() -> Collected:
        try:
            return await drained(asked.fetch(window, Budget(rows=rows)))
        finally:
            await asked.close()

    return asyncio.run(fetch())


def checked(url: str) -> CheckReport:
    async def check() -> CheckReport:
        asked = connector(url)
        try:
            return await asked.check()
        finally:
            await asked.close()

    return asyncio.run(check())


def problem_of(url: str, **options: object) -> SourceProblem:
    with pytest.raises(SourceProblem) as caught:
        fetched(connector(url, **options), Window.around(T))
    return caught.value


@pytest.mark.servers
def test_a_target_that_was_away_is_told_between_its_scrapes(
    night: tuple[RunningServer, Window],
) -> None:
    server, window = night
    events = fetched(connector(server.url, select='job="shop"'), window).events
    away, back = (event for event in events if event.body.startswith("127.0.0.1"))
    assert "of job shop stopped answering (between two scrapes" in away.body
    assert (away.severity_number, away.meaning) == (SEVERITY_ERROR, Meaning.POLLED)
    assert "answers again" in back.body
    assert SECOND_NS < back.timestamp - away.timestamp < 4 * SECOND_NS


@pytest.mark.servers
def test_an_alert_is_told_from_its_first_to_its_last_evaluation(
    night: tuple[RunningServer, Window],
) -> None:
    server, window = night
    events = fetched(connector(server.url), window).events
    told = sorted((e for e in events if "ShopDown" in e.body), key=lambda e: e.timestamp)
    assert [event.body.partition(" (")[0] for event in told][:1] == ["alert ShopDown is pending"]
    fires = next(
        event for event in told if "fires (" in event.body and "no longer" not in event.body
    )
    away = next(event for event in events if "stopped answering" in event.body)
    assert fires.timestamp - away.timestamp >= 400_000_000  # the rule's own 'for'


@pytest.mark.servers
def test_a_curve_has_a_point_for_every_step(night: tuple[RunningServer, Window]) -> None:
    server, window = night
    asked = connector(server.url, queries={"up": "sum(up)"}, step_s=1)
    points = [event for event in fetched(asked, window).events if event.kind is Kind.METRIC]
    assert len(points) >= 5
    assert all(event.timestamp % SECOND_NS == 0 for event in points)
    assert {json.loads(event.attributes or "")["value"] for event in points} >= {0.0, 1.0}
    assert {event.meaning for event in points} == {Meaning.DERIVED}


@pytest.mark.servers
def test_only_listed_reads_are_sent(night: tuple[RunningServer, Window]) -> None:
    server, window = night
    with loopback(passing_on(server.url)) as proxy:
        fetched(connector(proxy.url, queries={"up": "sum(up)"}), window)
        assert checked(proxy.url).system
    assert proxy.seen
    assert {(seen.method, seen.path) for seen in proxy.seen} <= {("GET", path) for path in ALLOWED}


@pytest.mark.servers
def test_a_refused_query_is_a_cut_and_the_rest_is_told(
    night: tuple[RunningServer, Window],
) -> None:
    server, window = night
    collected = fetched(connector(server.url, queries=QUERIES, step_s=1), window)
    assert any("bad was refused" in remark.sentence for remark in collected.remarks)
    assert any(event.kind is Kind.METRIC for event in collected.events)


@pytest.mark.servers
def test_check_names_the_product_and_what_it_cannot_see(
    night: tuple[RunningServer, Window],
) -> None:
    server, _ = night

    report = checked(server.url)
    assert report.system == f"Prometheus {server.version}"
    assert report.retention == ("samples are kept for 30d",)
    assert "left no trace" in report.cannot_see[0]


def test_what_is_not_listed_is_refused_before_it_is_sent() -> None:
    api = QueryAPI(PrometheusOptions.model_validate({"url": "http://127.0.0.1:1"}))
    with pytest.raises(RequestRefused):
        asyncio.run(api.get("/api/v1/admin/tsdb/delete_series"))


@pytest.mark.parametrize(
    ("told", "kind", "words"),
    [
        (Told(401), AccessRefused, "refused the login"),
        (Told(404), NothingHere, "No Prometheus API"),
        (as_json({"status": "error", "error": "too many samples"}, 422), Overloaded, "gave up"),
        (Told(503, b"starting up"), Overloaded, "cannot answer now"),
        (Told(200, b"<html>log in</html>"), BadAnswer, "not JSON"),
        (as_json({"took": 3, "hits": []}), BadAnswer, "not one of the Prometheus query API"),
        (as_json({"status": "success", "data": [1, 2]}), BadAnswer, "time()"),
    ],
)
def test_other_answers_are_sentences(told: Told, kind: type[SourceProblem], words: str) -> None:
    with loopback(lambda seen: told) as server:
        problem = problem_of(server.url)
    assert isinstance(problem, kind)
    assert words in problem.sentence()


def test_a_token_and_a_tenant_are_sent() -> None:
    with loopback(lambda seen: Told(503)) as server:
        problem_of(server.url, token="t0", tenant="shop")
        problem_of(server.url.replace("//", "//anna:secret@"))
    first, second = server.seen[0].headers, server.seen[-1].headers
    assert (first["authorization"], first["x-scope-orgid"]) == ("Bearer t0", "shop")
    assert second["authorization"].startswith("Basic ")


def series(*samples: tuple[int, str], **labels: str) -> Series:
    return Series(labels, tuple((T + second * SECOND_NS, value) for second, value in samples))


def test_an_alert_still_firing_has_no_end() -> None:
    run = series((0, "1"), (15, "1"), (30, "1"), alertname="A", alertstate="firing")
    assert len(list(alert_events("m", run, T + 40 * SECOND_NS))) == 1
    ended = list(alert_events("m", run, T + 600 * SECOND_NS))
    assert [event.timestamp - T for event in ended] == [0, 30 * SECOND_NS]
    assert "no longer fires" in ended[1].body


def test_two_firings_are_two() -> None:
    run = series((0, "1"), (15, "1"), (900, "1"), (915, "1"), alertname="A", alertstate="firing")
    assert len(list(alert_events("m", run, T + 3600 * SECOND_NS))) == 4


def test_values_that_json_cannot_hold_are_still_said() -> None:
    (event,) = curve_events("m", "ratio", series((0, "NaN")))
    assert event.body == "ratio = NaN"
    assert json.loads(event.attributes or "")["value"] is None


def test_a_steady_target_tells_nothing() -> None:
    steady: list[Event] = list(target_events("m", series((0, "1"), (15, "1"), job="w")))
    assert steady == []


def test_nothing_between_two_looks_is_claimed_as_seen() -> None:
    def answer(seen: object) -> Told:
        return as_json(
            {
                "status": "success",
                "data": {"resultType": "scalar", "result": [T / 1e9, str(T / 1e9)]},
            }
        )

    with loopback(answer) as server:
        collected = fetched(connector(server.url), Window.around(T, now=T))
    assert {entry.sight for entry in collected.coverage} == {Sight.PARTIAL}
