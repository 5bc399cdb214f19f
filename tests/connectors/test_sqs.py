"""SQS on moto with real messages: counts, rules and metrics; never a message."""

from __future__ import annotations

import asyncio
import json
import secrets
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from connectors.contract import CheckReport
from connectors.discovery import Place
from connectors.sqs import SQSConnector, SQSOptions
from connectors.sqs.metrics import period_s
from tests.conformance.collecting import Collected, fetched, looked_up
from tests.connectors import aws_world
from tests.connectors.aws_world import act
from tests.connectors.loopback_http import Loopback, Seen, Told, as_json, loopback, passing_on
from tests.connectors.sqs_data import create_pair, put_metrics
from tests.servers.process import RunningServer
from timeline.coverage import Sight
from timeline.event import SEVERITY_WARN, Event, Kind
from timeline.keys import KeyRules
from timeline.problems import NothingHere
from timeline.window import MINUTE_NS, SECOND_NS, Window

ALLOWED = {
    "AmazonSQS.ListQueues",
    "AmazonSQS.GetQueueUrl",
    "AmazonSQS.GetQueueAttributes",
    "AmazonSQS.ListDeadLetterSourceQueues",
    "GraniteServiceVersion20100801.GetMetricData",
}


@pytest.fixture(autouse=True)
def _logged_in() -> Iterator[None]:
    with aws_world.logged_in():
        yield


def connector(url: str, **options: object) -> SQSConnector:
    settings = {"region": aws_world.REGION, "endpoint_url": url, **options}
    return SQSConnector("sqs", SQSOptions.model_validate(settings), KeyRules())


def checked(subject: SQSConnector) -> CheckReport:
    async def check() -> CheckReport:
        try:
            return await subject.check()
        finally:
            await subject.close()

    return asyncio.run(check())


def content(event: Event) -> dict[str, object]:
    decoded: dict[str, object] = json.loads(event.attributes or "{}")
    return decoded


def targets(proxy: Loopback) -> set[str]:
    return {seen.headers["x-amz-target"] for seen in proxy.seen}


@pytest.fixture(scope="module")
def name(moto_server: RunningServer) -> str:
    """A queue with four messages, one of them taken and not yet deleted, and its metrics."""
    name, url = f"q{secrets.token_hex(4)}", moto_server.url
    with aws_world.logged_in():
        create_pair(url, name)
        queue = act(url, "sqs", "get_queue_url", QueueName=name)["QueueUrl"]
        for number in range(4):
            act(url, "sqs", "send_message", QueueUrl=queue, MessageBody=f"user {number}")
        act(url, "sqs", "receive_message", QueueUrl=queue)
        dead = act(url, "sqs", "get_queue_url", QueueName=f"{name}-dead")["QueueUrl"]
        act(url, "sqs", "send_message", QueueUrl=dead, MessageBody="dead")
        start = time.time_ns() // MINUTE_NS * MINUTE_NS - 40 * MINUTE_NS
        put_metrics(url, name, start, 20)
    return name


def half_an_hour() -> Window:
    now = time.time_ns()
    return Window(now - 30 * MINUTE_NS, now - 45 * MINUTE_NS, now)


@pytest.mark.servers
class TestQueues:
    @pytest.fixture
    def collected(self, name: str, moto_server: RunningServer) -> Collected:
        return fetched(connector(moto_server.url, prefix=name), half_an_hour())

    def test_depth_and_rules_as_of_now(self, collected: Collected, name: str) -> None:
        (now,) = (e for e in collected.events if content(e).get("now") and e.actor == name)
        told = content(now)
        assert (told["depth"], told["running"]) == (3, 1)
        assert (told["dead_letters_to"], told["max_receives"]) == (f"{name}-dead", 3)
        assert "after 3 receives" in now.body

    def test_dead_letters_are_a_warning(self, collected: Collected, name: str) -> None:
        dead = f"{name}-dead"
        (now,) = (e for e in collected.events if content(e).get("now") and e.actor == dead)
        assert now.severity_number == SEVERITY_WARN
        assert content(now)["dead_letters_of"] == [name]

    def test_the_past_is_told_by_the_minute(self, collected: Collected, name: str) -> None:
        past = sorted(
            (e for e in collected.events if e.kind is Kind.METRIC and not content(e).get("now")),
            key=lambda event: event.timestamp,
        )
        assert len(past) == 20
        assert [content(event)["depth"] for event in past] == [5 * n for n in range(20)]
        assert {event.timestamp % MINUTE_NS for event in past} == {0}
        failing = [event for event in past if "received and not deleted" in event.body]
        assert len(failing) == 9
        assert {event.severity_number for event in failing} == {SEVERITY_WARN}

    def test_a_new_queue_is_a_change(self, collected: Collected, name: str) -> None:
        changes = [e.body for e in collected.events if e.kind is Kind.CHANGE]
        assert f"{name} was created" in changes

    def test_nothing_is_claimed_to_be_complete(self, collected: Collected) -> None:
        assert {entry.sight for entry in collected.coverage} == {Sight.PARTIAL}
        assert any("15 minutes late" in entry.reason for entry in collected.coverage)
        assert not [event for event in collected.events if event.keys]

    def test_only_listed_actions_are_sent_and_no_message_is_touched(
        self, name: str, moto_server: RunningServer
    ) -> None:
        with loopback(passing_on(moto_server.url)) as proxy:
            report = checked(connector(proxy.url, prefix=name))
            fetched(connector(proxy.url, queues=[name, f"{name}-dead"]), half_an_hour())
            looked_up(connector(proxy.url, prefix=name), ("job:1",), half_an_hour())
            assert targets(proxy) == ALLOWED
        assert report.system == f"Amazon SQS ({aws_world.REGION})"
        assert report.clock is not None
        assert any("USD" in fact for fact in report.facts)
        queue = act(moto_server.url, "sqs", "get_queue_url", QueueName=name)["QueueUrl"]
        left = act(
            moto_server.url, "sqs", "get_queue_attributes", QueueUrl=queue, AttributeNames=["All"]
        )["Attributes"]
        assert left["ApproximateNumberOfMessages"] == "3"

    def test_without_the_right_to_ask_cloudwatch(
        self, name: str, moto_server: RunningServer
    ) -> None:
        onwards = passing_on(moto_server.url)

        def refuse_metrics(seen: Seen) -> Told:
            if seen.headers["x-amz-target"].startswith("Granite"):
                return as_json({"__type": "AccessDenied", "message": "not you"}, 403)
            return onwards(seen)

        with loopback(refuse_metrics) as proxy:
            collected = fetched(connector(proxy.url, prefix=name), half_an_hour())
        assert {entry.sight for entry in collected.coverage} == {Sight.NOW_ONLY}
        assert any("cloudwatch:GetMetricData" in r.sentence for r in collected.remarks)
        assert collected.events

    def test_more_queues_than_may_be_read(self, name: str, moto_server: RunningServer) -> None:
        subject = connector(moto_server.url, prefix=name, max_queues=1)
        collected = fetched(subject, half_an_hour())
        assert any("the first 1 were read" in remark.sentence for remark in collected.remarks)

    def test_no_such_queue(self, moto_server: RunningServer) -> None:
        with pytest.raises(NothingHere):
            checked(connector(moto_server.url, prefix="nonesuch"))


@pytest.mark.parametrize(
    "attributes",
    [
        {},
        {"RedrivePolicy": "{", "ApproximateNumberOfMessages": "many"},
        {"RedrivePolicy": "[1]", "LastModifiedTimestamp": "soon", "CreatedTimestamp": "9e99"},
        {"RedrivePolicy": '{"deadLetterTargetArn": "a:b\\u001b[2J", "maxReceiveCount": "x"}'},
        {"ApproximateNumberOfMessages": 5},
    ],
)
def test_attributes_of_another_shape_harm_nobody(attributes: dict[str, object]) -> None:
    def answer(seen: Seen) -> Told:
        if seen.headers["x-amz-target"].endswith("ListQueues"):
            return as_json({"QueueUrls": ["https://sqs/1/mailers"]})
        return as_json({"Attributes": attributes, "MetricDataResults": [{"Id": "q9_x"}, 3]})

    with loopback(answer) as server:
        collected = fetched(connector(server.url), half_an_hour())
    assert len(collected.events) == 1
    assert "\x1b" not in collected.events[0].body


@pytest.mark.parametrize(("days", "period"), [(1, 60), (20, 300), (100, 3_600), (900, 3_600)])
def test_the_finest_period_that_is_still_kept(days: int, period: int) -> None:
    now = 1_795_312_450 * SECOND_NS
    assert period_s(Window.around(now - days * 24 * 60 * MINUTE_NS), now) == period


def test_candidates(tmp_path: Path) -> None:
    def found(**variables: str) -> list[dict[str, object]]:
        place = Place(variables, tmp_path, tmp_path)
        return [dict(candidate.options) for candidate in SQSConnector.candidates(place)]

    assert found(SQS_QUEUE_URL="https://sqs/1/q") == [{"queues": ["${SQS_QUEUE_URL}"]}]
    assert found(AWS_PROFILE="shop") == [{}]
    assert found() == []
    (tmp_path / ".aws").mkdir()
    (tmp_path / ".aws/config").write_text("[profile shop]\n")
    assert found() == [{"profile": "shop"}]
