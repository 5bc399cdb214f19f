"""Who answers, what a refusal means, and that neither ever shows a credential."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping
from typing import Any

import pytest
from pydantic import SecretStr

from connectors.elasticsearch import ElasticsearchConnector, ElasticsearchOptions
from connectors.elasticsearch.dialect import Dialect, identify
from connectors.elasticsearch.options import Flavor
from connectors.elasticsearch.transport import SearchTransport
from tests.conformance.collecting import Collected, fetched
from tests.connectors.stub_search import SearchStub, Seen, error
from timeline.keys import KeyRules
from timeline.problems import (
    AccessRefused,
    BadAnswer,
    Misconfigured,
    Overloaded,
    SourceProblem,
    Unreachable,
)
from timeline.window import Budget, Window

NOW = time.time_ns() // 1_000_000_000 * 1_000_000_000
WINDOW = Window(NOW, NOW - 60_000_000_000, NOW + 60_000_000_000)
PASSWORD = "hunter2-and-more"
NO_PRODUCT = {"x-elastic-product": ""}
METHOD_MISSING = {"error": "Incorrect HTTP method for uri [/] and method [GET]", "status": 405}


def connector(url: str, **options: Any) -> ElasticsearchConnector:
    usual = {"index": "logs-*", "username": "reader", "password": SecretStr(PASSWORD)}
    settings = ElasticsearchOptions.model_validate({"url": url, **usual, **options})
    return ElasticsearchConnector("logs", settings, KeyRules())


def is_root(seen: Seen) -> bool:
    return seen.path == "/"


def is_search(seen: Seen) -> bool:
    return seen.path.endswith("_search") and seen.method == "POST"


def found_by(stub: SearchStub, configured: Flavor | None = None) -> Dialect:
    async def ask() -> Dialect:
        options = ElasticsearchOptions(url=SecretStr(stub.url), index="logs-*")
        transport = SearchTransport(options)
        try:
            return await identify(transport, configured)
        finally:
            await transport.close()

    with stub.serving():
        return asyncio.run(ask())


# Who answers


@pytest.mark.parametrize(
    ("opensearch", "version", "name", "by_point_in_time"),
    [
        (False, "8.19.21", "Elasticsearch 8.19.21", True),
        (False, "9.4.2", "Elasticsearch 9.4.2", True),
        (False, "7.17.29", "Elasticsearch 7.17.29", True),
        (False, "7.11.2", "Elasticsearch 7.11.2", False),
        (True, "3.8.0", "OpenSearch 3.8.0", True),
        (True, "3.2.0", "OpenSearch 3.2.0", False),
        (True, "2.19.1", "OpenSearch 2.19.1", False),
        (True, "7.10.2", "OpenSearch", False),
    ],
)
def test_root_tells(*, opensearch: bool, version: str, name: str, by_point_in_time: bool) -> None:
    dialect = found_by(SearchStub(opensearch=opensearch, version=version))
    assert dialect.name == name
    assert dialect.pages_by_point_in_time(nanoseconds=False) is by_point_in_time
    in_nanoseconds = by_point_in_time and not opensearch
    assert dialect.pages_by_point_in_time(nanoseconds=True) is in_nanoseconds


@pytest.mark.parametrize("status", [400, 403, 404, 405])
def test_a_product_header_tells_when_root_does_not(status: int) -> None:
    stub = SearchStub()
    stub.fail(is_root, status=status, body=METHOD_MISSING)
    assert found_by(stub).name == "Elasticsearch 8.19.21"
    assert stub.seen[-1].path == "/_nodes/_local"


def test_no_product_header_and_no_root_is_opensearch_if_nodes_answer() -> None:
    stub = SearchStub(opensearch=True, version="3.8.0")
    stub.fail(is_root, status=403, body=error("security_exception", "no permissions", 403))
    assert found_by(stub) == Dialect(Flavor.OPENSEARCH, (3, 8, 0))


def test_old_elasticsearch_without_the_header_is_known_by_its_build() -> None:
    stub = SearchStub(version="7.12.1")
    root = {"version": {"number": "7.12.1", "build_flavor": "default"}}
    stub.fail(is_root, body=root, headers=NO_PRODUCT)
    assert found_by(stub).name == "Elasticsearch 7.12.1"


def test_a_setting_tells_when_a_proxy_hides_everything() -> None:
    stub = SearchStub()
    stub.fail(lambda seen: True, status=404, body={"error": "no"}, headers=NO_PRODUCT, times=2)
    hidden = found_by(stub, Flavor.OPENSEARCH)
    assert hidden == Dialect(Flavor.OPENSEARCH)
    assert not hidden.pages_by_point_in_time(nanoseconds=False), (
        "an unknown version is not trusted with a tie-break"
    )


def test_nothing_tells() -> None:
    stub = SearchStub()
    stub.fail(lambda seen: True, status=404, body={"error": "no"}, headers=NO_PRODUCT, times=2)
    with pytest.raises(BadAnswer) as caught:
        found_by(stub)
    assert "flavor" in caught.value.remedy


def test_elasticsearch_6_is_refused_by_name() -> None:
    with pytest.raises(BadAnswer, match=r"Elasticsearch 6\.8\.23 is too old"):
        found_by(SearchStub(version="6.8.23"))


# What refusals mean


REFUSALS: tuple[tuple[int, Mapping[str, Any] | bytes, type[SourceProblem], str], ...] = (
    (401, error("security_exception", "missing credentials", 401), AccessRefused, "login"),
    (403, error("security_exception", "action is unauthorized", 403), AccessRefused, "may not"),
    (404, error("index_not_found_exception", "no such index", 404), Misconfigured, "not exist"),
    (406, {"error": "Content-Type header is not supported"}, BadAnswer, "plain JSON"),
    (
        400,
        error("media_type_header_exception", "Accept version must be 8, found 9", 400),
        BadAnswer,
        "plain JSON",
    ),
    (
        429,
        error("circuit_breaking_exception", "[parent] Data too large", 429),
        Overloaded,
        "circuit_breaking_exception",
    ),
    (503, error("no_shard_available_action_exception", "", 503), Overloaded, "no_shard"),
    (502, b"<html>Bad Gateway</html>", Overloaded, "HTTP 502"),
    (200, b"<html><title>Sign in</title></html>", BadAnswer, "not JSON"),
    (302, b"", Misconfigured, "elsewhere"),
    (400, error("parsing_exception", "unknown query", 400), BadAnswer, "parsing_exception"),
    (500, b"oops", BadAnswer, "not JSON"),
    (200, b"[1, 2]", BadAnswer, "not JSON"),
    (200, b'{"hits": ', BadAnswer, "not JSON"),
)


@pytest.mark.parametrize(("status", "body", "kind", "words"), REFUSALS)
def test_a_refusal_is_a_sentence(
    status: int, body: dict[str, Any] | bytes, kind: type[SourceProblem], words: str
) -> None:
    stub = SearchStub()
    headers = {"content-type": "text/html"} if isinstance(body, bytes) else {}
    stub.fail(is_search, status=status, body=body, headers=headers, times=9)
    with stub.serving(), pytest.raises(kind) as caught:
        fetched(connector(stub.url), WINDOW, Budget(seconds=5))
    problem = caught.value
    assert type(problem) is kind
    assert words in problem.sentence()
    assert stub.url.removeprefix("http://") in problem.where
    assert PASSWORD not in problem.sentence()
    assert "\n" not in problem.sentence()


def test_answers_of_any_shape_end_in_a_sentence_or_in_nothing() -> None:
    """Valid JSON in the wrong shape is no traceback."""
    bodies: tuple[dict[str, Any], ...] = (
        {"hits": 3},
        {"hits": {"hits": [1, None, {}]}},
        {"_shards": []},
        {},
    )
    for body in bodies:
        stub = SearchStub()
        stub.fail(is_search, body=body, times=99)
        with stub.serving():
            collected = fetched(connector(stub.url), WINDOW, Budget(seconds=5))
        assert collected.events == []


def test_a_missing_index_names_its_neighbours() -> None:
    stub = SearchStub()
    stub.fail(
        lambda seen: seen.path == "/log-*/_field_caps", body={"indices": [], "fields": {}}, times=9
    )
    with stub.serving(), pytest.raises(Misconfigured) as caught:
        fetched(connector(stub.url, index="log-*"), WINDOW)
    assert "logs-0" in caught.value.remedy


def test_a_field_that_holds_no_time_is_said() -> None:
    stub = SearchStub(types={"@timestamp": "keyword", "event.ingested": "keyword"})
    with stub.serving(), pytest.raises(Misconfigured, match="known to hold the time") as caught:
        fetched(connector(stub.url), WINDOW)
    assert "time_field" in caught.value.remedy


def test_a_configured_time_field_must_be_a_date() -> None:
    stub = SearchStub(types={"when": "text"})
    with stub.serving(), pytest.raises(Misconfigured, match="'when' is no date") as caught:
        fetched(connector(stub.url, time_field="when"), WINDOW)
    assert "@timestamp" in caught.value.remedy


# Patience


def retried(
    status: int, headers: Mapping[str, str], times: int, seconds: float
) -> tuple[Collected | SourceProblem, int, float]:
    stub = SearchStub()
    stub.add(4, NOW // 1_000_000 - 3_000, 1_000)
    body = error("es_rejected_execution_exception", "queue is full", status)
    stub.fail(is_search, status=status, body=body, headers=headers, times=times)
    started = time.monotonic()
    with stub.serving():
        try:
            outcome: Collected | SourceProblem = fetched(
                connector(stub.url), WINDOW, Budget(seconds=seconds)
            )
        except SourceProblem as problem:
            outcome = problem
    return outcome, sum(map(is_search, stub.seen)), time.monotonic() - started


@pytest.mark.parametrize("status", [429, 502, 503, 504])
def test_overload_is_waited_out(status: int) -> None:
    outcome, _, _ = retried(status, {}, times=2, seconds=10)
    assert isinstance(outcome, Collected)
    assert len(outcome.events) == 4


def test_retry_after_is_obeyed() -> None:
    outcome, _, elapsed = retried(429, {"retry-after": "1"}, times=1, seconds=10)
    assert isinstance(outcome, Collected)
    assert elapsed >= 1


def test_a_pause_longer_than_the_deadline_is_not_waited_for() -> None:
    outcome, searches, elapsed = retried(429, {"retry-after": "3600"}, times=9, seconds=5)
    assert isinstance(outcome, Overloaded)
    assert searches == 1
    assert elapsed < 4


def test_overload_that_lasts_is_told_after_three_attempts() -> None:
    outcome, searches, _ = retried(429, {}, times=99, seconds=20)
    assert isinstance(outcome, Overloaded)
    assert searches == 3
    assert "es_rejected_execution_exception" in outcome.sentence()


def test_a_connection_that_was_ended_while_idle_is_opened_again() -> None:
    stub = SearchStub(ends_connections=True)
    stub.add(4, NOW // 1_000_000 - 3_000, 1_000)
    with stub.serving():
        assert len(fetched(connector(stub.url), WINDOW).events) == 4


def test_a_stuck_cluster_is_given_up_in_time() -> None:
    stub = SearchStub()
    stub.fail(is_search, delay_s=3, body={})
    started = time.monotonic()
    with stub.serving(), pytest.raises(Unreachable, match="did not answer in time"):
        fetched(connector(stub.url, read_timeout_s=0.3), WINDOW)
    assert time.monotonic() - started < 2.5


# Logins


@pytest.mark.parametrize(
    ("options", "header"),
    [
        ({}, "Basic cmVhZGVyOmh1bnRlcjItYW5kLW1vcmU="),
        ({"username": "", "password": None, "api_key": SecretStr("a2V5")}, "ApiKey a2V5"),
        ({"username": "", "password": None, "bearer": SecretStr("t0k")}, "Bearer t0k"),
    ],
)
def test_logins_are_sent_and_never_shown(options: dict[str, Any], header: str) -> None:
    stub = SearchStub()
    with stub.serving():
        reader = connector(stub.url, **options)
        fetched(reader, WINDOW)
    assert {seen.headers["authorization"] for seen in stub.seen} == {header}
    assert header.split()[1] not in repr(reader) + repr(reader._options)


def test_a_login_in_the_url_is_used_and_not_shown() -> None:
    stub = SearchStub()
    with stub.serving():
        url = stub.url.replace("http://", "http://ann:p%40ss@")
        reader = connector(url, username="", password=None)
        fetched(reader, WINDOW)
    assert stub.seen[0].headers["authorization"] == "Basic YW5uOnBAc3M="
    assert "p%40ss" not in repr(reader) + repr(reader._options)


def test_a_path_in_front_of_the_api_is_kept() -> None:
    stub = SearchStub()
    with stub.serving():
        with pytest.raises(SourceProblem):
            fetched(connector(f"{stub.url}/search/"), WINDOW)
        assert stub.seen[0].path == "/search/"


@pytest.mark.parametrize(
    "wrong",
    [
        {"url": "elasticsearch:9200"},
        {"url": "http://:9200"},
        {"url": "http://user:geheim@host:99999"},
        {"api_key": "x", "bearer": "y"},
        {"page_size": 0},
        {"page_size": 100_000},
        {"indexx": "a"},
    ],
)
def test_options_that_cannot_be_right(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r".") as caught:
        ElasticsearchOptions.model_validate({"url": "http://h:1", "index": "a", **wrong})
    assert "geheim" not in str(caught.value)


def test_the_index_must_be_named() -> None:
    with pytest.raises(ValueError, match="index"):
        ElasticsearchOptions.model_validate({"url": "http://h:1"})
