"""Whether a Prometheus could be changed over HTTP is read from the flags it states."""

from __future__ import annotations

import asyncio

import pytest

from connectors.prometheus import PrometheusConnector, PrometheusOptions
from connectors.prometheus.api import QueryAPI
from connectors.prometheus.rights import Rights, rights_of
from tests.connectors.loopback_http import Seen, Told, as_json, loopback
from tests.servers.process import RunningServer, ServerMissing
from tests.servers.prometheus import await_first_scrape, prometheus
from tests.servers.pytest_fixtures import skip_or_fail
from timeline.keys import KeyRules

CLOSED = {"web.enable-admin-api": "false", "web.enable-lifecycle": "false"}


def asked(url: str) -> Rights:
    async def ask() -> Rights:
        api = QueryAPI(PrometheusOptions.model_validate({"url": url}))
        try:
            return await rights_of(api)
        finally:
            await api.close()

    return asyncio.run(ask())


@pytest.mark.servers
def test_a_stock_server_can_be_changed_by_nobody(prometheus_server: RunningServer) -> None:
    rights = asked(prometheus_server.url)
    assert rights.refused is True
    assert "web.enable-admin-api" in rights.said[0]


@pytest.mark.servers
def test_a_server_of_another_maker_is_not_judged(victoriametrics_server: RunningServer) -> None:
    assert asked(victoriametrics_server.url).refused is None


@pytest.mark.servers
def test_an_opened_server_is_named_with_its_flag() -> None:
    try:
        started = prometheus(flags=["--web.enable-lifecycle"])
    except ServerMissing as missing:
        skip_or_fail(missing)
    with started as server:
        await_first_scrape(server)
        chosen = PrometheusOptions.model_validate({"url": server.url})
        subject = PrometheusConnector("metrics", chosen, KeyRules())

        async def check() -> tuple[bool | None, tuple[str, ...]]:
            try:
                report = await subject.check()
            finally:
                await subject.close()
            return report.writes_refused, report.rights

        refused, said = asyncio.run(check())
    assert refused is False
    assert "web.enable-lifecycle" in said[0]


@pytest.mark.parametrize(
    ("flags", "refused"),
    [
        (CLOSED, True),
        ({**CLOSED, "web.enable-otlp-receiver": "true"}, False),
        ({**CLOSED, "enable-feature": "exemplar-storage,remote-write-receiver"}, False),
        ({**CLOSED, "enable-feature": "no-remote-write-receiver-at-all"}, True),
        ({"web.enable-lifecycle": "false"}, None),
        ({}, None),
    ],
)
def test_flags_are_read_as_they_are_stated(flags: dict[str, str], refused: bool | None) -> None:
    def answer(seen: Seen) -> Told:
        return as_json({"status": "success", "data": flags})

    with loopback(answer) as server:
        assert asked(server.url).refused is refused
    assert [seen.path for seen in server.seen] == ["/api/v1/status/flags"]
