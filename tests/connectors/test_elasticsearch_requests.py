"""What may be sent to a search cluster, and that nothing else ever is."""

from __future__ import annotations

import asyncio
import time

import pytest

from connectors.elasticsearch import ElasticsearchConnector, ElasticsearchOptions
from connectors.elasticsearch.requests import Request, RequestRefused, on, permitted
from connectors.elasticsearch.transport import SearchTransport
from tests.connectors.stub_search import SearchStub
from timeline.keys import KeyRules
from timeline.window import Budget, Window

NOW = time.time_ns() // 1_000_000_000 * 1_000_000_000

WRITES_AND_WORSE = (
    ("POST", "/logs/_doc"),
    ("PUT", "/logs/_doc/1"),
    ("POST", "/_bulk"),
    ("POST", "/logs/_bulk"),
    ("DELETE", "/logs"),
    ("PUT", "/logs"),
    ("POST", "/logs/_update/1"),
    ("POST", "/logs/_update_by_query"),
    ("POST", "/logs/_delete_by_query"),
    ("POST", "/logs/_refresh"),
    ("POST", "/logs/_close"),
    ("POST", "/logs/_forcemerge"),
    ("POST", "/logs/_cache/clear"),
    ("PUT", "/_cluster/settings"),
    ("POST", "/_reindex"),
    ("POST", "/_scripts/x"),
    ("POST", "/_tasks/_cancel"),
    ("DELETE", "/_search/point_in_time/_all"),
    ("DELETE", "/logs/_pit"),
    ("POST", "/_snapshot/_search/x/_search"),
    ("POST", "/a/b/_search"),
    ("POST", "/_security/_search"),
    ("POST", "/logs/_search/template"),
    ("POST", "/logs/_search?x"),
    ("PUT", "/logs/_search"),
    ("HEAD", "/logs"),
)


def options(url: str, **changes: object) -> ElasticsearchOptions:
    return ElasticsearchOptions.model_validate({"url": url, "index": "logs-*", **changes})


@pytest.mark.parametrize(("method", "path"), WRITES_AND_WORSE)
def test_is_refused_before_it_is_sent(method: str, path: str) -> None:
    with SearchStub().serving() as stub:
        settings = options(stub.url)

        async def send() -> None:
            transport = SearchTransport(settings)
            try:
                await transport.ask(Request(method, path))
            finally:
                await transport.close()

        with pytest.raises(RequestRefused, match="may send"):
            asyncio.run(send())
        assert stub.seen == []


def test_parameters_that_change_something_are_refused() -> None:
    with pytest.raises(RequestRefused, match="refresh"):
        permitted(Request("POST", "/logs/_search", {"refresh": "true"}))


@pytest.mark.parametrize("index", ["a/b", "_all/_bulk", "a?b", "x#y", "", "a,,b", "-a", "a b"])
def test_an_index_setting_cannot_become_another_request(index: str) -> None:
    with pytest.raises(ValueError, match="name the indices"):
        options("http://127.0.0.1:9200", index=index)


def test_names_beyond_ascii_are_encoded() -> None:
    assert on("lögs-%2F", "_search") == "/l%C3%B6gs-%252F/_search"


@pytest.mark.parametrize(
    ("opensearch", "version"),
    [(False, "7.10.2"), (False, "8.19.21"), (True, "2.19.1"), (True, "3.8.0")],
)
def test_a_whole_life_sends_plain_reads_only(*, opensearch: bool, version: str) -> None:
    stub = SearchStub(opensearch=opensearch, version=version)
    stub.add(30, NOW // 1_000_000 - 20_000, 1_000, user_id=4711)
    stub.types["user_id"] = "long"
    window = Window(NOW, NOW - 60_000_000_000, NOW + 60_000_000_000)

    async def live() -> None:
        connector = ElasticsearchConnector(
            "logs",
            options(stub.url, page_size=7),
            KeyRules(),
        )
        await connector.check()
        async for _ in connector.fetch(window, Budget()):
            pass
        async for _ in connector.lookup(("user:4711", "user:1"), window, Budget()):
            pass
        await connector.clock()
        await connector.close()

    with stub.serving():
        asyncio.run(live())
    assert len(stub.seen) > 15
    for seen in stub.seen:
        permitted(Request(seen.method, seen.path, seen.parameters))
        assert seen.headers["accept"] == "application/json"
        assert seen.headers.get("content-type", "application/json") == "application/json"
        assert seen.headers["accept-encoding"] == "gzip"
        assert "x-elastic-client-meta" not in seen.headers
        if seen.pages and "size" in seen.body:
            assert seen.body["size"] <= 7
    assert stub.open == set()


def test_an_elastic_client_is_refused_where_plain_json_is_not() -> None:
    """The stub turns the official clients' content type away, as real servers do."""
    import httpx

    for stub, generation, status in (
        (SearchStub(version="8.19.21"), 9, 400),
        (SearchStub(version="8.19.21"), 8, 200),
        (SearchStub(opensearch=True, version="3.8.0"), 8, 406),
    ):
        accept = f"application/vnd.elasticsearch+json; compatible-with={generation}"
        with stub.serving():
            answer = httpx.get(stub.url, headers={"accept": accept})
        assert answer.status_code == status
