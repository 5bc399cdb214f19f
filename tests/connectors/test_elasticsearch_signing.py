"""Ways to reach a cluster: a path in front of it, a cloud id, an API key, an AWS signature."""

from __future__ import annotations

import base64
import secrets
import time
from collections.abc import Mapping
from urllib.parse import parse_qsl, urlsplit

import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from pydantic import ValidationError

from connectors.elasticsearch import ElasticsearchConnector, ElasticsearchOptions
from connectors.elasticsearch.options import url_of_cloud
from connectors.elasticsearch.signing import Signer
from connectors.elasticsearch.transport import authorization
from tests.conformance.collecting import Collected, fetched
from tests.connectors import aws_world
from tests.connectors.loopback_http import as_json, loopback, passing_on
from tests.connectors.search_data import create_index, delete_index, ecs
from tests.connectors.stub_search import SearchStub
from tests.servers.process import RunningServer
from timeline.keys import KeyRules
from timeline.problems import AccessRefused
from timeline.window import SECOND_NS, Window

NOW = time.time_ns() // SECOND_NS * SECOND_NS
WINDOW = Window(NOW, NOW - 60 * SECOND_NS, NOW + 60 * SECOND_NS)


def options(**settings: object) -> ElasticsearchOptions:
    return ElasticsearchOptions.model_validate({"index": "logs-*", **settings})


def read(**settings: object) -> Collected:
    reader = ElasticsearchConnector("logs", options(**settings), KeyRules())
    return fetched(reader, WINDOW)


def cloud(text: str) -> str:
    return "shop:" + base64.b64encode(text.encode()).decode()


def signature_by_botocore(
    method: str, target: str, headers: Mapping[str, str], body: bytes, service: str
) -> str:
    """What botocore's signer makes of the request as it arrived, its query told as parameters."""
    named = headers["authorization"].partition("SignedHeaders=")[2].partition(",")[0]
    kept = {name: headers[name] for name in named.split(";")}
    path, _, query = target.partition("?")
    request = AWSRequest(
        method,
        f"http://{headers['host']}{path}",
        data=body,
        headers=kept,
        params=dict(parse_qsl(query, keep_blank_values=True)),
    )
    request.context["timestamp"] = headers["x-amz-date"]
    signer = SigV4Auth(Credentials("AKIDEXAMPLE", aws_world.SECRET), service, aws_world.REGION)
    said = signer.string_to_sign(request, signer.canonical_request(request))
    return signer.signature(said, request)


class TestSignature:
    @pytest.mark.parametrize("service", ["es", "aoss"])
    @pytest.mark.parametrize("prefix", ["", "/search"])
    def test_every_request_is_signed_as_botocore_would(self, service: str, prefix: str) -> None:
        stub = SearchStub()
        stub.add(5, NOW // 1_000_000 - 5_000, 1_000)
        with (
            aws_world.logged_in(),
            stub.serving(),
            loopback(passing_on(stub.url, prefix)) as proxy,
        ):
            collected = read(
                url=proxy.url + prefix, aws_service=service, aws_region=aws_world.REGION
            )
            seen = list(proxy.seen)
        assert len(collected.events) == 5
        assert len(seen) > 3
        assert any("?" in request.target for request in seen), "a query is what goes wrong"
        for request in seen:
            said = request.headers["authorization"]
            assert f"/{aws_world.REGION}/{service}/aws4_request" in said
            again = signature_by_botocore(
                request.method, request.target, request.headers, request.body, service
            )
            assert said.endswith(f"Signature={again}"), request.target
            assert aws_world.SECRET not in str(request.headers)

    def test_a_session_token_travels(self, monkeypatch: pytest.MonkeyPatch) -> None:
        stub = SearchStub()
        with aws_world.logged_in(), monkeypatch.context() as session, stub.serving():
            session.setenv("AWS_SESSION_TOKEN", "token-1")
            with loopback(passing_on(stub.url)) as proxy:
                read(url=proxy.url, aws_service="es", aws_region=aws_world.REGION)
        tokens = {request.headers["x-amz-security-token"] for request in proxy.seen}
        assert tokens == {"token-1"}

    def test_without_credentials_nothing_is_sent(self, monkeypatch: pytest.MonkeyPatch) -> None:
        with (
            aws_world.logged_in(),
            monkeypatch.context() as logged_out,  # undone before the log-in is
            loopback(lambda _: as_json({})) as server,
        ):
            for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
                logged_out.delenv(name)
            with pytest.raises(AccessRefused, match="No AWS credentials"):
                read(url=server.url, aws_service="es", aws_region=aws_world.REGION)
            assert server.seen == []

    @pytest.mark.parametrize(
        ("settings", "words"),
        [
            ({"url": "https://search-x.eu-west-1.es.amazonaws.com"}, "eu-west-1"),
            ({"url": "https://x.us-gov-west-1.aoss.amazonaws.com"}, "us-gov-west-1"),
            ({"url": "https://s.cn-north-1.es.amazonaws.com.cn"}, "cn-north-1"),
            (
                {"url": "https://x.eu-west-1.es.amazonaws.com", "aws_region": "eu-north-1"},
                "eu-north-1",
            ),
            (
                {
                    "url": "https://127.0.0.1:9200",
                    "tls_server_name": "s.eu-west-3.es.amazonaws.com",
                },
                "eu-west-3",
            ),
        ],
    )
    def test_the_region_is_that_of_the_host(self, settings: dict[str, str], words: str) -> None:
        settled = options(aws_service="es", **settings)
        assert words in repr(Signer(settled, urlsplit(settled.address)))

    async def test_through_a_tunnel_the_real_host_is_signed(self) -> None:
        name = "s.eu-west-1.es.amazonaws.com"
        settled = options(url="https://127.0.0.1:9200", tls_server_name=name, aws_service="es")
        signer = Signer(settled, urlsplit(settled.address))
        with aws_world.logged_in():
            target, headers = await signer.signed("GET", "/_search?x=a,b", {}, None)
        assert target == "/_search?x=a%2Cb"
        assert headers["host"] == name
        again = signature_by_botocore("GET", target, headers, b"", "es")
        assert headers["authorization"].endswith(again)


class TestOtherWays:
    @pytest.mark.parametrize(
        ("inside", "url"),
        [
            ("eu-west-1.aws.found.io$abc$def", "https://abc.eu-west-1.aws.found.io:443"),
            ("eu-west-1.aws.found.io:9243$abc$", "https://abc.eu-west-1.aws.found.io:9243"),
            ("found.io$abc:9244$def:9245", "https://abc.found.io:9244"),
        ],
    )
    def test_a_cloud_id_is_a_url(self, inside: str, url: str) -> None:
        assert url_of_cloud(cloud(inside)) == url
        assert options(cloud_id=cloud(inside)).address == url

    @pytest.mark.parametrize(
        "cloud_id",
        [
            "shop",
            "shop:",
            "shop:!!!",
            cloud("host"),
            cloud("host$"),
            cloud("a b$c"),
            cloud("h:x$c"),
        ],
    )
    def test_half_a_cloud_id_is_refused(self, cloud_id: str) -> None:
        with pytest.raises(ValidationError, match="copy it whole"):
            options(cloud_id=cloud_id)

    @pytest.mark.parametrize(
        ("settings", "words"),
        [
            ({}, "one of the two"),
            ({"url": "https://h", "cloud_id": cloud("h$a$b")}, "one of the two"),
            ({"url": "https://h", "aws_service": "es", "api_key": "k"}, "exclude each other"),
            ({"url": "https://h", "aws_region": "eu-west-1"}, "need aws_service"),
            ({"url": "https://h", "aws_service": "s3"}, "aws_service"),
        ],
    )
    def test_contradictions_are_named(self, settings: dict[str, str], words: str) -> None:
        with pytest.raises(ValidationError, match=words):
            options(**settings)

    @pytest.mark.parametrize("key", ["aWQ6a2V5", "id:key"])
    def test_an_api_key_in_either_form(self, key: str) -> None:
        settled = options(url="https://h", api_key=key)
        assert authorization(settled, urlsplit(settled.address)) == {
            "authorization": "ApiKey aWQ6a2V5"
        }

    @pytest.mark.servers
    @pytest.mark.parametrize("server", ["elasticsearch_server", "opensearch_server"])
    def test_a_real_node_behind_a_path(self, server: str, request: pytest.FixtureRequest) -> None:
        node: RunningServer = request.getfixturevalue(server)
        name = f"prefixed-{secrets.token_hex(4)}"
        records = [ecs(NOW - n * SECOND_NS, f"line {n}", "info", user_id=n) for n in range(5)]
        create_index(node.url, name, records)
        try:
            with loopback(passing_on(node.url, "/logs/search")) as proxy:
                collected = read(url=f"{proxy.url}/logs/search/", index=name)
                assert {seen.target[:13] for seen in proxy.seen} == {"/logs/search/"}
        finally:
            delete_index(node.url, name)
        assert len(collected.events) == 5
