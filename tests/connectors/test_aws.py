"""What is ever asked of AWS, who asks it, and what refusals mean."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path

import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from connectors.aws import AWSOptions, Identity, canonical, profiles_in
from connectors.aws_reads import (
    ACTIONS,
    CLOUDWATCH,
    LOGS,
    SQS,
    ActionRefused,
    AWSReads,
    Service,
    permitted,
)
from connectors.discovery import Place
from connectors.logs.jsonshape import JsonValue
from tests.connectors import aws_world
from tests.connectors.loopback_http import Answering, Seen, Told, as_json, loopback
from timeline.problems import (
    AccessRefused,
    BadAnswer,
    Misconfigured,
    Overloaded,
    SourceProblem,
)

READING = ("Get", "List", "Describe", "Filter")


def call(answering: Answering, service: Service = SQS, action: str = "ListQueues") -> JsonValue:
    async def ask(url: str) -> JsonValue:
        options = AWSOptions(region=aws_world.REGION, endpoint_url=url)
        reads = AWSReads(options)
        try:
            return await reads.call(service, action, {"MaxResults": 1})
        finally:
            await reads.close()

    with aws_world.logged_in(), loopback(answering) as server:
        return asyncio.run(ask(server.url))


def refused_with(told: Told) -> SourceProblem:
    with pytest.raises(SourceProblem) as caught:
        call(lambda _: told)
    return caught.value


def identify(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, config: str, profile: str
) -> SourceProblem:
    """What signing with that profile fails with; asks the network for nothing."""
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    (tmp_path / "config").write_text(config)
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "none"))
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("HOME", str(tmp_path))
    identity = Identity(aws_world.REGION, profile)
    with pytest.raises(SourceProblem) as caught:
        asyncio.run(identity.signed("POST", "https://sqs/", {}, b"{}", "sqs"))
    return caught.value


class TestAllowList:
    def test_every_action_only_reads(self) -> None:
        for service, actions in ACTIONS.items():
            for action in actions:
                assert action.startswith(READING)
                assert permitted(service, action) == f"{service.target}.{action}"

    @pytest.mark.parametrize(
        ("service", "action"),
        [
            (SQS, "ReceiveMessage"),
            (SQS, "DeleteMessage"),
            (SQS, "ChangeMessageVisibility"),
            (SQS, "PurgeQueue"),
            (SQS, "StartMessageMoveTask"),
            (SQS, "SetQueueAttributes"),
            (LOGS, "StartQuery"),
            (LOGS, "StartLiveTail"),
            (CLOUDWATCH, "PutMetricData"),
            (Service("ssm", "AmazonSSM", "1.1", "ssm"), "GetParameter"),
        ],
    )
    def test_nothing_else_leaves_this_machine(self, service: Service, action: str) -> None:
        seen: list[Seen] = []

        def record(request: Seen) -> Told:
            seen.append(request)
            return Told()

        with pytest.raises(ActionRefused):
            call(record, service, action)
        assert seen == []


class TestSigning:
    def test_the_signature_is_the_one_that_botocore_makes(self) -> None:
        seen: list[Seen] = []

        def record(request: Seen) -> Told:
            seen.append(request)
            return as_json({"QueueUrls": []})

        call(record)
        (request,) = seen
        named = request.headers["authorization"].partition("SignedHeaders=")[2].partition(",")[0]
        headers = {name: request.headers[name] for name in named.split(";")}
        again = AWSRequest(
            "POST", f"http://{request.headers['host']}/", data=request.body, headers=headers
        )
        again.context["timestamp"] = request.headers["x-amz-date"]
        signer = SigV4Auth(Credentials("AKIDEXAMPLE", aws_world.SECRET), "sqs", aws_world.REGION)
        said = signer.string_to_sign(again, signer.canonical_request(again))
        assert request.headers["authorization"].endswith(signer.signature(said, again))
        assert {"host", "x-amz-date", "x-amz-target", "content-type"} <= set(named.split(";"))
        assert request.headers["x-amz-target"] == "AmazonSQS.ListQueues"

    def test_a_query_is_spelt_as_the_server_will_sign_it(self) -> None:
        url = "https://host/a*,b/_search?filter_path=nodes.*.version,x&keep_alive=1m"
        assert canonical(url) == (
            "https://host/a*,b/_search?filter_path=nodes.%2A.version%2Cx&keep_alive=1m"
        )

    def test_an_encoded_query_stays_as_it_is(self) -> None:
        assert canonical("https://h/?a=%2Fb%20c") == "https://h/?a=%2Fb%20c"


class TestRefusals:
    @pytest.mark.parametrize(
        ("status", "code", "kind", "words"),
        [
            (400, "com.amazonaws.sqs#QueueDoesNotExist", Misconfigured, "region or profile"),
            (400, "ResourceNotFoundException", Misconfigured, "does not exist"),
            (400, "ExpiredTokenException", AccessRefused, "aws sso login"),
            (403, "UnrecognizedClientException", AccessRefused, "aws sso login"),
            (403, "AccessDeniedException", AccessRefused, "sqs:ListQueues"),
            (400, "ValidationException", BadAnswer, "ValidationException"),
        ],
    )
    def test_each_has_its_sentence(
        self, status: int, code: str, kind: type[SourceProblem], words: str
    ) -> None:
        problem = refused_with(as_json({"__type": code, "message": "said\x1b[2J"}, status))
        assert isinstance(problem, kind)
        assert words in problem.sentence()
        assert "\x1b" not in problem.sentence()
        assert aws_world.SECRET not in problem.sentence()

    def test_a_clock_that_is_off_is_named(self) -> None:
        message = "Signature expired: 20260101T000000Z is now earlier than 20260101T001000Z"
        problem = refused_with(
            as_json({"__type": "InvalidSignatureException", "message": message}, 400)
        )
        assert "clock" in problem.remedy

    def test_throttling_is_waited_out(self) -> None:
        told = [as_json({"__type": "ThrottlingException"}, 400), as_json({"QueueUrls": ["u"]})]
        answer = call(lambda _: told.pop(0))
        assert answer == {"QueueUrls": ["u"]}

    def test_lasting_throttling_is_evidence(self) -> None:
        begun = time.monotonic()
        problem = refused_with(as_json({"__type": "ThrottlingException"}, 400))
        assert isinstance(problem, Overloaded)
        assert time.monotonic() - begun < 5

    def test_a_page_that_is_not_json(self) -> None:
        assert isinstance(refused_with(Told(200, b"<html>")), BadAnswer)


class TestIdentity:
    def test_no_credentials_at_all(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        problem = identify(tmp_path, monkeypatch, "", "")
        assert isinstance(problem, AccessRefused)
        assert "aws sso login" in problem.remedy

    def test_a_profile_that_does_not_exist(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        problem = identify(tmp_path, monkeypatch, "[default]\n", "shop")
        assert isinstance(problem, Misconfigured)
        assert "shop" in problem.sentence()

    def test_a_login_that_has_expired(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        sso = (
            "[profile shop]\nsso_session = s\nsso_account_id = 123456789012\n"
            "sso_role_name = r\n[sso-session s]\nsso_region = eu-west-1\n"
            "sso_start_url = https://x.example.org/start\n"
        )
        problem = identify(tmp_path, monkeypatch, sso, "shop")
        assert isinstance(problem, AccessRefused)
        assert "aws sso login --profile shop" in problem.remedy

    def test_a_profile_that_wants_a_code_asks_nobody(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        config = (
            "[profile base]\naws_access_key_id = AKIDEXAMPLE\naws_secret_access_key = s\n"
            "[profile shop]\nsource_profile = base\nrole_arn = arn:aws:iam::123456789012:role/r\n"
            "mfa_serial = arn:aws:iam::123456789012:mfa/me\nregion = eu-west-1\n"
        )
        problem = identify(tmp_path, monkeypatch, config, "shop")
        assert isinstance(problem, AccessRefused)
        assert "MFA" in problem.what
        assert "get-caller-identity" in problem.remedy

    def test_no_region(self, monkeypatch: pytest.MonkeyPatch) -> None:
        for name in ("AWS_REGION", "AWS_DEFAULT_REGION"):
            monkeypatch.delenv(name, raising=False)
        with aws_world.logged_in():
            with pytest.raises(Misconfigured, match="region"):
                asyncio.run(Identity("", "").endpoint("sqs"))
            with pytest.raises(Misconfigured, match="region"):
                asyncio.run(Identity("", "").signed("GET", "https://h/", {}, b"", "es"))

    @pytest.mark.parametrize(
        ("region", "host"),
        [
            ("eu-west-1", "sqs.eu-west-1.amazonaws.com"),
            ("cn-north-1", "sqs.cn-north-1.amazonaws.com.cn"),
            ("zz-new-9", "sqs.zz-new-9.amazonaws.com"),
        ],
    )
    def test_where_a_region_answers(self, region: str, host: str) -> None:
        with aws_world.logged_in():
            found = asyncio.run(Identity(region, "").endpoint("sqs"))
        assert (found.url, found.region) == (f"https://{host}", region)

    def test_profiles_are_read_from_the_file(self, tmp_path: Path) -> None:
        (tmp_path / ".aws").mkdir()
        (tmp_path / ".aws/config").write_text("[default]\n[profile shop]\n[sso-session s]\n")
        assert list(profiles_in(Place({}, tmp_path, tmp_path))) == ["default", "shop"]


def test_a_secret_in_the_endpoint_is_refused() -> None:
    with pytest.raises(ValueError, match="without an account") as caught:
        AWSOptions(endpoint_url="https://u:hunter2@host")
    assert "hunter2" not in str(caught.value)
