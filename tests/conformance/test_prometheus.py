"""The Prometheus connector against the conformance suite: Prometheus and VictoriaMetrics."""

from __future__ import annotations

import time
from collections.abc import Iterator

import psutil
import pytest

from connectors.prometheus import PrometheusConnector
from tests.conformance.subject import Subject
from tests.conformance.suite import ConnectorConformance
from tests.servers.process import RunningServer
from tests.servers.prometheus import await_first_scrape, prometheus
from tests.servers.pytest_fixtures import provided
from tests.servers.victoriametrics import planted
from timeline.window import SECOND_NS, Window

AGO_S = 6 * 3600
STEP_S = 15
HOSTILE = "broken\u202ename"
SECRET = "a-token-nobody-may-see"


def samples(base: int) -> list[tuple[str, float, float]]:
    """(series, value, seconds): a target away twice, an alert that fired, a restart."""
    planted: list[tuple[str, float, float]] = []
    web = 'up{job="web",instance="web:9090"}'
    bad = f'up{{job="{HOSTILE}",instance="x:1"}}'
    alert = 'ALERTS{alertname="WebDown",alertstate="firing",severity="page"}'
    start = 'process_start_time_seconds{job="web",instance="web:9090"}'
    for second in range(0, 1200, STEP_S):
        at = base + second
        away = 300 <= second < 360 or 700 <= second < 730
        planted.append((web, 0 if away else 1, at))
        planted.append((bad, 0 if 400 <= second < 450 else 1, at))
        if 330 <= second < 420:
            planted.append((alert, 1, at))
        planted.append((start, base - 1000 if second < 730 else base + 728, at))
    return planted


def window_over(base: int) -> Window:
    return Window((base + 600) * SECOND_NS, (base + 60) * SECOND_NS, (base + 1100) * SECOND_NS)


@pytest.fixture(scope="module")
def filled_prometheus() -> Iterator[tuple[RunningServer, Window]]:
    base = int(time.time()) - AGO_S
    lines = sorted(samples(base), key=lambda sample: (sample[0], sample[2]))
    history, name = [], ""
    for series, value, at in lines:
        if series.partition("{")[0] != name:
            name = series.partition("{")[0]
            history.append(f"# TYPE {name} gauge")
        history.append(f"{series} {value} {at}")
    with prometheus("\n".join([*history, "# EOF", ""])) as server:
        await_first_scrape(server)  # the check counts the targets of now
        yield server, window_over(base)


@pytest.fixture(scope="module")
def filled_victoriametrics() -> Iterator[tuple[RunningServer, Window]]:
    base = int(time.time()) - AGO_S
    with provided("victoriametrics", {}) as server:
        lines = (f"{name} {value} {int(at * 1000)}" for name, value, at in samples(base))
        now = f'up{{job="web",instance="web:9090"}} 1 {int(time.time() * 1000)}'
        planted(server, "\n".join([*lines, now, ""]))
        yield server, window_over(base)


def subject_of(server: RunningServer, window: Window) -> Subject:
    port = int(server.url.rpartition(":")[2])

    def connections() -> int:
        return sum(
            found.status == psutil.CONN_ESTABLISHED and found.raddr.port == port
            for found in psutil.Process().net_connections("tcp")
            if found.raddr
        )

    def at_port(other: int) -> dict[str, object]:
        return {"url": f"http://127.0.0.1:{other}", "token": SECRET}

    return Subject(
        connector_class=PrometheusConnector,
        options={"url": server.url, "token": SECRET, "queries": {"targets": "sum(up)"}},
        window=window,
        drivers=("httpx", "polars"),
        secrets=(SECRET,),
        hostile="name stopped answering",
        at_port=at_port,
        connections=connections,
    )


@pytest.mark.servers
class TestPrometheus(ConnectorConformance):
    @pytest.fixture
    def subject(self, filled_prometheus: tuple[RunningServer, Window]) -> Subject:
        return subject_of(*filled_prometheus)


@pytest.mark.servers
class TestVictoriaMetrics(ConnectorConformance):
    @pytest.fixture
    def subject(self, filled_victoriametrics: tuple[RunningServer, Window]) -> Subject:
        return subject_of(*filled_victoriametrics)
