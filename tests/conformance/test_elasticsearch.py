"""The Elasticsearch connector against the conformance suite, on Elasticsearch and OpenSearch."""

from __future__ import annotations

import secrets
import time
from collections.abc import Iterator
from urllib.parse import urlsplit

import pytest

from connectors.elasticsearch import ElasticsearchConnector
from tests.conformance.subject import Subject
from tests.conformance.suite import ConnectorConformance
from tests.connectors.search_data import create_index, delete_index, ecs, json_string
from tests.servers.process import RunningServer
from timeline.window import SECOND_NS, Window

HOSTILE = "broken\x1b[31m\u202estate\r\nnext"
RECORDS = 40


@pytest.fixture(scope="module", params=["elasticsearch_server", "opensearch_server"])
def index(request: pytest.FixtureRequest) -> Iterator[tuple[str, str, Window]]:
    """URL, name and window of an index of two services' records, two to a millisecond."""
    server: RunningServer = request.getfixturevalue(request.param)
    name = f"conformance-{secrets.token_hex(4)}"
    now = time.time_ns() // SECOND_NS * SECOND_NS
    documents = []
    for number in range(RECORDS):
        stamp = now - (RECORDS - number // 2 * 2) * SECOND_NS
        said = HOSTILE if number == 3 else f"sign-up {number}"
        documents.append(
            ecs(stamp, said, "error" if number % 5 == 0 else "info", user_id=4700 + number)
            if number % 2
            else json_string(stamp, f"mail {number} sent", "warn", job_id=f"j{number}")
        )
    create_index(server.url, name, documents)
    window = Window(now - RECORDS // 2 * SECOND_NS, now - 60 * SECOND_NS, now)
    yield server.url, name, window
    delete_index(server.url, name)


@pytest.mark.servers
class TestElasticsearch(ConnectorConformance):
    @pytest.fixture
    def subject(self, index: tuple[str, str, Window]) -> Subject:
        url, name, window = index
        password = "not-asked-for-9f3c"

        def connections() -> int:
            psutil = pytest.importorskip("psutil")
            port = urlsplit(url).port
            return sum(
                found.status == psutil.CONN_ESTABLISHED and found.raddr.port == port
                for found in psutil.Process().net_connections("tcp")
                if found.raddr
            )

        def at_port(port: int) -> dict[str, object]:
            return {"url": f"http://127.0.0.1:{port}", "index": name, "password": password}

        return Subject(
            connector_class=ElasticsearchConnector,
            options={"url": url, "index": name, "username": "u", "password": password},
            window=window,
            known_keys=("user:4703", "job:j4", "job:j0"),
            absent_key="user:99999",
            drivers=("elasticsearch", "elastic_transport", "httpx", "polars"),
            secrets=(password,),
            hostile="state␊next",
            page_option="page_size",
            at_port=at_port,
            connections=connections,
        )
