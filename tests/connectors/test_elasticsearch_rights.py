"""What an account may change in a cluster: from real secured nodes, and from recorded answers.

The OpenSearch builds of `tests/servers` have no security plugin, so its answers are recorded ones.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator

import httpx
import pytest

from connectors.contract import CheckReport
from connectors.elasticsearch import ElasticsearchConnector, ElasticsearchOptions
from connectors.elasticsearch.rights import ON_CLUSTER, ON_INDICES
from tests.connectors.stub_search import Fault, SearchStub
from tests.servers.elasticsearch import ADMIN, READER, elasticsearch
from tests.servers.process import RunningServer, ServerMissing
from tests.servers.pytest_fixtures import skip_or_fail
from timeline.keys import KeyRules

PASSWORD = "for-this-test"  # not a secret: the server is gone after the tests
HAS_PRIVILEGES = "/_security/user/_has_privileges"
AUTHINFO = "/_plugins/_security/authinfo"
SECOND = 1_000


@pytest.fixture(scope="module", params=["8", "7"])
def secured(request: pytest.FixtureRequest) -> Iterator[RunningServer]:
    try:
        server = elasticsearch(request.param, password=PASSWORD)
    except ServerMissing as missing:
        skip_or_fail(missing)
    with server:
        stamp = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
        for number in range(2):
            httpx.put(
                f"{server.url}/logs-a/_doc/{number}?refresh=true",
                json={"@timestamp": stamp, "message": "charged"},
                auth=(ADMIN, PASSWORD),
                timeout=30,
            ).raise_for_status()
        yield server


def checked(url: str, **options: object) -> CheckReport:
    chosen = ElasticsearchOptions.model_validate({"url": url, "index": "logs-*", **options})
    connector = ElasticsearchConnector("logs", chosen, KeyRules())

    async def check() -> CheckReport:
        try:
            return await connector.check()
        finally:
            await connector.close()

    return asyncio.run(check())


@pytest.mark.servers
def test_the_recommended_account_cannot_write_and_the_superuser_could(
    secured: RunningServer,
) -> None:
    reader = checked(secured.url, username=READER, password=PASSWORD)
    assert reader.writes_refused is True
    assert READER in reader.rights[0]
    admin = checked(secured.url, username=ADMIN, password=PASSWORD)
    assert admin.writes_refused is False
    assert "manage on the cluster" in admin.rights[0]
    (cost,) = reader.cost
    assert (cost.rows, cost.refused) == (2, "")
    assert "@timestamp" in cost.way


@pytest.mark.servers
def test_asking_adds_no_record(secured: RunningServer) -> None:
    def records() -> object:
        count = httpx.get(f"{secured.url}/_all/_count", auth=(ADMIN, PASSWORD), timeout=30)
        return count.raise_for_status().json()["count"]

    before = records()
    checked(secured.url, username=READER, password=PASSWORD)
    assert records() == before


def answered(path: str, status: int, body: dict[str, object], *, opensearch: bool) -> CheckReport:
    version = "3.8.0" if opensearch else "8.19.21"
    stub = SearchStub(opensearch=opensearch, version=version)
    stub.add(3, time.time_ns() // 1_000_000 - 20 * SECOND, SECOND)
    stub.faults.append(Fault(lambda seen: seen.path == path, status, body))
    with stub.serving():
        report = checked(stub.url)
    assert sum("_security" in seen.path for seen in stub.seen) == 1
    return report


def privileges(**on_logs: object) -> dict[str, object]:
    return {
        "username": "reader",
        "has_all_requested": False,
        "cluster": dict.fromkeys(ON_CLUSTER, False),
        "index": {"logs-*": {**dict.fromkeys(ON_INDICES, False), **on_logs}},
    }


@pytest.mark.parametrize(
    ("status", "body", "refused"),
    [
        (200, privileges(), True),
        (200, privileges(create_doc=True), False),
        (200, privileges(write=None), None),
        (200, {"has_all_requested": False, "cluster": {}, "index": {}}, None),
        (200, {}, None),
        (403, {"error": "forbidden by a proxy"}, None),
        (404, {}, None),
        (400, {"error": "unknown cluster privilege [manage_ilm]"}, None),
        (400, {"error": f"no handler found for uri [{HAS_PRIVILEGES}] and method [POST]"}, False),
    ],
)
def test_elasticsearch_is_believed_only_when_it_is_clear(
    status: int, body: dict[str, object], refused: bool | None
) -> None:
    assert answered(HAS_PRIVILEGES, status, body, opensearch=False).writes_refused is refused


@pytest.mark.parametrize(
    ("status", "body", "refused"),
    [
        (200, {"user_name": "r", "roles": ["halfawake"], "backend_roles": []}, None),
        (200, {"user_name": "a", "roles": ["all_access"], "backend_roles": ["admin"]}, False),
        (200, {"user_name": "a", "roles": [], "backend_roles": ["admin"]}, False),
        (401, {}, None),
        (400, {"error": f"no handler found for uri [{AUTHINFO}] and method [GET]"}, False),
    ],
)
def test_opensearch_tells_roles_and_no_more(
    status: int, body: dict[str, object], refused: bool | None
) -> None:
    assert answered(AUTHINFO, status, body, opensearch=True).writes_refused is refused


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"aws_service": "es", "aws_region": "eu-west-1"}, "es:ESHttpPut"),
        ({"index": "logs-*,eu:logs-*"}, "another cluster"),
    ],
)
def test_what_the_cluster_does_not_decide_is_not_asked(
    monkeypatch: pytest.MonkeyPatch, options: dict[str, str], words: str
) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIAIOSFODNN7EXAMPLE")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "for-this-test")
    stub = SearchStub(version="8.19.21")
    stub.add(3, time.time_ns() // 1_000_000 - 20 * SECOND, SECOND)
    with stub.serving():
        report = checked(stub.url, **options)
    assert report.writes_refused is None
    assert words in report.rights[0]
    assert not [seen for seen in stub.seen if "_security" in seen.path]


def test_the_oldest_record_says_how_far_back_the_cluster_goes() -> None:
    stub = SearchStub(version="8.19.21")
    stub.add(3, 1_767_225_600_000, SECOND)  # 2026-01-01
    with stub.serving():
        report = checked(stub.url)
    assert report.retention == ("logs-*: the oldest record is of 2026-01-01 00:00:00.000Z",)
